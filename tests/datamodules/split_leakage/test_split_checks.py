from dataclasses import replace

import pandas as pd
import pytest

from datamodules.feature_leakage.channels import LeakageError, check_channels
from datamodules.manifests.manifest import Manifest
from datamodules.split_leakage import split_checks as guard
from datamodules.split_leakage.split_checks import check_selection, check_split
from datamodules.splits.partition import Split


@pytest.fixture
def manifest():
    table = pd.DataFrame(
        {
            "recording_id": ["a1", "a2", "b1", "c1"],
            "subject_id": ["anna", "anna", "bert", "carla"],
            "session_id": ["1", "2", "1", "1"],
            "content_hash": ["h1", "h2", "h3", "h4"],
        }
    )
    return Manifest(table=table, root=None, name="cohort", truth=None)


def change(manifest, **columns):
    return Manifest(table=manifest.table.assign(**columns), root=None, name="cohort", truth=None)


def test_a_clean_split_passes(manifest):
    check_split(manifest, Split("s", ("a1", "a2"), ("b1",), ("c1",)), subject_disjoint=True)


def test_a_person_in_two_parts_is_named(manifest):
    split = Split("s", ("a1",), ("b1",), ("a2", "c1"))
    with pytest.raises(LeakageError, match=r"subject in two parts: anna \(test, train\)"):
        check_split(manifest, split, subject_disjoint=True)
    check_split(manifest, split, subject_disjoint=False)


def test_training_on_the_future_of_a_tested_person_stops_where_the_protocol_promised_not_to(manifest, caplog):
    earlier = Split("s", ("a1",), ("b1",), ("a2", "c1"))
    later = Split("s", ("a2",), ("b1",), ("a1", "c1"))
    check_split(manifest, earlier, subject_disjoint=False, chronological=True)
    with pytest.raises(LeakageError, match=r"future of a person: anna \(trains on 2, judged by 1\)"):
        check_split(manifest, later, subject_disjoint=False, chronological=True)
    check_split(manifest, later, subject_disjoint=False)
    assert "anna (trains on 2, judged by 1)" in caplog.text


def test_visits_are_ordered_by_their_numbers(manifest):
    ten = change(manifest, session_id=["visit9", "visit10", "1", "1"])
    check_split(ten, Split("s", ("a1",), ("b1",), ("a2", "c1")), subject_disjoint=False, chronological=True)


def test_a_visit_in_two_parts_leaks_under_any_protocol(manifest):
    split = Split("s", ("a1",), ("b1",), ("a2", "c1"))
    with pytest.raises(LeakageError, match=r"visit in two parts: anna/1 \(test, train\)"):
        check_split(change(manifest, session_id="1"), split, subject_disjoint=False)


@pytest.mark.parametrize(
    "hashes", [["h1", "h2", "h1", "h4"], ["h1", "h1", "h3", "h4"]], ids=["across", "within"]
)
def test_the_same_bytes_under_two_ids_are_named(manifest, hashes):
    split = Split("s", ("a1", "a2"), ("b1",), ("c1",))
    with pytest.raises(LeakageError, match=r"same file content under two ids: a1 \(train\) = "):
        check_split(change(manifest, content_hash=hashes), split, subject_disjoint=True)


def test_recordings_without_hash_are_not_called_equal_but_counted(manifest, caplog):
    split = Split("s", ("a1", "a2"), ("b1",), ("c1",))
    check_split(change(manifest, content_hash=""), split, subject_disjoint=True)
    assert "4 recording(s) without a content hash" in caplog.text


def test_a_recording_twice_and_a_stranger_are_named(manifest):
    with pytest.raises(LeakageError, match=r"a1 \(train, test\)"):
        check_split(manifest, Split("s", ("a1",), ("b1",), ("a1",)), subject_disjoint=True)
    with pytest.raises(LeakageError, match="not in the manifest: zz"):
        check_split(manifest, Split("s", ("zz",), ("b1",), ()), subject_disjoint=True)


@pytest.fixture
def audits(monkeypatch):
    """How often the rows of a split were gone through."""
    made, real = [], guard.person_keys
    monkeypatch.setattr(guard, "person_keys", lambda table: made.append(1) or real(table))
    monkeypatch.setattr(guard, "_passed", {})
    return made


