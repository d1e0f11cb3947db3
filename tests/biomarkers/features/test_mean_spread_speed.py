import numpy as np
import pytest

from biomarkers.features.mean_spread_speed import MeanSpreadSpeed
from datamodules.series import Series


def test_statistics_are_those_of_valid_rows_and_steps_between_neighbors():
    values = np.array([[1.0, 5.0], [2.0, 5.0], [0.0, 0.0], [9.0, 5.0], [6.0, 5.0]], dtype=np.float32)
    valid = np.array([True, True, False, True, True])
    series = Series(values=values, channels=("a", "b"), valid=valid, fps=10.0)
    found = MeanSpreadSpeed(channels=("a", "b", "c")).measure(series, recording="r")
    assert found.values["a_mean"] == 4.5
    assert found.values["a_spread"] == pytest.approx(np.std([1, 2, 9, 6]))
    assert found.values["a_speed"] == 2.0  # of 1 to 2 and 9 to 6, not of 2 to 9
    assert (found.values["b_spread"], found.values["b_speed"]) == (0.0, 0.0)
    assert set(found.gaps) == {"c_mean", "c_spread", "c_speed"}
    lost = Series(values=values, channels=("a", "b"), valid=np.zeros(5, dtype=bool), fps=10.0)
    assert len(MeanSpreadSpeed(channels=("a",)).measure(lost, recording="r").gaps) == 3
