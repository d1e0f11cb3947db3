import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import f1_score, precision_score, recall_score

from studies.face_room.measure import overlaps
from studies.face_room.score import masks, near_changes, recall, wrong_person


def room(**changes):
    n = 8
    table = {
        "true_usable": [True] * n,
        "usable": [True] * n,
        "found": [True] * n,
        "width": [0.2] * n,
        "overlap": [0.9] * n,
        "overlap_other": [0.0] * n,
        "true_dark": [False] * n,
        "said_dark": [False] * n,
    }
    return pd.DataFrame(table | changes)


def test_overlap_of_boxes():
    a = np.array([[0, 0, 2, 2], [0, 0, 2, 2], [0, 0, 1, 1], [np.nan] * 4])
    b = np.array([[1, 0, 3, 2], [0, 0, 2, 2], [5, 5, 6, 6], [0, 0, 1, 1]])
    np.testing.assert_allclose(overlaps(a, b), [1 / 3, 1, 0, 0])


def test_recall_asks_usable_frames_of_wide_faces_only():
    usable = [True] * 6 + [False] * 2
    width = [0.2] * 5 + [0.1] * 3
    overlap = [0.9, 0.9, 0.9, 0.4, 0.0, 0.0, 0.0, 0.0]
    found = recall([room(true_usable=usable, width=width, overlap=overlap)])
    assert (found.value, found.frames) == (3 / 5, 5)


def test_wrong_person_is_the_box_of_the_other_one():
    overlap, other = [0.9] * 5 + [0.1, 0.0, 0.6], [0.0] * 5 + [0.9, 0.9, 0.7]
    table = room(overlap=overlap, overlap_other=other, usable=[True] * 5 + [True, False, True])
    assert wrong_person([table], used=False).value == 2 / 8
    assert wrong_person([table], used=True).value == 1 / 8


def test_masks_agree_with_scikit_learn():
    rng = np.random.default_rng(0)
    tables = [room(true_usable=rng.random(8) < 0.5, usable=rng.random(8) < 0.5) for _ in range(5)]
    true, said = (~np.concatenate([t[name] for t in tables]) for name in ("true_usable", "usable"))
    found = masks(tables, None, edges=True)
    assert found["precision"].value == pytest.approx(precision_score(true, said))
    assert found["recall"].value == pytest.approx(recall_score(true, said))
    assert found["F1"].value == pytest.approx(f1_score(true, said))
    assert found["F1"].low < found["F1"].value < found["F1"].high


def test_a_reason_is_met_by_any_mask_and_named_in_vain_if_nothing_speaks_against_the_frame():
    table = room(
        true_usable=[False] * 4 + [True] * 4,
        usable=[False, False, False, True, False, True, True, True],
        true_dark=[True, True, False, True] + [False] * 4,
        said_dark=[True, False, True, False, True, False, False, False],
    )
    found = masks([table], "dark", edges=True)
    assert found["recall"].value == 2 / 3  # two of three dark frames are masked, one for another reason
    assert found["precision"].value == 2 / 3  # of three frames called dark one is to be used


def test_edges():
    rows = np.array([False, False, False, True, True, True, True, True])
    assert near_changes(rows).tolist() == [False, True, True, True, True, False, False, False]
