import numpy as np
import pytest

from datamodules.series import UnreadableSeries, read_series

TRACKING = ("frame", "timestamp", "confidence", "success")
INTENSITIES = (1, 2, 4, 5, 6, 9, 10, 12, 14, 15, 17, 20, 25, 26)
PRESENCES = (4, 12, 15, 23, 28, 45)
AUS = (*TRACKING, *(f"AU{k:02d}_r" for k in INTENSITIES), *(f"AU{k:02d}_c" for k in PRESENCES))
GAZE = (*TRACKING, *(f"{axis}_{eye}" for eye in ("0", "1", "h0", "h1") for axis in "xyz"))
POSE = (*TRACKING, "Tx", "Ty", "Tz", "Rx", "Ry", "Rz")
FEATURES = (*TRACKING, *(f"{axis}{k}" for axis in "xy" for k in range(68)))
FEATURES_3D = (*TRACKING, *(f"{axis}{k}" for axis in "XYZ" for k in range(68)))


@pytest.fixture
def session(tmp_path, write_table):
    """Write a session as it is unpacked; returns the values of all files."""

    def write(rows: int = 12, parts=("gaze", "pose", "features", "features3D"), aus: str = "txt", **changes):
        columns = {"gaze": GAZE, "pose": POSE, "features": FEATURES, "features3D": FEATURES_3D}
        values = {}
        for part in ("AUs", *parts):
            n = changes.get(part, rows)
            clock = {
                "frame": np.arange(1, n + 1),
                "timestamp": np.round(np.arange(n) / 30, 6),
                "confidence": np.full(n, 0.9),
                "success": np.ones(n, dtype=int),
            }
            name = f"300_CLNF_{part}.{aus if part == 'AUs' else 'txt'}"
            values |= write_table(
                tmp_path / name, AUS if part == "AUs" else columns[part], n, separator=", ", **clock
            )
        return values

    return write


@pytest.mark.parametrize("suffix", ["txt", "csv"])
def test_siblings_are_merged_by_frame(tmp_path, session, suffix):
    assert len(AUS) == 24
    raw = session(aus=suffix)
    series = read_series(tmp_path / f"300_CLNF_AUs.{suffix}", channels=None)
    assert len(series.channels) == 20 + 12 + 2 + 6
    expected = {
        "au01": "AU01_r", "au45_present": "AU45_c", "gaze_0_x": "x_0", "gaze_1_z": "z_1",
        "gaze_head_1_y": "y_h1", "pose_z": "Tz", "pose_pitch": "Rx", "pose_yaw": "Ry",
    }  # fmt: skip
    for channel, column in expected.items():
        np.testing.assert_allclose(series.values[:, series.channels.index(channel)], raw[column], rtol=1e-6)
    assert series.fps == pytest.approx(30, rel=1e-3)
    assert series.valid.all()


def test_gaze_angles_come_from_the_vectors(tmp_path, session):
    raw = session()
    series = read_series(tmp_path / "300_CLNF_AUs.txt", channels=["gaze_y", "gaze_x"])
    for number, axis in enumerate("yx"):
        mean, depth = (raw[f"{axis}_0"] + raw[f"{axis}_1"]) / 2, (raw["z_0"] + raw["z_1"]) / 2
        np.testing.assert_allclose(series.values[:, number], np.angle(-depth + 1j * mean), rtol=1e-5)


def test_landmarks_are_read_when_channels_name_them(tmp_path, session):
    raw = session()
    series = read_series(tmp_path / "300_CLNF_AUs.txt", channels=["au12", "x_67", "Z_3"])
    np.testing.assert_allclose(series.values[:, 1], raw["x67"], rtol=1e-6)
    np.testing.assert_allclose(series.values[:, 2], raw["Z3"], rtol=1e-6)
    alone = read_series(tmp_path / "300_CLNF_features.txt", channels=None)
    assert alone.channels == tuple(f"{axis}_{k}" for axis in "xy" for k in range(68))


def test_siblings_of_other_lengths_are_named(tmp_path, session):
    session(pose=11)
    with pytest.raises(
        UnreadableSeries, match=r"300_CLNF_AUs\.txt has 12 frames and .*CLNF_pose\.txt has 11"
    ):
        read_series(tmp_path / "300_CLNF_AUs.txt", channels=["au01"])


def test_a_row_counts_only_if_all_files_tracked_it(tmp_path, session):
    session()
    path = tmp_path / "300_CLNF_pose.txt"
    lines = path.read_text().splitlines()
    cells = lines[4].split(", ")
    lines[4] = ", ".join([*cells[:3], "0", *cells[4:]])
    lines[6] = lines[6].rsplit(", ", 1)[0] + ", -1.#IND"
    path.write_text("\n".join(lines) + "\n")
    series = read_series(tmp_path / "300_CLNF_AUs.txt", channels=None)
    assert np.flatnonzero(~series.valid).tolist() == [3, 5]


def test_a_sibling_that_appears_or_changes_is_read(tmp_path, session):
    session(parts=())
    with pytest.raises(UnreadableSeries, match="no channel 'gaze_x'"):
        read_series(tmp_path / "300_CLNF_AUs.txt", channels=["gaze_x"])
    assert "gaze_x" not in read_series(tmp_path / "300_CLNF_AUs.txt", channels=None).channels
    session(parts=("gaze",))
    before = read_series(tmp_path / "300_CLNF_AUs.txt", channels=["gaze_0_x"]).values
    path = tmp_path / "300_CLNF_gaze.txt"
    path.write_text(path.read_text().replace("0.", "0.0"))
    after = read_series(tmp_path / "300_CLNF_AUs.txt", channels=["gaze_0_x"])
    assert not after.valid.any()  # its confidence is 0.09 now
    assert before.max() > 0
