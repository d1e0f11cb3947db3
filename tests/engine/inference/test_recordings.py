import numpy as np
import pandas as pd

from engine.inference.clip_predictions import ClipPredictions
from engine.inference.recordings import recording_features


def test_features_of_a_recording_are_the_mean_over_its_clips():
    table = pd.DataFrame(
        {
            "recording_id": ["b", "a", "b"],
            "subject_id": ["2", "1", "2"],
            "session_id": ["v", "w", "v"],
        }
    )
    features = {"plain": np.array([[1.0, 2], [9, 9], [3, 6]], dtype=np.float32)}
    ids, found = recording_features(ClipPredictions(table=table, attention=(), features=features))
    assert ids.to_numpy().tolist() == [["a", "1", "w"], ["b", "2", "v"]]
    assert found["plain"].tolist() == [[9, 9], [2, 4]]
