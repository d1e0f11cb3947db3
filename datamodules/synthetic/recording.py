"""One recording of the cohort, from its latent visit to files on disk and a row of the manifest."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from datamodules.synthetic.appearance import Appearance
from datamodules.synthetic.behavior import act_statistics, behave, habit_statistics, statistics
from datamodules.synthetic.face import FACE_SIZE, LANDMARKS, Frame, Placement, landmarks, render_series
from datamodules.synthetic.files import intact, put_sealed, put_series, read_sealed
from datamodules.synthetic.latent import CHANNELS, LatentSettings, Visit
from datamodules.synthetic.questionnaire import PREVALENCES, Prevalence, answer, totals
from datamodules.synthetic.video import write_video

SCALE = "BDI-II"
# Our choice: as much variation as a person sitting down in front of another camera makes.
_LIGHT, _SLANT, _SHIFT, _SCALE, _KEPT = (0.75, 1.20), (-0.15, 0.15), (-0.04, 0.04), (0.88, 1.04), (0.9, 1.0)
# Random streams of this module; the latent model's own streams are keyed by the same seed but other numbers.
_PLACEMENT, _DURATION, _ANSWERS = 100, 101, 103  # 102 draws the symptom profile of a person

_LANDMARK_CHANNELS = [f"{point}_{axis}" for point in LANDMARKS for axis in "xy"]


@dataclass(frozen=True, kw_only=True)
class CohortSettings:
    """All that decides what a cohort contains.

    Attributes:
        latent: what persons, visits and behavior are drawn from.
        size: side of the square videos in pixels (even), or 0 for a cohort without video.
        heterogeneity: how much persons of equal severity differ in their symptoms (0-1).
        prevalence: `standard`, or `school` with symptoms as rare as among pupils.
        landmarks: keep the landmarks, which take most of the time where no video is drawn.
    """

    latent: LatentSettings
    size: int
    heterogeneity: float
    prevalence: Prevalence = "standard"
    landmarks: bool = True

    def __post_init__(self) -> None:
        """Refuse sizes that 4:2:0 video cannot have."""
        if self.size < 0 or self.size % 2:
            raise ValueError(
                f"size={self.size}: videos need an even number of pixels; 0 makes a cohort without video"
            )
        if not 0 <= self.heterogeneity <= 1:
            raise ValueError(f"heterogeneity={self.heterogeneity} is a share: give a value from 0 to 1")
        if self.prevalence not in PREVALENCES:
            raise ValueError(f"prevalence={self.prevalence!r}: choose {' or '.join(PREVALENCES)}")


def recording_id(visit: Visit) -> str:
    """Name of the recording of a visit, unique in the cohort."""
    return f"{visit.person.subject_id}_{visit.session_id}"


def placement(visit: Visit, settings: CohortSettings) -> Placement:
    """Draw camera and light of a visit from a stream of their own, so that they cannot know the severity."""
    rng = _stream(visit, settings, _PLACEMENT)
    return Placement(
        light=float(rng.uniform(*_LIGHT)),
        slant=float(rng.uniform(*_SLANT)),
        shift_x=float(rng.uniform(*_SHIFT)),
        shift_y=float(rng.uniform(*_SHIFT)),
        scale=float(rng.uniform(*_SCALE)),
    )


def recorded_series(visit: Visit, settings: CohortSettings) -> npt.NDArray[np.float32]:
    """Behavior of a visit until its recording stops, ``(T, F)``; lengths know nothing of severity."""
    series = behave(visit, settings.latent)
    kept = _stream(visit, settings, _DURATION).uniform(*_KEPT)
    return series[: max(2, round(kept * len(series)))]


def questionnaire(visit: Visit, settings: CohortSettings) -> dict[str, int]:
    """Questionnaire answers of a visit, from its severity and the person's lasting symptom profile."""
    rng = _stream(visit, settings, _ANSWERS)
    return answer(
        visit.severity,
        visit.person.profile,
        rng,
        heterogeneity=settings.heterogeneity,
        prevalence=settings.prevalence,
    )


