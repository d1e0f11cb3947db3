"""Files of feature sets: what is written is read, and each fault is refused by file, value and remedy."""

import numpy as np
import pytest

from datamodules.series import UnreadableSeries, read_feature_set

ROWS, WIDTH = 20, 6


def archive(path, **changed):
    """A set of 5 rows a second from 400 ms on, whose fourth row is not valid."""
    rng = np.random.default_rng(0)
    arrays = {
        "features": rng.normal(size=(ROWS, WIDTH)).astype(np.float32),
        "timestamps_ms": 400 + 200 * np.arange(ROWS),
        "valid_mask": np.arange(ROWS) != 3,
    } | changed
    arrays = {name: array for name, array in arrays.items() if array is not None}
    np.savez(path, **arrays)
    return arrays


def test_an_archive_is_read_with_its_times_and_its_mask(tmp_path):
    wanted = archive(tmp_path / "a.npz")
    wanted["features"][3] = np.nan
    np.savez(tmp_path / "a.npz", **wanted)
    found = read_feature_set(tmp_path / "a.npz")
    assert found.fps == pytest.approx(5)
    np.testing.assert_allclose(found.seconds, 0.4 + 0.2 * np.arange(ROWS))
    np.testing.assert_array_equal(found.valid, wanted["valid_mask"])
    np.testing.assert_array_equal(found.values[found.valid], wanted["features"][wanted["valid_mask"]])
    assert (found.values[3] == 0).all()
    assert found.values.dtype == np.float32
    assert found.channels == ("0", "1", "2", "3", "4", "5")


@pytest.mark.parametrize("kind", [np.float16, np.float32, np.float64, np.int32])
def test_an_array_has_the_rate_of_its_manifest_and_no_value_in_rows_of_zeros(tmp_path, kind):
    values = (np.random.default_rng(0).normal(size=(ROWS, WIDTH)) * 100).astype(kind)
    values[7] = 0
    np.save(tmp_path / "a.npy", values)
    found = read_feature_set(tmp_path / "a.npy", fps=4.0)
    np.testing.assert_allclose(found.seconds, np.arange(ROWS) / 4)
    assert np.flatnonzero(~found.valid).tolist() == [7]
    np.testing.assert_array_equal(found.values, values.astype(np.float32))
    assert read_feature_set(tmp_path / "a.npy").seconds is None


def test_a_large_array_is_mapped_and_not_copied(tmp_path):
    np.save(tmp_path / "a.npy", np.random.default_rng(0).normal(size=(ROWS, WIDTH)).astype(np.float32))
    assert isinstance(read_feature_set(tmp_path / "a.npy", fps=1.0).values, np.memmap)


def test_a_pooled_vector_is_one_row(tmp_path):
    np.save(tmp_path / "a.npy", np.arange(WIDTH, dtype=np.float32)[None])
    found = read_feature_set(tmp_path / "a.npy", fps=25.0)
    assert found.values.shape == (1, WIDTH)
    assert found.fps is found.seconds is None


def test_a_file_that_was_replaced_is_read_anew(tmp_path):
    archive(tmp_path / "a.npz")
    before = read_feature_set(tmp_path / "a.npz")
    assert read_feature_set(tmp_path / "a.npz") is before
    archive(tmp_path / "a.npz", features=np.random.default_rng(1).normal(size=(ROWS, WIDTH + 1)))
    assert read_feature_set(tmp_path / "a.npz").values.shape == (ROWS, WIDTH + 1)


