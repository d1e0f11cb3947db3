"""Small synthetic cohorts into which leaks are planted."""

from pathlib import Path

from datamodules.manifests.manifest import Manifest
from datamodules.synthetic.cohort import synthetic_manifest


def drawn(
    root: Path,
    *,
    persons: int,
    visits: int,
    seconds: float,
    seed: int,
    confound: float = 1.0,
    pixels: int | None = None,
    fps: float = 10.0,
    landmarks: bool = False,
) -> Manifest:
    """A cohort of series, with videos of so many `pixels` where that is given.

    Args:
        root: Folder of all cohorts.
        persons: How many.
        visits: Of each.
        seconds: Longest recording.
        seed: Of the cohort.
        confound: Spread of the habits that hide severity; 0 is none.
        pixels: Side of the videos.
        fps: Frames per second.
        landmarks: Write them too.
    """
    return synthetic_manifest(
        root=root,
        n_subjects=persons,
        n_visits=visits,
        fps=fps,
        duration_s=seconds,
        size=pixels,
        confound=confound,
        habit_visibility=0.1,
        seed=seed,
        landmarks=landmarks,
        workers=1,
    )
