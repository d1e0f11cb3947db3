import numpy as np
import pandas as pd
import pytest

from datamodules.series import UnreadableSeries
from preprocessing.faces.precomputed import PrecomputedFaces
from preprocessing.faces.topology import IBUG68, MESH

HEIGHT, WIDTH = 60, 80


def frames(count):
    return iter(np.zeros((count, HEIGHT, WIDTH, 3), np.uint8))


def points(rows, count=68, seed=0):
    """Landmarks ``(rows, count, 2)`` in pixels, different in every row."""
    return np.random.default_rng(seed).uniform(10, 50, (rows, count, 2)).round(1)


def columns(landmarks, x="x_{}", y="y_{}"):
    return {
        name.format(k): landmarks[:, k, axis]
        for axis, name in enumerate((x, y))
        for k in range(landmarks.shape[1])
    }


def openface(rows, landmarks):
    quality = {"frame": np.arange(1, rows + 1), "face_id": 0, "timestamp": np.arange(rows) / 25}
    quality |= {"confidence": 0.9, "success": 1, "gaze_angle_x": 0.1}
    return pd.DataFrame(quality | columns(landmarks))


def write(table, path):
    text = table.to_csv(index=False)
    path.write_text(text.replace(",", ", "))  # as OpenFace separates
    return path


def found(path, count):
    backend = PrecomputedFaces()
    return backend, list(backend.faces(frames(count), tracked=path))


def test_openface_rows_are_frames(tmp_path):
    truth = points(6)
    table = openface(6, truth)
    table.loc[2, "success"] = 0
    table.loc[3, "confidence"] = 0.4  # below what is trusted
    backend, faces = found(write(table, tmp_path / "a.csv"), 6)
    assert backend.topology is IBUG68
    assert [len(face.confidence) for face in faces] == [1, 1, 0, 0, 1, 1]
    for row in (0, 1, 4, 5):
        np.testing.assert_allclose(faces[row].landmarks[0, :, :2], truth[row], rtol=1e-6)
        np.testing.assert_allclose(
            faces[row].boxes[0], [*truth[row].min(axis=0), *truth[row].max(axis=0)], rtol=1e-6
        )
        assert faces[row].confidence == pytest.approx([0.9])
        assert np.isnan(faces[row].landmarks[..., 2]).all()


def test_frame_numbers_place_rows(tmp_path):
    truth = points(10)
    table = openface(10, truth).drop(index=[3, 4, 8])
    _, faces = found(write(table, tmp_path / "a.csv"), 10)
    assert [len(face.confidence) for face in faces] == [1, 1, 1, 0, 0, 1, 1, 1, 0, 1]
    np.testing.assert_allclose(faces[5].landmarks[0, :, :2], truth[5], rtol=1e-6)


def test_every_third_frame(tmp_path):
    truth = points(4)
    table = pd.DataFrame({"frame": [1, 4, 7, 10], "FaceScore": 0.7, "FaceRectX": 3.0} | columns(truth))
    _, faces = found(write(table, tmp_path / "a.csv"), 12)
    assert np.flatnonzero([len(face.confidence) for face in faces]).tolist() == [1, 4, 7, 10]
    assert faces[4].confidence == pytest.approx([0.7])
    np.testing.assert_allclose(faces[7].landmarks[0, :, :2], truth[2], rtol=1e-6)


def test_mesh_in_shares_of_the_image(tmp_path):
    truth = points(5, 468)
    shares = (truth + 0.5) / [WIDTH, HEIGHT]  # pixels count from their middles, shares from the corner
    depth = {f"z_{k}": np.full(5, 0.25) for k in range(468)}
    table = pd.DataFrame({"timestamp_ms": np.array([0, 40, 80, 160, 200])} | columns(shares) | depth)
    backend, faces = found(write(table, tmp_path / "a.csv"), 6)
    assert backend.topology is MESH
    assert [len(face.confidence) for face in faces] == [1, 1, 1, 0, 1, 1]  # by the clock
    mesh = faces[4].landmarks[0]
    np.testing.assert_allclose(mesh[:468, :2], truth[3], atol=1e-4)
    np.testing.assert_allclose(mesh[:468, 2], 0.25 * WIDTH)
    assert mesh.shape == (478, 3)
    assert np.isnan(mesh[468:]).all()
    assert np.isfinite(faces[4].boxes).all()


def test_libreface_leaves_frames_out(tmp_path):
    truth = points(4, 478)
    shares = (truth + 0.5) / [WIDTH, HEIGHT]
    table = pd.DataFrame(
        {"frame_idx": [0, 1, 3, 4], "frame_time_in_ms": [0.0, 0.04, 0.12, 0.16]}
        | columns(shares, "lm_mp_{}_x", "lm_mp_{}_y")
        | {f"lm_mp_{k}_z": np.zeros(4) for k in range(478)}
    )
    _, faces = found(write(table, tmp_path / "a.csv"), 5)
    assert [len(face.confidence) for face in faces] == [1, 1, 0, 1, 1]
    np.testing.assert_allclose(faces[3].landmarks[0, :, :2], truth[2], atol=1e-4)


def test_daic_session(tmp_path):
    truth = points(4)
    quality = {
        "frame": np.arange(1, 5),
        "timestamp": np.arange(4) / 30,
        "confidence": 0.95,
        "success": [1, 1, 0, 1],
    }
    path = write(pd.DataFrame(quality | columns(truth, "x{}", "y{}")), tmp_path / "300_CLNF_features.txt")
    _, faces = found(path, 4)
    assert [len(face.confidence) for face in faces] == [1, 1, 0, 1]
    np.testing.assert_allclose(faces[3].landmarks[0, :, :2], truth[3], rtol=1e-6)


def test_order_places_rows_only_where_counts_agree(tmp_path):
    path = write(pd.DataFrame({"confidence": 0.9} | columns(points(5))), tmp_path / "a.csv")
    _, faces = found(path, 5)
    assert len(faces) == 5
    with pytest.raises(UnreadableSeries, match=r"a\.csv: 5 rows, and the video has 6 frames"):
        found(path, 6)


def test_file_of_another_recording(tmp_path):
    path = write(openface(8, points(8)), tmp_path / "a.csv")
    with pytest.raises(UnreadableSeries, match=r"up to frame 8 of the video, which has 7"):
        found(path, 7)
    path = write(openface(8, points(8) + np.array([700, 0])), tmp_path / "b.csv")
    with pytest.raises(UnreadableSeries, match=r"about \(7\d\d, \d\d\), and the video has 80 x 60 pixels"):
        found(path, 8)


def test_rows_that_end_early_are_told(tmp_path, caplog):
    path = write(openface(5, points(5)), tmp_path / "a.csv")
    _, faces = found(path, 7)
    assert [len(face.confidence) for face in faces] == [1] * 5 + [0] * 2
    assert "rows end with frame 5, and the video has 7" in caplog.text


def test_files_without_landmarks(tmp_path):
    table = openface(5, points(5))[["frame", "timestamp", "confidence", "success", "gaze_angle_x"]]
    path = write(table.assign(AU01_r=1.0, pose_Rx=0.1), tmp_path / "300_OpenFace2.1.0_Pose_gaze_AUs.csv")
    with pytest.raises(UnreadableSeries, match=r"holds no landmarks .*E-DAIC"):
        found(path, 5)
    with pytest.raises(UnreadableSeries, match="needs a table of landmarks"):
        PrecomputedFaces().faces(frames(5))
