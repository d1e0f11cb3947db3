from pathlib import Path

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
    """Write a cohort of series; returns a function (people, visits, frames) -> path of the manifest."""

    def build(people: int = 8, visits: int = 3, frames: int = 60, **columns) -> Path:
        rng = np.random.default_rng(0)
        rows = []
        for person in range(people):
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
