import numpy as np
import pandas as pd
import pytest

from datamodules.xray.arrays import NoArray, part_of, read_raw

VALUES = np.arange(12, dtype=np.float32).reshape(4, 3) + 1


def test_a_bare_array_has_numbers_for_names_and_rows_of_zeros_are_not_valid(tmp_path):
    np.save(tmp_path / "a.npy", np.vstack([VALUES, np.zeros((1, 3))]))
    found = read_raw(tmp_path / "a.npy")
    assert found.channels == ("0", "1", "2")
    assert found.valid.tolist() == [True] * 4 + [False]
    assert (found.times, found.frames, found.fps) == (None, None, None)


def test_landmarks_of_d_vlog_are_known_by_name_and_width(tmp_path):
    np.save(tmp_path / "7_visual.npy", np.ones((5, 136)))
    assert read_raw(tmp_path / "7_visual.npy").channels[:3] == ("x_0", "y_0", "x_1")
    np.save(tmp_path / "7_other.npy", np.ones((5, 136)))
    assert read_raw(tmp_path / "7_other.npy").channels[:3] == ("0", "1", "2")


def test_marks_times_and_rate_of_an_archive_are_set_aside(tmp_path):
    np.savez(
        tmp_path / "a.npz",
        features=VALUES,
        channels=np.array(["AU01", "AU02", "AU04"]),
        valid_mask=np.array([1, 0, 1, 1]),
        timestamps_ms=np.arange(4) * 40,
        fps=25.0,
    )
    found = read_raw(tmp_path / "a.npz")
    assert found.channels == ("AU01", "AU02", "AU04")
    assert found.valid.tolist() == [True, False, True, True]
    assert found.times.tolist() == [0, 40, 80, 120]
    assert (found.per_second, found.fps) == (1e3, 25.0)


def test_counters_and_marks_of_a_table_are_no_channels(tmp_path):
    table = pd.DataFrame(
        {
            "frame": [1, 2, 3],
            "timestamp": [0.0, 0.1, 0.2],
            "confidence": [0.9, 0.9, 0.1],
            "success": [1, 0, 1],
        }
    )
    table[" AU12_r"] = [0.5, 0.6, 0.7]
    table.to_csv(tmp_path / "a.csv", index=False)
    found = read_raw(tmp_path / "a.csv")
    assert found.channels == ("AU12_r",)
    assert found.valid.tolist() == [True, False, False]
    assert found.frames.tolist() == [1, 2, 3]
    assert found.times.tolist() == [0.0, 0.1, 0.2]


def test_a_column_without_a_number_is_left_out_and_rows_that_lack_one_are_not_valid(tmp_path):
    values = VALUES.copy()
    values[:, 1] = np.nan
    values[2, 0] = np.inf
    np.save(tmp_path / "a.npy", values)
    found = read_raw(tmp_path / "a.npy")
    assert found.channels == ("0", "2")
    assert found.valid.tolist() == [True, True, False, True]
    assert np.isfinite(found.values).all()


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        ("a.npy", b"", "0 bytes"),
        ("a.npy", b"no array at all", "ValueError"),
        ("a.csv", b"name,place\nx,y\n", "no column holds numbers"),
    ],
)
def test_what_is_no_array_says_why(name, content, says, tmp_path):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(NoArray, match=says):
        read_raw(tmp_path / name)


@pytest.mark.parametrize(
    ("values", "says"),
    [
        (np.array(["a", "b"]), "and no numbers"),
        (np.full((3, 2), np.nan), "every value is NaN"),
        (np.zeros((0, 3)), "holds no value"),
    ],
)
def test_arrays_without_a_number_say_so(values, says, tmp_path):
    np.save(tmp_path / "a.npy", values)
    with pytest.raises(NoArray, match=says):
        read_raw(tmp_path / "a.npy")


def test_the_part_of_a_clnf_file_stands_in_its_name(tmp_path):
    assert part_of(tmp_path / "300_CLNF_AUs.txt") == "AUs"
    assert part_of(tmp_path / "300_AUs.txt") == ""
