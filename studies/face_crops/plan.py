"""Plan of the study: one cohort in rooms, its cache, and the trainings of each arm."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

# Settled on portraits of another cohort (seed 100), before any room was trained on; our choice.
COHORT: dict[str, Any] = {
    "n_visits": 4,
    "fps": 5.0,
    "duration_s": 4.0,
    "confound": 0.0,  # habits are another study's: here a face says what it says
    "habit_visibility": 0.1,
    "seed": 0,
}
SUBJECTS, EPOCHS, PIXELS = 300, 20, 64
_COMMON = (
    "experiment=mpdrm",
    "model/context=clip",  # without habits a visit needs no other one to be compared with
    "protocol.val=0.15",
    "protocol.test=0.35",
    f"data.module.source.video.height={PIXELS}",
    f"data.module.source.video.width={PIXELS}",
    "data.module.source.video.keep=2000",
    "data.module.subjects=16",
    "data.module.visits=2",
    "data.module.train_clips.strides=[2]",
    "data.module.eval_clips.stride=2",
    "data.module.eval_clips.clips=2",
    "data.module.num_workers=0",
    "evaluation.filmstrips=0",
    "callbacks.last=null",
    "logger=none",
    "+trainer.enable_progress_bar=false",
)
ARMS = {
    "frame": "the central square of the 640 x 480 frame, as `data=manifest` takes it",
    "crop": "the cache of `preprocess.py`, frames that its gate refuses masked",
    "portrait": "the same faces drawn alone and still, without a room: what an ideal crop would be",
}


@dataclass(frozen=True)
class Unit:
    """One result: a training, or one for each of several rates, of which validation chooses.

    Attributes:
        arm: of `ARMS`.
        seed: of split and initialization.
        overrides: of conf/train.yaml.
        folder: where its result goes.
        rates: learning rates; none leaves that of the config.
    """

    arm: str
    seed: int
    overrides: tuple[str, ...]
    folder: Path
    rates: tuple[float, ...] = ()

    @property
    def trainings(self) -> list[tuple[str, ...]]:
        """The overrides of each training."""
        rates = ((f"model.optimizer.lr={rate}",) for rate in self.rates)
        return [(*self.overrides, *rate) for rate in rates] or [self.overrides]


def cache_of(out: Path, subjects: int) -> Path:
    """The folder that `preprocess.py` fills."""
    return out / f"cache_{subjects}"


def plan(
    *, seeds: int, subjects: int, epochs: int, out: Path, data: Path, arms: Sequence[str] = tuple(ARMS)
) -> list[Unit]:
    """All trainings, seed by seed, so that an early look sees every arm."""
    cohort = tuple(f"data.cohort.{name}={value}" for name, value in COHORT.items())
    drawn = ("data=synthetic", *cohort, f"data.cohort.n_subjects={subjects}", f"paths.data={data}")
    inputs = {
        "frame": (*drawn, "data/cohort=room"),
        "crop": ("data=faces", f"data.path={cache_of(out, subjects) / 'manifest.csv'}"),
        "portrait": drawn,
    }
    units = []
    for seed in range(seeds):
        for arm in arms:
            overrides = (
                *_COMMON,
                *inputs[arm],
                f"trainer.max_epochs={epochs}",
                f"seed={seed}",
                f"protocol.seed={seed}",
            )
            units.append(Unit(arm, seed, overrides, out / str(seed) / arm))
    return units
