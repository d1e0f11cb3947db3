"""The backend on LiteRT on a photograph that is moved in known ways."""

import pickle

import cv2
import numpy as np
import pytest

from preprocessing.faces.litert import LitertFaces
from preprocessing.faces.topology import MESH
from preprocessing.models.folder import ModelError

EYES = (
    np.array([[203.5, 101.1], [246.6, 103.5]]) - 0.5
)  # known places of the irises; middles are whole numbers
DISTANCE = np.hypot(*(EYES[1] - EYES[0]))


@pytest.fixture(scope="module")
def astronaut():
    return pytest.importorskip("skimage.data", reason="scikit-image has the photograph").astronaut()


@pytest.fixture(scope="module")
def still(face_models, astronaut):
    [faces] = LitertFaces(models=face_models).faces([astronaut])
    return faces


def _matrix(*, scale=1.0, roll=0.0, to=(320.0, 240.0)):
    """Takes the middle of the photographed face to a place."""
    cosine, sine = scale * np.cos(roll), scale * np.sin(roll)
    linear = np.array([[cosine, -sine], [sine, cosine]])
    return np.column_stack([linear, np.array(to) - linear @ [224, 120]])


def _scene(astronaut, matrix):
    times = max(1.0, 1 / np.hypot(*matrix[:, 0]))
    soft = cv2.GaussianBlur(astronaut, (0, 0), 0.5 * times) if times > 1 else astronaut
    return cv2.warpAffine(
        soft, matrix, (640, 480), borderMode=cv2.BORDER_CONSTANT, borderValue=(90, 110, 100)
    )


def _off(faces, still, matrix):
    """Median distance to where the known warp takes the landmarks, as a share of the distance of the eyes."""
    expected = still.landmarks[0, :, :2] @ matrix[:, :2].T + matrix[:, 2]
    apart = np.linalg.norm(faces.landmarks[0, :, :2] - expected, axis=1)
    return np.median(apart) / (DISTANCE * np.hypot(*matrix[:, 0]))


def test_face_and_irises_are_where_they_are(still):
    assert len(still.boxes) == 1
    assert still.landmarks.shape == (1, MESH.count, 3)
    assert still.confidence[0] > 0.9
    assert np.abs(still.landmarks[0, [468, 473], :2] - EYES).max() < 1
    low, high = np.maximum(still.boxes[0, :2], [177, 68]), np.minimum(still.boxes[0, 2:], [270, 178])
    shared = (high - low).prod()
    union = (still.boxes[0, 2:] - still.boxes[0, :2]).prod() + 93 * 110 - shared
    assert shared / union > 0.8


def test_depth_is_in_pixels_and_the_nose_is_nearest(still):
    nose, temples = still.landmarks[0, 1, 2], still.landmarks[0, [127, 356], 2]
    assert nose < 0 < temples.min()
    assert 0.3 < (temples.mean() - nose) / DISTANCE < 2


@pytest.mark.parametrize(("scale", "roll"), [(0.9, 0.5), (0.9, -0.78), (1.6, 0.0), (3.0, 0.2)])
def test_landmarks_follow_a_known_warp(face_models, astronaut, still, scale, roll):
    matrix = _matrix(scale=scale, roll=roll)
    [faces] = LitertFaces(models=face_models).faces([_scene(astronaut, matrix)])
    assert len(faces.boxes) == 1
    assert _off(faces, still, matrix) < 0.03


def test_a_tracked_face_walks_out_and_comes_back(face_models, astronaut, still):
    x = [*np.linspace(300, 340, 12), *[-300] * 6, *np.linspace(100, 250, 10)]
    matrices = [_matrix(scale=0.9 + 0.01 * k, roll=0.02 * k, to=(place, 240)) for k, place in enumerate(x)]
    out = list(LitertFaces(models=face_models).faces(_scene(astronaut, one) for one in matrices))
    assert [len(faces.boxes) for faces in out] == [1] * 12 + [0] * 6 + [1] * 10
    assert (
        max(_off(faces, still, one) for faces, one in zip(out, matrices, strict=True) if len(faces.boxes))
        < 0.03
    )
    assert not out[5].searched
    assert all(faces.searched for faces in out[12:18])


def test_runs_agree_bit_for_bit_also_after_pickling(face_models, astronaut):
    frames = [_scene(astronaut, _matrix(to=(300 + 3 * k, 240))) for k in range(4)]
    backend = LitertFaces(models=face_models)
    first = [faces.landmarks for faces in backend.faces(frames)]
    again = pickle.loads(pickle.dumps(backend))
    for other in (backend, again):
        assert all(np.array_equal(a, b.landmarks) for a, b in zip(first, other.faces(frames), strict=True))


def test_without_tracking_frames_do_not_know_of_each_other(face_models, astronaut):
    frames = [_scene(astronaut, _matrix(to=(300 + 9 * k, 240), roll=0.1 * k)) for k in range(3)]
    backend = LitertFaces(models=face_models, tracking=False)
    forward = [faces.landmarks for faces in backend.faces(frames)]
    backward = [faces.landmarks for faces in backend.faces(frames[::-1])][::-1]
    assert all(np.array_equal(a, b) for a, b in zip(forward, backward, strict=True))


def test_two_faces_keep_their_order(face_models, astronaut):
    def pair(k):
        left, right = _matrix(to=(160 + 2 * k, 240)), _matrix(scale=1.1, to=(480 - 2 * k, 250))
        scene = _scene(astronaut, right)
        scene[:, :320] = _scene(astronaut, left)[:, :320]
        return scene

    out = list(LitertFaces(models=face_models).faces(pair(k) for k in range(5)))
    assert [len(faces.boxes) for faces in out] == [2] * 5
    middles = np.array([faces.boxes[:, 0] for faces in out])
    assert np.ptp(np.sign(middles[:, 0] - middles[:, 1])) == 0


def test_a_folder_without_networks_is_named(tmp_path):
    with pytest.raises(ModelError, match=str(tmp_path)):
        next(LitertFaces(models=tmp_path).faces([np.zeros((48, 64, 3), np.uint8)]))


def test_counts_below_one_are_refused():
    with pytest.raises(ValueError, match="search_every=0"):
        LitertFaces(search_every=0)
