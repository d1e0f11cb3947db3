import numpy as np
import pandas as pd

from datamodules.manifests.manifest import Manifest
from engine.inference.predictions import ClipPredictions
from engine.inspection.audit import by_recording, predicted_apart


def test_features_of_a_recording_are_the_mean_over_its_clips():
    table = pd.DataFrame(
        {
            "recording_id": ["b", "a", "b"],
            "subject_id": ["2", "1", "2"],
            "session_id": ["v", "w", "v"],
        }
    )
    features = {"plain": np.array([[1.0, 2], [9, 9], [3, 6]], dtype=np.float32)}
    ids, found = by_recording(ClipPredictions(table=table, attention=(), features=features))
    assert ids.to_numpy().tolist() == [["a", "1", "w"], ["b", "2", "v"]]
    assert found["plain"].tolist() == [[9, 9], [2, 4]]


def test_a_half_is_predicted_without_the_other(tmp_path):
    ids = pd.DataFrame({"recording_id": list("abcdef"), "subject_id": list("112233"), "session_id": "v"})
    manifest = Manifest(table=ids.iloc[::-1].reset_index(drop=True), root=tmp_path, name="x", truth=None)
    asked = []

    def predict(half, split):
        asked.append((sorted(half.table["recording_id"]), sorted(split.test)))
        table = half.table.assign(clip=0)
        seen = np.full((len(table), 1), len(table), dtype=np.float32)
        return ClipPredictions(table=table, attention=(), features={"plain": seen})

    found = predicted_apart(ids, np.array([0, 1, 0, 1, -1, 1]), manifest, predict)
    assert asked == [(["e"], ["e"]), (["a", "c"], ["a", "c"]), (["b", "d", "f"], ["b", "d", "f"])]
    names, features = by_recording(found)
    assert names["recording_id"].tolist() == list("abcdef")
    assert features["plain"][:, 0].tolist() == [2, 3, 2, 3, 1, 3]
