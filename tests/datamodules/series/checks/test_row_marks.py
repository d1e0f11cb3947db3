"""Values that nothing measured are refused or named, and what is right beside them is read."""

import logging

import numpy as np
import pandas as pd
import pytest

from datamodules.series import UnreadableSeries, read_series

ROWS = 120
rng = np.random.default_rng(0)


def walk(columns):
    return rng.normal(size=(ROWS, columns)).cumsum(axis=0)


def table(tmp_path, **columns):
    found = pd.DataFrame(walk(2), columns=["a", "b"]).assign(timestamp=np.arange(ROWS) / 30, **columns)
    found.to_csv(tmp_path / "s.csv", index=False)
    return read_series(tmp_path / "s.csv", channels=None)


def archive(tmp_path, values, channels, **more):
    np.savez(tmp_path / "s.npz", values=values, channels=np.array(channels), fps=30.0, **more)
    return read_series(tmp_path / "s.npz", channels=None)


def some(value, other, count=20):
    return np.where(np.arange(ROWS) < count, value, other)


@pytest.mark.parametrize(
    ("columns", "said"),
    [
        ({"confidence": 50.0}, "'confidence' is 50 in 120 of 120 rows.*divide percent by 100"),
        ({"confidence": some(-0.5, 0.9)}, "'confidence' is -0.5 in 20 of 120.*or write -1 or 0 there"),
        ({"success": 100}, "'success' is 100.*write 0 or 1"),
        ({"valid": 0.3}, "'valid' is 0.3.*write 0 or 1"),
        ({"is_valid": some(2, 1)}, "'is_valid' tells by its name which rows .* holds 2; write 1 or 0"),
        ({"Face Detected": "maybe"}, "'Face Detected' holds no number .*maybe"),
        ({"face_confidence": 90.0}, "'face_confidence' tells by its name .* holds 90; .*a share from 0 to 1"),
        ({"is_confidence": some(-2, 0.9)}, "'is_confidence' .* holds 0.9|-2"),
        ({"a": some(-999, 1.5)}, "'a' is -999 in 20 rows.*code for missing values"),
        ({"a": some(1e30, 1.5, 1)}, "'a' reaches 1e\\+30"),
    ],
)
def test_a_table_is_refused_with_file_value_and_remedy(columns, said, tmp_path):
    with pytest.raises(UnreadableSeries, match=f"s.csv: .*{said}"):
        table(tmp_path, **columns)


def test_what_is_right_is_read(tmp_path):
    assert table(tmp_path, confidence=some(0.5, 0.95)).valid.sum() == ROWS - 20
    assert table(tmp_path, success=some("lost", "1")).valid.sum() == ROWS - 20
    assert "face_width" in table(tmp_path, face_width=walk(1)[:, 0]).channels
    assert table(tmp_path, a=-999 + walk(1)[:, 0]).valid.all()  # such is the channel
    assert not table(tmp_path, au01=rng.normal(size=ROWS)).notes


def test_an_archive_is_held_to_the_same(tmp_path):
    (note,) = archive(tmp_path, np.full((ROWS, 1), 50.0), ["au01"]).notes
    assert "'au01' has the mean 50, far outside 0 to 5" in note
    with pytest.raises(UnreadableSeries, match=r"'Success' of 'values' marks 20 rows as lost.*array 'valid'"):
        archive(tmp_path, np.column_stack([walk(1), some(0, 1)]), ["a", "Success"])
    with pytest.raises(UnreadableSeries, match="channel 'a' appears twice"):
        archive(tmp_path, walk(2), ["a", "a "])
    lost = np.arange(ROWS) >= 20
    read = archive(tmp_path, np.column_stack([walk(1), some(0, 1)]), ["a", "success"], valid=lost)
    assert (read.channels, read.valid.sum()) == (("a",), ROWS - 20)


def test_a_row_number_in_an_archive_is_no_channel(tmp_path):
    counted = archive(tmp_path, np.column_stack([walk(1), np.arange(ROWS)]), ["a", "k"])
    assert counted.channels == ("a",)
    assert any("'k' counts rows" in note for note in counted.notes)
    assert archive(tmp_path, walk(2), [b"a", b"b"]).channels == ("a", "b")


def test_an_array_that_nothing_reads_is_named(tmp_path, caplog):
    with caplog.at_level(logging.WARNING):
        archive(tmp_path, walk(1), ["a"], success=some(0, 1), timestamp=np.arange(ROWS) / 10)
    assert "s.npz: nothing reads 'success', 'timestamp'" in caplog.text
