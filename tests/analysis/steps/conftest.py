"""Materials that the tests of steps share: one read by a config, one drawn in memory, one planted."""

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from analysis.step_data import Material, read_material
from biomarkers.features.feature_table import feature_table
from biomarkers.oculomotor.blinks import BlinkFeatures
from biomarkers.oculomotor.gaze import GazeDirection
from biomarkers.oculomotor.pupil import PupilRatio
from datamodules.series import Series
from datamodules.splits.partition import Split
from datamodules.synthetic.behavior import behave
from datamodules.synthetic.latent import CHANNELS, LatentSettings, draw_cohort
from datamodules.synthetic.recording import CohortSettings, questionnaire, recording_id
from engine.runs.provenance import RunManifest
from tests.analysis.test_run import composed

PERSONS, PLANTED = 90, 240
NAMES = [f"{channel}_{name}" for channel in ("au04", "gaze_x", "p_3") for name in ("mean", "std")]
SMALL = [
    "data.cohort.n_subjects=16",
    "data.cohort.workers=1",
    "data.cohort.fps=10",
    "data.cohort.duration_s=3",
    "protocol.folds=2",
    "protocol.val=0.4",
]


@pytest.fixture(scope="session")
def material(tmp_path_factory):
    """Sixteen persons with one visit, in two folds; do not write to its folder."""
    folder = tmp_path_factory.mktemp("analysis")
    config = composed("analysis=parikh2024", *SMALL, output=folder)
    with RunManifest(folder=folder, config=config) as record:
        return read_material(config, record)


@pytest.fixture(scope="session")
def drawn():
    """Ninety persons with one visit, their eyes measured, in two folds without validation."""
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
    return Material(SimpleNamespace(table=table), recordings, series, features, splits)


@pytest.fixture(scope="session")
def planted():
    """Three folds; `au04` carries the label, one label is unknown, one feature is missing here and there."""
    rng = np.random.default_rng(0)
    y = (rng.random(PLANTED) < 0.4).astype(float)
    x = pd.DataFrame(rng.standard_normal((PLANTED, 6)), columns=NAMES)
    x["au04_std"] += 2 * y
    x.loc[::9, "gaze_x_mean"] = np.nan
    ids = pd.DataFrame(
        {
            "recording_id": [f"r{i}" for i in range(PLANTED)],
            "subject_id": [f"s{i}" for i in range(PLANTED)],
            "session_id": "1",
        }
    )
    y[5] = np.nan
    parts = [tuple(ids["recording_id"][k::3]) for k in range(3)]
    splits = [Split(f"fold{k}", parts[k - 2], parts[k - 1], parts[k]) for k in range(3)]
    return SimpleNamespace(
        manifest=SimpleNamespace(table=ids.assign(binary=y)),
        series=[],
        features=SimpleNamespace(table=pd.concat([ids, x], axis=1)),
        splits=splits,
    )
