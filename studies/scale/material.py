"""Persons of the scale study, drawn in memory: statistics of faces, and labels."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from joblib import Parallel, delayed
from numpy.typing import NDArray

from biomarkers.features.statistics import STATISTICS, summarize
from datamodules.manifests.scales import SCALES
from datamodules.synthetic.cohort import fingerprint
from datamodules.synthetic.latent import CHANNELS, LatentSettings, Visit, draw_cohort
from datamodules.synthetic.questionnaire import totals
from datamodules.synthetic.recording import SCALE, CohortSettings, questionnaire, recorded_series

Array = NDArray[np.float64]

READ = tuple(
    name for name in CHANNELS if name not in ("au45", "pupil")
)  # as `data=extracted_series` has them
FEATURES = tuple(f"{channel}_{name}" for channel in READ for name in STATISTICS)
_FPS, _SECONDS = 10.0, 12.0  # our choice: enough for a mean, cheap for 13,000 persons
_CHUNK = 250


@dataclass(frozen=True, kw_only=True)
class Condition:
    """A cohort of the study: symptom heterogeneity, that of faces, and whether labels are shuffled."""

    name: str
    heterogeneity: float
    facial_heterogeneity: float = 0.0
    shuffled: bool = False

    def settings(self, persons: int) -> CohortSettings:
        """One visit of so many persons; habits hide severity as in the default cohort."""
        latent = LatentSettings(
            persons, 1, _FPS, _SECONDS, 1.0, 0.1, 0, facial_heterogeneity=self.facial_heterogeneity
        )
        return CohortSettings(latent=latent, size=0, heterogeneity=self.heterogeneity, landmarks=False)


@dataclass(frozen=True, eq=False)
class Persons:
    """Statistics (N, F), labels (N,) and the true severity (N,), which no model reads."""

    x: Array
    y: NDArray[np.int64]
    severity: Array


def draw(condition: Condition, *, persons: int, folder: Path, workers: int) -> Persons:
    """Draw the persons of a condition, or read what an earlier call kept in `folder`.

    The label is a BDI-II total of 14 or more. Conditions with equal faces share their statistics.

    Args:
        condition: The cohort.
        persons: How many.
        folder: Of the arrays; a change of the generator's code makes new ones.
        workers: Processes.
    """
    settings = condition.settings(persons)
    faces = Condition(name="", heterogeneity=0.0, facial_heterogeneity=condition.facial_heterogeneity)
    face_file = folder / f"faces_{fingerprint(faces.settings(persons))}.npy"
    label_file = folder / f"labels_{fingerprint(settings)}.npy"
    folder.mkdir(parents=True, exist_ok=True)
    visits = draw_cohort(settings.latent)
    chunks = [visits[start : start + _CHUNK] for start in range(0, persons, _CHUNK)]
    if not face_file.is_file():
        found = Parallel(n_jobs=workers)(delayed(_statistics)(chunk, settings) for chunk in chunks)
        np.save(face_file, np.concatenate(found).astype(np.float32))
    if not label_file.is_file():
        labels = Parallel(n_jobs=workers)(delayed(_labels)(chunk, settings) for chunk in chunks)
        np.save(label_file, np.concatenate(labels))
    y = np.load(label_file)
    if condition.shuffled:
        y = np.random.default_rng(0).permutation(y)
    severity = np.array([visit.severity for visit in visits])
    return Persons(np.load(face_file).astype(np.float64), y, severity)


def _statistics(visits: Sequence[Visit], settings: CohortSettings) -> Array:
    columns = [CHANNELS.index(name) for name in READ]
    series = (recorded_series(visit, settings)[:, columns].astype(np.float64) for visit in visits)
    return np.stack([summarize(own).T.ravel() for own in series])


def _labels(visits: Sequence[Visit], settings: CohortSettings) -> NDArray[np.int64]:
    scores = [totals(questionnaire(visit, settings))[SCALE] for visit in visits]
    return np.array([SCALES[SCALE].binary(score) for score in scores])
