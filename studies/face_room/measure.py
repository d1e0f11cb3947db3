"""One room through the steps of the preprocessing, frame by frame beside its truth."""

from dataclasses import dataclass

import cv2
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from datamodules.synthetic.room.room import Room
from preprocessing.alignment.aligner import Aligner, in_crop
from preprocessing.faces.face import FaceBackend
from preprocessing.quality.crop_facts import CropFacts, measure
from preprocessing.quality.gate import QualityGate, Verdict
from preprocessing.series.face_series import face_series
from preprocessing.tracking.follow import follow
from preprocessing.tracking.track import Track

Array = NDArray[np.float64]

SAME = 0.5  # overlap of boxes that are one face


@dataclass(frozen=True, kw_only=True, eq=False)
class Seen:
    """What the preprocessing says of a room."""

    track: Track
    facts: list[CropFacts | None]
    verdict: Verdict
    series: pd.DataFrame


def see(room: Room, backend: FaceBackend) -> Seen:
    """Both passes over the frames of a room, as over those of a file."""
    cv2.setNumThreads(1)
    seconds = np.arange(len(room)) / room.fps
    aligner, track = Aligner(), follow(room.frames(), backend)
    matrices = aligner.matrices(track, seconds)
    facts: list[CropFacts | None] = []
    for t, frame in enumerate(room.frames()):
        crop = aligner.crop(frame, matrices[t], track.landmarks[t])
        points = in_crop(track.landmarks[t], matrices[t])
        facts.append(measure(crop, points) if track.found[t] else None)
    verdict = QualityGate()(track, facts, seconds)
    return Seen(track=track, facts=facts, verdict=verdict, series=face_series(track, verdict, seconds))


def frame_table(room: Room, seen: Seen) -> pd.DataFrame:
    """One row a frame: what is true (`true_...`), found (`overlap...`) and said by the gate (`said_...`)."""
    truth, track = room.truth, seen.track
    columns: dict[str, object] = {
        "event": truth.event,
        "width": (truth.boxes[:, 2] - truth.boxes[:, 0]) / max(room.width, room.height),
        "hidden": truth.hidden,
        "outside": truth.outside,
        "blur": truth.blur_share,
        "luminance": truth.luminance,
        "true_usable": truth.usable,
        "found": track.found,
        "usable": seen.verdict.usable,
        "overlap": overlaps(track.boxes, truth.boxes),
        "overlap_other": overlaps(track.boxes, truth.other_boxes),
        "sharpness": [fact.sharpness if fact else np.nan for fact in seen.facts],
        "face_luminance": [fact.luminance if fact else np.nan for fact in seen.facts],
    }
    columns |= {f"true_{name}": rows for name, rows in truth.reasons.items()}
    columns |= {f"said_{name}": rows for name, rows in seen.verdict.reasons.items()}
    return pd.DataFrame(columns)


def overlaps(a: NDArray[np.floating], b: NDArray[np.floating]) -> Array:
    """Intersection over union of boxes ``(T, 4)`` with those of the same frame; 0 where one is missing."""
    low, high = np.maximum(a[:, :2], b[:, :2]), np.minimum(a[:, 2:], b[:, 2:])
    common = np.clip(high - low, 0, None).prod(axis=1)
    total = (a[:, 2:] - a[:, :2]).prod(axis=1) + (b[:, 2:] - b[:, :2]).prod(axis=1) - common
    return np.asarray(np.nan_to_num(common / total), dtype=np.float64)
