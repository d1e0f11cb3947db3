"""Results of a run: what stands beside the model where recordings hold no measurement."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from datamodules.splits.protocols import Holdout
from datamodules.synthetic.cohort import synthetic_manifest
from engine.inference.recordings import PredictedParts, rows_of, targets, unmeasured_table
from engine.inference.results import assess


@pytest.fixture(scope="module")
def manifest(tmp_path_factory):
    return synthetic_manifest(
        root=tmp_path_factory.mktemp("cohort"), n_subjects=16, n_visits=3, fps=12.0, duration_s=2.0,
        size=None, confound=1.0, habit_visibility=0.1, seed=0, landmarks=False, workers=1,
    )  # fmt: skip


def test_a_validation_recording_without_a_measurement_takes_no_line_away(manifest, tmp_path):
    split = Holdout().splits(manifest)[0]
    lost, rng = split.val[0], np.random.default_rng(0)
    table = manifest.table.copy()
    path = Path(manifest.root) / table.set_index("recording_id").loc[lost, "series_path"]
    with np.load(path) as held:
        np.savez(tmp_path / "nobody.npz", **{**held, "valid": np.zeros(len(held["values"]), bool)})
    table.loc[table["recording_id"] == lost, "series_path"] = str(tmp_path / "nobody.npz")
    damaged, parts = replace(manifest, table=table), {}
    for name in ("val", "test"):
        rows = rows_of(targets(damaged), set(getattr(split, name)) - {lost})
        told = rows[["recording_id", "subject_id", "session_id"]].assign(split=name)
        for head in ("score", "binary"):
            told[f"{head}_target"] = told[f"{head}_prediction"] = rows[head].astype(float)
        told["score_prediction"] += rng.normal(0, 3, len(told))
        told["binary_prediction"] = rng.uniform(size=len(told))
        parts[name] = told
    source = {"_target_": "datamodules.clips.dataset.SeriesClips"}
    config = {
        "data": {"module": {"source": source}, "scale": {"low": 0, "high": 63}},
        "evaluation": {"lines": ["statistics"]},
    }
    nothing = unmeasured_table({}, targets(damaged), heads=("score", "binary"))
    found = assess(config, damaged, split, PredictedParts({}, parts, nothing)).metrics["reference"]
    assert "statistics" in found
    assert "statistics" not in found["reasons"]
