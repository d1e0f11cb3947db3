"""Persons, not recordings, are compared."""

import numpy as np
import pandas as pd
import pytest

from biomarkers.groups.subject_means import first_sessions, one_group_each, person_means


def tables():
    features = pd.DataFrame(
        {
            "recording_id": ["a1", "a2", "b1", "c1", "c2", "d1", "u1", "u2"],
            "subject_id": ["a", "a", "b", "c", "c", "d", "unknown", "unknown"],
            "session_id": ["1", "2", "1", "1", "2", "1", "1", "1"],
            "au01_mean": [1.0, 3.0, 5.0, 7.0, 8.0, 9.0, 10.0, 20.0],
            "au12_mean": [1.0, np.nan, np.nan, 1.0, 1.0, 1.0, 1.0, 1.0],
        }
    )
    labels = features[["recording_id"]].assign(binary=[1, np.nan, 0, 0, 1, np.nan, 0, 1])
    return features, labels


def test_recordings_are_averaged_and_persons_without_one_group_are_left_out_by_name():
    persons = person_means(*tables())
    assert persons.values["au01_mean"].to_dict() == {
        "a": 2.0,
        "b": 5.0,
        "unknown:u1": 10.0,
        "unknown:u2": 20.0,
    }
    assert persons.values.loc["a", "au12_mean"] == 1.0
    assert np.isnan(persons.values.loc["b", "au12_mean"])
    assert persons.depressed.tolist() == [True, False, False, True]
    assert set(persons.left_out) == {"c", "d"}
    assert "changes" in persons.left_out["c"]
    assert "no recording has a label" in persons.left_out["d"]


def test_first_sessions_give_every_person_one_label():
    features, labels = tables()
    features["session_id"] = ["v10", "v2", "1", "1", "2", "1", "1", "2"]
    first = first_sessions(features)
    assert first["recording_id"].tolist() == ["a2", "b1", "c1", "d1", "u1", "u2"]
    assert "c" not in person_means(first, labels).left_out


def test_order_of_the_rows_changes_nothing():
    features, labels = tables()
    one, other = (
        person_means(features, labels),
        person_means(features[::-1], labels.sample(frac=1, random_state=0)),
    )
    pd.testing.assert_frame_equal(one.values, other.values)
    assert one.depressed.tolist() == other.depressed.tolist()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda f, la: (f, la.iloc[1:]), "no label row for 1 recordings, such as \\['a1'\\]"),
        (lambda f, la: (pd.concat([f, f.iloc[:1]]), la), "'a1'.* twice"),
        (lambda f, la: (f, la.assign(binary=2)), "binary is 0, 1 or missing, not \\[2\\]"),
        (lambda f, la: (f.assign(au01_mean=np.inf), la), "au01_mean is infinite in \\['a1'"),
        (lambda f, la: (f.assign(task="read"), la), "task is .*a feature is a number"),
        (lambda f, la: (f.drop(columns="subject_id"), la), "missing \\['subject_id'\\]"),
        (lambda f, la: (f.assign(binary=1.0), la), "'binary'.* columns of features and of labels"),
    ],
)
def test_bad_tables_are_refused(change, message):
    with pytest.raises(ValueError, match=message):
        person_means(*change(*tables()))


def test_everybody_is_at_the_first_visit_where_one_label_changes():
    features, labels = (
        pd.DataFrame(
            {
                "recording_id": ["a1", "a2", "b1", "b2"],
                "subject_id": list("aabb"),
                "session_id": ["v1", "v2"] * 2,
            }
        ),
        pd.DataFrame({"recording_id": ["a1", "a2", "b1", "b2"], "binary": [1, 1, 0, 1]}),
    )
    features["x"] = [1.0, 3.0, 5.0, 7.0]
    changed = one_group_each(features, labels)
    assert (changed.basis, changed.left_out) == ("the first visit", {})
    assert changed.values["x"].tolist() == [1.0, 5.0]
    assert changed.depressed.tolist() == [True, False]
    kept = one_group_each(features, labels.assign(binary=[1, 1, 0, 0]))
    assert (kept.basis, kept.values["x"].tolist()) == ("all recordings", [2.0, 6.0])