def test_a_split_that_passed_is_not_gone_through_again_whoever_asks(manifest, audits):
    split = Split("s", ("a1", "a2"), ("b1",), ("c1",))
    for again in (manifest, change(manifest), change(manifest, score=1.0)):
        check_split(again, replace(split), subject_disjoint=True)
    assert len(audits) == 1
    check_split(manifest, replace(split, train=(), val=(), test=split.val), subject_disjoint=True)
    assert len(audits) == 2


@pytest.mark.parametrize(
    ("column", "row", "value", "why"),
    [
        ("subject_id", 2, "anna", "a subject in two parts"),
        ("content_hash", 3, "h1", "the same file content"),
        ("recording_id", 1, "a3", "not in the manifest: a2"),
    ],
)
def test_a_table_that_changed_after_its_split_passed_is_checked_anew(manifest, column, row, value, why):
    split = Split("s", ("a1", "a2"), ("b1",), ("c1",))
    check_split(manifest, split, subject_disjoint=True)
    manifest.table.loc[row, column] = value  # in place: the object is the same
    for _ in range(2):  # what leaks is never remembered as passed
        with pytest.raises(LeakageError, match=why):
            check_split(manifest, split, subject_disjoint=True)


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"test": ("c1", "a2"), "train": ("a1",)}, "a subject in two parts"),
        ({"left_out": ("a1",)}, "a filter left out are back: a1"),
        ({"val": ("b1", "a1")}, "the same recording twice"),
    ],
)
def test_a_split_that_changed_after_it_passed_is_checked_anew(manifest, change, why):
    split = Split("s", ("a1", "a2"), ("b1",), ("c1",))
    check_split(manifest, split, subject_disjoint=True)
    with pytest.raises(LeakageError, match=why):
        check_split(manifest, replace(split, **change), subject_disjoint=True)


def test_a_stricter_promise_is_checked_anew(manifest):
    split = Split("s", ("a2",), ("b1",), ("a1", "c1"), subject_disjoint=False)
    check_split(manifest, split, subject_disjoint=False)
    with pytest.raises(LeakageError, match="future of a person"):
        check_split(manifest, split, subject_disjoint=False, chronological=True)
    with pytest.raises(LeakageError, match="a subject in two parts"):
        check_split(manifest, split, subject_disjoint=True)


def test_an_order_of_visits_that_changed_is_checked_anew(manifest):
    split = Split("s", ("a1",), ("b1",), ("a2", "c1"), subject_disjoint=False)
    ordered = change(manifest, visit_order=[1.0, 2.0, 1.0, 1.0])
    check_split(ordered, split, subject_disjoint=False, chronological=True)
    ordered.table.loc[0, "visit_order"] = 3.0
    with pytest.raises(LeakageError, match="future of a person"):
        check_split(ordered, split, subject_disjoint=False, chronological=True)


def test_what_there_is_to_report_is_reported_each_time_by_the_name_that_asked(manifest, caplog, audits):
    split = Split("one", ("a1",), ("b1",), ("c1",))
    unknown = change(manifest, subject_id=["unknown", "anna", "bert", "unknown"], content_hash="")
    for name in ("one", "one", "two"):
        check_split(unknown, replace(split, name=name), subject_disjoint=True)
    assert len(audits) == 1
    found = [message for message in caplog.messages if "unauditable: 2 recording(s)" in message]
    assert [message.split("'")[1] for message in found] == ["one", "one", "two"]
    assert caplog.text.count("3 recording(s) without a content hash") == 3


@pytest.mark.parametrize(
    "name",
    ["item_bdi_01", "score", "Score", "bdi2_total", "phq9", "DASS21_D", "hamd", "binary", "label", "total",
     "subject_id", "face_id", "severity", "bdi_total"],
)  # fmt: skip
def test_labels_and_ids_are_no_channels(name):
    with pytest.raises(LeakageError, match=f"carry the label or the person: {name}"):
        check_channels(["au04", name])


def test_measured_channels_pass():
    check_channels(["au01", "AU45_r", "gaze_x", "pose_yaw", "pupil", "x_12", "confidence"])


def test_selection_is_on_validation_only():
    check_selection("val/auc")
    for monitor in ("test/auc", "train/loss", "auc"):
        with pytest.raises(LeakageError, match=monitor):
            check_selection(monitor)
