import numpy as np
import pandas as pd
import pytest

from datamodules.manifests.known_visits import first_predicted, known_visits

NAN = float("nan")
TABLE = pd.DataFrame(
    {  # two persons; the second visit of the first has two recordings, of which one is scored
        "recording_id": ["a2", "a1", "a1b", "a0", "b0", "b1", "x", "y"],
        "subject_id": ["a", "a", "a", "a", "b", "b", "unknown", "unknown"],
        "session_id": ["v2", "v1", "v1", "v0", "v0", "v1", "v0", "v1"],
        "score": [12.0, 11.0, NAN, 10.0, NAN, 21.0, 5.0, 6.0],
    }
)


def test_the_first_visits_are_known_with_their_score():
    found = known_visits(TABLE, 2)
    np.testing.assert_array_equal(found.place, [2, 1, 1, 0, 0, 1, 0, 0])
    np.testing.assert_array_equal(found.known, [False, True, True, True, True, True, True, True])
    np.testing.assert_array_equal(found.score, [NAN, 11, 11, 10, NAN, 21, 5, 6])
    assert found.earlier_scores(0) == [10.0, 11.0]  # a visit counts once, in the order of time
    assert found.earlier_scores(1) == found.earlier_scores(2) == [10.0]
    assert found.earlier_scores(3) == []
    np.testing.assert_equal(found.earlier_scores(5), [NAN])
    assert found.earlier_scores(7) == []  # nobody knows whether x and y are one person


def test_of_others_no_visit_is_known():
    found = known_visits(TABLE, "all", of=["b1"])
    np.testing.assert_array_equal(found.known, [False] * 4 + [True, True, False, False])
    assert np.isnan(found.score[:4]).all()


def test_a_visit_whose_place_is_unknown_is_not_known():
    table = TABLE.assign(session_id=["post", "mid", "mid", "pre", "v0", "v1", "v0", "v1"])
    assert known_visits(table, "all").known.tolist() == [False] * 4 + [True] * 4


@pytest.mark.parametrize(("known", "place"), [(1, 1), (3, 3), ("all", 1)])
def test_prediction_begins_after_the_known_visits(known, place):
    assert first_predicted(known) == place
