"""A folder as `preprocess.py` leaves it, written without looking for a face: for tests of what reads one."""

import hashlib
import json
from pathlib import Path

import numpy as np
import pandas as pd
from scipy.ndimage import gaussian_filter1d

from datamodules.synthetic.video import write_video

SETTINGS = {"size": 48, "smooth_s": 0.2, "backend": {"threshold": 0.5}}
PROVENANCE = {
    "backend": {"name": "made", "models": {"mesh": {"sha256": "0" * 64, "license": "Apache-2.0"}}},
    "libraries": {"av": "18.1.0", "cv2": "5.0.0"},
}


def write_cache(folder: Path, *, persons=6, visits=2, frames=40, size=48, lost=(), record=True) -> Path:
    """Write clips of moving patches, their series and the manifest; return its path.

    Args:
        folder: Where to.
        persons: Of which every second one is depressed.
        visits: Recordings of each.
        frames: Of each recording.
        size: Of the pictures in pixels.
        lost: Frames of every recording that are not to be used.
        record: Its `preprocessing.json`; True takes one of settings that nothing reads, None writes none.
    """
    rng = np.random.default_rng(0)
    valid = ~np.isin(np.arange(frames), list(lost))
    rows = []
    for name in ("clips", "series"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    for person in range(persons):
        for visit in range(visits):
            name = f"p{person:02d}_v{visit}"
            write_video(folder / "clips" / f"{name}.mp4", patches(rng, frames, size), fps=25.0)
            write_rows(folder / "series" / f"{name}.parquet", valid, rng.normal(size=(frames, 3)))
            rows.append({"recording_id": name, "subject_id": f"p{person:02d}", "session_id": str(visit)})
            rows[-1] |= {"path": f"clips/{name}.mp4", "series_path": f"series/{name}.parquet"}
            rows[-1] |= {"scale": "BDI-II", "score": 5 + 20 * (person % 2) + visit}
            rows[-1] |= {
                "face_size": 0.3 + 0.01 * person,
                "yaw": 0.1 * visit,
                "blur": 40.0 - person,
                "usable": valid.mean(),
            }
    pd.DataFrame(rows).to_csv(folder / "manifest.csv", index=False)
    if record is not None:
        write_record(folder, **({} if record is True else record))
    return folder / "manifest.csv"


def patches(rng: np.random.Generator, frames: int, size: int) -> np.ndarray:
    """Pictures uint8 (T, S, S, 3) of gray patches that change smoothly: no two recordings are alike."""
    levels = gaussian_filter1d(rng.normal(size=(frames, 8, 8)), 3, axis=0)
    levels = 120 + 8 * levels / levels.std()
    return np.kron(levels, np.ones((size // 8, size // 8)))[..., None].repeat(3, -1).astype(np.uint8)


def write_rows(path: Path, valid: np.ndarray, values: np.ndarray) -> None:
    """Write the series of a recording, empty where a frame is not used."""
    frames = np.arange(len(valid))
    head = {
        "frame": frames,
        "timestamp": frames / 25.0,
        "confidence": valid * 1.0,
        "valid": valid.astype(int),
    }
    measured = np.where(valid[:, None], values, np.nan)
    channels = {
        name: measured[:, place] for place, name in enumerate(("eye_aspect_ratio", "jaw", "mouth_open"))
    }
    pd.DataFrame(head | channels).to_parquet(path, index=False)


def write_record(folder: Path, *, settings=SETTINGS, provenance=PROVENANCE) -> str:
    """Write `preprocessing.json`; return its fingerprint."""
    text = json.dumps([settings, provenance], sort_keys=True)
    content = {"fingerprint": hashlib.sha256(text.encode()).hexdigest()}
    content |= {"settings": settings, "provenance": provenance}
    (folder / "preprocessing.json").write_text(json.dumps(content))
    return content["fingerprint"]
