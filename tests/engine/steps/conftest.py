"""A material small enough for every step."""

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from datamodules.splits import Split

PERSONS = 240
NAMES = [f"{channel}_{name}" for channel in ("au04", "gaze_x", "p_3") for name in ("mean", "std")]


@pytest.fixture(scope="session")
def material():
    """Three folds; `au04` carries the label, one label is unknown, one feature is missing here and there."""
    rng = np.random.default_rng(0)
    y = (rng.random(PERSONS) < 0.4).astype(float)
    x = pd.DataFrame(rng.standard_normal((PERSONS, 6)), columns=NAMES)
    x["au04_std"] += 2 * y
    x.loc[::9, "gaze_x_mean"] = np.nan
    ids = pd.DataFrame(
        {
            "recording_id": [f"r{i}" for i in range(PERSONS)],
            "subject_id": [f"s{i}" for i in range(PERSONS)],
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
