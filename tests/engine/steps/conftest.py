"""A cohort drawn in memory, measured and split, as the steps of an analysis find it."""

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from biomarkers.features.table import feature_table
from biomarkers.oculomotor.blinks import BlinkFeatures
from biomarkers.oculomotor.gaze import GazeDirection
from biomarkers.oculomotor.pupil import PupilRatio
from datamodules.partition import Split
from datamodules.series import Series
from datamodules.synthetic.latent import CHANNELS, LatentSettings, behave, draw_cohort
from datamodules.synthetic.recording import CohortSettings, questionnaire, recording_id
from engine.material import Material

PERSONS = 90


@pytest.fixture(scope="session")
def material():
    latent = LatentSettings(PERSONS, 1, 15.0, 8.0, confound=0.3, habit_visibility=0.1, seed=0)
    settings = CohortSettings(latent=latent, size=0, heterogeneity=0.3)
    rows, series = [], []
    for visit in draw_cohort(latent):
        x = behave(visit, latent)
        ids = {"recording_id": recording_id(visit), "subject_id": visit.person.subject_id, "session_id": "V1"}
        rows.append(ids | questionnaire(visit, settings))
        series.append(
            Series(values=x, channels=CHANNELS, valid=np.ones(len(x), dtype=bool), fps=15.0, seconds=None)
        )
    table = pd.DataFrame(rows)
    recordings = [SimpleNamespace(**row) for row in rows]
    names = table["recording_id"].tolist()
    splits = [
        Split(name=f"fold{k}", train=tuple(names[k::2]), val=(), test=tuple(names[1 - k :: 2]))
        for k in (0, 1)
    ]
    features = feature_table(
        list(zip(recordings, series, strict=True)), [GazeDirection(), BlinkFeatures(), PupilRatio()]
    )
    return Material(SimpleNamespace(table=table), recordings, series, table, features, splits)
