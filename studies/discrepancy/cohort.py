"""Synthetic cohorts of the trial: twelve statistics of each series, items and the target."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from biomarkers.features.statistics import STATISTICS, summarize
from datamodules.manifests.manifest import Manifest
from datamodules.manifests.questionnaires import subscale
from datamodules.schema import IDS
from datamodules.synthetic.latent import CHANNELS, LatentSettings, draw_cohort
from datamodules.synthetic.recording import CohortSettings, questionnaire, recorded_series, recording_id

# The source uses DASS-21 depression. In this cohort a subscale of the DASS-21 asks about one domain of
# symptoms, so that equal totals could not hide unequal symptoms; the 21 items of the BDI-II ask about four.
SCALE = "BDI-II"
ITEMS = tuple(subscale(SCALE).columns)

_FPS, _SECONDS = 5.0, 8.0  # our choice: 36 frames or more make the statistics, and 2,000 persons take seconds
_CONFOUND, _VISIBILITY = 1.0, 0.1  # the cohort's defaults


@dataclass(frozen=True, kw_only=True)
class Setting:
    """Parameters that a cohort is drawn with.

    Attributes:
        label: In tables and figures.
        heterogeneity: Weight (0-1) of a person's own symptoms in the answers.
        facial_heterogeneity: The same in the face.
        noise: Whether Gaussian noise takes the place of all features.
    """

    label: str
    heterogeneity: float
    facial_heterogeneity: float
    noise: bool = False


SETTINGS: Mapping[str, Setting] = {
    "none": Setting(label="no heterogeneity", heterogeneity=0.0, facial_heterogeneity=0.0),
    "answers": Setting(label="answers differ", heterogeneity=0.8, facial_heterogeneity=0.0),
    "faces": Setting(label="answers and faces differ", heterogeneity=0.8, facial_heterogeneity=0.8),
    "noise": Setting(label="features are noise", heterogeneity=0.8, facial_heterogeneity=0.0, noise=True),
}


@dataclass(frozen=True, eq=False, kw_only=True)
class Cohort:
    """Recordings with items and target, and a row of features for each."""

    manifest: Manifest
    features: pd.DataFrame


def draw(setting: Setting, *, persons: int, seed: int) -> Cohort:
    """One visit of each person; the target is a total of 14 or more."""
    latent = LatentSettings(
        n_subjects=persons,
        n_visits=1,
        fps=_FPS,
        duration_s=_SECONDS,
        confound=_CONFOUND,
        habit_visibility=_VISIBILITY,
        seed=seed,
        facial_heterogeneity=setting.facial_heterogeneity,
    )
    settings = CohortSettings(latent=latent, size=0, heterogeneity=setting.heterogeneity)
    visits = draw_cohort(latent)
    ids = pd.DataFrame(
        [(recording_id(visit), visit.person.subject_id, visit.session_id) for visit in visits],
        columns=[*IDS],
    )
    items = pd.DataFrame([questionnaire(visit, settings) for visit in visits]).astype(np.float64)
    form = subscale(SCALE)
    score = form.total(items)
    binary = [float(form.scale.binary(value)) for value in score]
    table = ids.assign(scale=SCALE, score=score, binary=binary).join(items[list(ITEMS)])
    names = [f"{channel}_{name}" for name in STATISTICS for channel in CHANNELS]
    if setting.noise:
        values = np.random.default_rng(seed).standard_normal((persons, len(names)))
    else:
        series = (recorded_series(visit, settings) for visit in visits)
        values = np.stack([summarize(own.astype(np.float64)).ravel() for own in series])
    manifest = Manifest(table=table, root=Path(), name=setting.label, truth=None)
    return Cohort(manifest=manifest, features=ids.join(pd.DataFrame(values, columns=names)))