def write_recording(visit: Visit, settings: CohortSettings, folder: Path) -> None:
    """Write series, landmarks and video of a visit, then the entry that marks the recording as finished.

    Args:
        visit: the latent visit.
        settings: of the whole cohort.
        folder: the cohort's folder.
    """
    name = recording_id(visit)
    series = recorded_series(visit, settings)
    view = placement(visit, settings)
    look = Appearance.draw(visit.person.appearance_seed)
    fps = settings.latent.fps
    made = {f"series/{name}.npz": _write_series(folder / "series" / f"{name}.npz", series, CHANNELS, fps)}
    row = _row(visit, settings, view, len(series)) | {
        "series_path": f"series/{name}.npz",
        "landmark_path": f"landmarks/{name}.npz" if settings.landmarks else "",
        "path": "",
    }
    if settings.landmarks:
        # Size 1 and half a pixel back: landmarks are stored as shares of the picture, whatever its size.
        points = landmarks(look, series, 1, view).reshape(len(series), -1) + np.float32(0.5)
        file = row["landmark_path"]
        made[file] = _write_series(folder / file, points, _LANDMARK_CHANNELS, fps)
    if settings.size:
        row |= _write_video(folder, name, render_series(look, series, settings.size, view), settings)
        made[row["path"]] = hashlib.sha256((folder / row["path"]).read_bytes()).hexdigest()
    row["content_hash"] = made[row["path"] or row["series_path"]]
    truth = _truth(visit, settings, series)
    put_sealed(entry_path(folder, visit), {"row": row, "truth": truth, "files": made})


def write_recordings(visits: Sequence[Visit], settings: CohortSettings, folder: Path) -> int:
    """Write several recordings, return how many; a worker that starts here loads neither torch nor pandas."""
    cv2.setNumThreads(1)  # the workers share the cores already
    for visit in visits:
        write_recording(visit, settings, folder)
    return len(visits)


def entry_path(folder: Path, visit: Visit) -> Path:
    """The file that says a recording is finished, and what belongs to it."""
    return folder / "entries" / f"{recording_id(visit)}.json"


def read_entry(folder: Path, visit: Visit) -> dict[str, Any] | None:
    """Read the entry of a finished recording; None if it or one of its files is not what was made."""
    entry = read_sealed(entry_path(folder, visit))
    if entry is None or not all(intact(folder / file, digest) for file, digest in entry["files"].items()):
        return None
    return entry


def _stream(visit: Visit, settings: CohortSettings, kind: int) -> np.random.Generator:
    return np.random.default_rng([settings.latent.seed, kind, visit.person.index, visit.index])


def _row(visit: Visit, settings: CohortSettings, view: Placement, n_frames: int) -> dict[str, Any]:
    items = questionnaire(visit, settings)
    person, fps = visit.person, settings.latent.fps
    row: dict[str, Any] = {
        "recording_id": recording_id(visit),
        "subject_id": person.subject_id,
        "session_id": visit.session_id,
        "task": "synthetic",
        "fps": fps,
        "n_frames": n_frames,
        "duration_s": round(n_frames / fps, 6),
        "scale": SCALE,
        "score": totals(items)[SCALE],
        "sex": person.sex,
        "age": person.age,
    }
    if settings.size:
        row |= {
            "width": settings.size,
            "height": settings.size,
            "face_x": round(0.5 + view.shift_x, 6),
            "face_y": round(0.5 + view.shift_y, 6),
            "face_size": round(2 * FACE_SIZE * view.scale, 6),
        }
    return row | items | {f"trait_{name}": round(value, 6) for name, value in person.traits.items()}


def _truth(visit: Visit, settings: CohortSettings, series: npt.NDArray[np.float32]) -> dict[str, Any]:
    habits = habit_statistics(visit.person, settings.latent)
    shown = statistics(series) | act_statistics(visit, settings.latent, len(series) / settings.latent.fps)
    return (
        {"recording_id": recording_id(visit), "severity": visit.severity}
        | {f"stat_{name}": value for name, value in shown.items()}
        | {f"habit_{name}": value for name, value in habits.items()}
    )


def _write_video(
    folder: Path, name: str, frames: Iterator[Frame], settings: CohortSettings
) -> dict[str, Any]:
    levels: list[float] = []

    def metered() -> Iterator[Frame]:
        for frame in frames:
            levels.append(float(frame.mean()) / 255)
            yield frame

    write_video(folder / "videos" / f"{name}.mp4", metered(), fps=settings.latent.fps)
    return {"path": f"videos/{name}.mp4", "brightness": round(float(np.mean(levels)), 6)}


def _write_series(path: Path, values: npt.NDArray[np.float32], channels: Sequence[str], fps: float) -> str:
    return put_series(
        path,
        values.astype(np.float32),
        channels=np.array(channels),
        fps=np.float64(fps),
        valid=np.ones(len(values), dtype=bool),
    )