NOISE = np.random.default_rng(0).normal(size=(ROWS, WIDTH))
FAULTS = {
    "missing": ({"valid_mask": None}, r"has no array 'valid_mask' \(found: features, timestamps_ms\)"),
    "unknown": (
        {"extra": np.zeros(3), "more": np.zeros(3)},
        r"nothing reads 'extra', 'more'; to use it.*features_<set>.*to drop it.*'features'",
    ),
    "objects": ({"features": np.array([[None, 1.0]] * ROWS, dtype=object)}, "objects are not read"),
    "text": ({"features": np.array([["a"]] * ROWS)}, "the features are <U1; store numbers"),
    "three": ({"features": NOISE[:, :, None]}, r"have 3 dimension\(s\), \(20, 6, 1\)"),
    "one": ({"features": NOISE[:, 0]}, r"a pooled vector as one row \(1, F\)"),
    "none": ({"features": NOISE[:, :0]}, r"holds no value, its features are \(20, 0\)"),
    "short": (
        {"features": NOISE[:-1]},
        "different lengths .'features' 19, 'timestamps_ms' 20, 'valid_mask' 20",
    ),
    "marks": ({"valid_mask": np.full(ROWS, 2)}, "'valid_mask' is int64"),
    "lost": ({"timestamps_ms": np.r_[np.arange(19.0), np.nan]}, "'timestamps_ms' is nan in row 19"),
    "back": ({"timestamps_ms": np.r_[np.arange(19), 5]}, r"is 5 in row 19 after 18 \(1 such rows\)"),
    "same": ({"timestamps_ms": np.r_[np.arange(19), 18]}, "must rise from row to row"),
    "seconds": ({"timestamps_ms": np.arange(ROWS) / 5}, "looks like seconds: multiply it by 1000"),
    "micro": ({"timestamps_ms": np.arange(ROWS) * 200_000}, "looks like microseconds: divide it by 1000"),
    "infinite": (
        {"features": np.where(np.arange(ROWS)[:, None] == 5, np.inf, NOISE)},
        r"column 0 is inf in row 5, which is valid \(6 such values\)",
    ),
    "huge": ({"features": np.full((ROWS, WIDTH), 1e300)}, r"column 0 is 1e\+300 in row 0"),
    "invalid": ({"valid_mask": np.zeros(ROWS, bool)}, "none of its 20 rows is valid.*missing=mask"),
    "zeros": ({"features": np.zeros((ROWS, WIDTH))}, "its 19 valid rows are all alike.*did not run"),
    "still": ({"features": np.tile(NOISE[:1], (ROWS, 1))}, "its 19 valid rows are all alike"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_of_an_archive_is_refused_by_file_and_remedy(tmp_path, fault):
    changed, said = FAULTS[fault]
    archive(tmp_path / "a.npz", **changed)
    with pytest.raises(UnreadableSeries, match=f"(?s)^{tmp_path / 'a.npz'}: .*{said}"):
        read_feature_set(tmp_path / "a.npz")


def test_a_fault_of_the_bytes_is_refused(tmp_path):
    for name in ("a.npz", "a.npy"):
        (tmp_path / name).touch()
        with pytest.raises(UnreadableSeries, match=rf"{name}: the file is empty, 0 bytes"):
            read_feature_set(tmp_path / name)
        (tmp_path / name).write_bytes(b"no array at all" * 50)
        with pytest.raises(UnreadableSeries, match=name):
            read_feature_set(tmp_path / name)
    np.save(tmp_path / "objects.npy", np.array([{"a": 1}]), allow_pickle=True)
    with pytest.raises(UnreadableSeries, match="objects are not read"):
        read_feature_set(tmp_path / "objects.npy")
    archive(tmp_path / "cut.npz")
    (tmp_path / "cut.npz").write_bytes((tmp_path / "cut.npz").read_bytes()[:200])
    with pytest.raises(UnreadableSeries, match=r"cut\.npz"):
        read_feature_set(tmp_path / "cut.npz")
    (tmp_path / "a.csv").write_text("a,b\n1,2\n")
    with pytest.raises(UnreadableSeries, match=r"ends in \.npz or \.npy, not '\.csv'"):
        read_feature_set(tmp_path / "a.csv")
    with pytest.raises(UnreadableSeries, match=r"no feature set.*correct its path"):
        read_feature_set(tmp_path / "gone.npz")


def test_a_pooled_vector_of_one_number_throughout_is_refused_and_one_number_is_not(tmp_path):
    np.save(tmp_path / "a.npy", np.ones((1, 4)))
    with pytest.raises(UnreadableSeries, match=r"all of its values are alike .column 0 is 1."):
        read_feature_set(tmp_path / "a.npy")
    np.save(tmp_path / "b.npy", np.ones((1, 1)))
    assert read_feature_set(tmp_path / "b.npy").values.item() == 1
    np.save(tmp_path / "c.npy", np.zeros((5, 3)))
    with pytest.raises(UnreadableSeries, match="none of its 5 rows is valid"):
        read_feature_set(tmp_path / "c.npy", fps=1.0)
    with pytest.raises(UnreadableSeries, match="'fps' is -1"):
        read_feature_set(tmp_path / "a.npy", fps=-1.0)


def test_an_array_without_columns_or_rows_holds_no_value(tmp_path):
    for shape in ((ROWS, 0), (0, WIDTH)):
        np.save(tmp_path / "a.npy", np.zeros(shape, np.float32))
        with pytest.raises(UnreadableSeries, match=r"a\.npy: holds no value, .*copy or extract it again"):
            read_feature_set(tmp_path / "a.npy", fps=5.0)


def test_a_sparse_set_has_the_rate_of_its_step(tmp_path):
    archive(tmp_path / "a.npz", timestamps_ms=np.arange(ROWS) * 10_000)
    assert read_feature_set(tmp_path / "a.npz").fps == pytest.approx(0.1)
