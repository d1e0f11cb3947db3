from pathlib import Path

import av
import numpy as np
import pandas as pd
import pytest

CHANNELS = ("au04", "au12", "gaze_x")


def _write_series(path: Path, values: np.ndarray, *, channels=CHANNELS, valid=None, fps=25.0) -> Path:
    valid = np.ones(len(values), dtype=bool) if valid is None else valid
    np.savez(path, values=values.astype(np.float32), channels=np.asarray(channels), valid=valid, fps=fps)
    return path


@pytest.fixture
def write_series():
    return _write_series


@pytest.fixture
def cohort(tmp_path):
    """Write a cohort of series; returns a function (persons, visits, frames) -> path of the manifest."""

    def build(persons: int = 8, visits: int = 3, frames: int = 60, **columns) -> Path:
        rng = np.random.default_rng(0)
        rows = []
        for person in range(persons):
            for visit in range(visits):
                name = f"p{person:02d}_v{visit}"
                _write_series(tmp_path / f"{name}.npz", rng.normal(size=(frames, len(CHANNELS))))
                rows.append(
                    {
                        "recording_id": name,
                        "subject_id": f"p{person:02d}",
                        "session_id": str(visit),
                        "path": "",
                        "series_path": f"{name}.npz",
                        "scale": "BDI-II",
                        "score": 5 + 20 * (person % 2) + visit,
                    }
                )
        table = pd.DataFrame(rows).assign(**columns)
        table.to_csv(tmp_path / "cohort.csv", index=False)
        return tmp_path / "cohort.csv"

    return build


@pytest.fixture
def write_video():
    """Write a small H.264 file whose frame n is gray of level 12 n."""

    def write(path: Path, n_frames: int = 20) -> Path:
        with av.open(str(path), "w") as container:
            stream = container.add_stream("libx264", rate=25, options={"crf": "10", "g": "8"})
            stream.width = stream.height = 32
            stream.pix_fmt = "yuv420p"
            for number in range(n_frames):
                picture = np.full((32, 32, 3), 12 * number % 256, dtype=np.uint8)
                container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
            container.mux(stream.encode(None))
        return path

    return write


@pytest.fixture
def videos(tmp_path, write_video):
    """Write a cohort of videos; returns a function like that of `cohort`."""

    def build(persons: int = 6, visits: int = 2, frames: int = 20, **columns) -> Path:
        rows = []
        for person in range(persons):
            for visit in range(visits):
                name = f"p{person:02d}_v{visit}"
                write_video(tmp_path / f"{name}.mp4", frames + person * visits + visit)
                rows.append({"recording_id": name, "subject_id": f"p{person:02d}", "session_id": str(visit)})
                rows[-1] |= {"path": f"{name}.mp4", "scale": "PHQ-8", "score": 2 + 10 * (person % 2) + visit}
        pd.DataFrame(rows).assign(**columns).to_csv(tmp_path / "videos.csv", index=False)
        return tmp_path / "videos.csv"

    return build
