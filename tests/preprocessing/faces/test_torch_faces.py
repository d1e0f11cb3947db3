"""The backend in torch against the one on LiteRT, on a photograph and on drawn faces."""

import pickle
import sys

import cv2
import numpy as np
import pytest

from datamodules.synthetic.appearance import Appearance
from datamodules.synthetic.face import render
from datamodules.synthetic.latent import CHANNELS
from preprocessing.faces import torch_faces, tracker
from preprocessing.faces.face import Faces
from preprocessing.faces.landmarks import MESH_SIDE, mesh_landmarks
from preprocessing.faces.litert import LitertFaces
from preprocessing.faces.networks import LitertNetworks
from preprocessing.faces.regions import detection_regions, frame_region
from preprocessing.faces.torch_faces import TorchFaces
from preprocessing.faces.torch_networks import TorchNetworks
from preprocessing.models.folder import ModelError

LARGEST = 0.5  # % of the distance of the eyes, median over landmarks
WIDTH, HEIGHT = 640, 480


def moved(picture, angle, scale, x, y):
    """The picture in a frame of 640 x 480, turned, scaled and shifted."""
    matrix = cv2.getRotationMatrix2D((picture.shape[1] / 2, picture.shape[0] / 2), angle, scale)
    matrix[:, 2] += x, y
    return cv2.warpAffine(picture, matrix, (WIDTH, HEIGHT), borderMode=cv2.BORDER_REPLICATE)


@pytest.fixture(scope="module")
def frames():
    """Three frames of a photograph and two of drawn faces."""
    data = pytest.importorskip("skimage.data", reason="scikit-image has the photograph")
    photograph = data.astronaut()
    drawn = [render(Appearance.draw(seed), np.zeros(len(CHANNELS)), 400) for seed in (1, 2)]
    return [
        moved(photograph, 0, 1.0, 60, 40),
        moved(photograph, 20, 1.4, 60, 120),
        moved(photograph, -10, 0.8, 0, 0),
        moved(drawn[0], 5, 0.9, 100, 40),
        moved(drawn[1], -8, 0.6, 150, 30),
    ]


def apart(ours, theirs):
    """Distances ``(..., P)`` in percent of that of the irises, or of the outer corners of the eyes."""
    ends = (468, 473) if theirs.shape[-2] > 468 else (33, 263)
    eyes = np.linalg.norm(theirs[..., ends[0], :2] - theirs[..., ends[1], :2], axis=-1)
    return 100 * np.linalg.norm(ours[..., :2] - theirs[..., :2], axis=-1) / eyes[..., None]


def test_same_crops_give_the_same_landmarks(face_models, frames):
    """The same pixels for both runtimes; then the same regions, each with its own way to cut."""
    reference, networks = LitertNetworks(face_models), TorchNetworks(face_models, "cpu")
    regions, theirs, alike = [], [], []
    for frame in frames:
        [found] = [reference.detect(frame, frame_region(HEIGHT, WIDTH), score=0.5)]
        region = detection_regions(found.boxes, found.keypoints)[0]
        landmarks, presence = reference.landmarks(frame, region)
        assert presence > 0.5
        regions.append(region)
        theirs.append(reference.eyes(frame, landmarks))
        alike.append(landmarks)
    device = networks.upload(np.stack(frames))
    ours, presence = networks.landmarks(device, np.stack(regions))
    assert (presence > 0.5).all()
    whole = networks.eyes(device, np.stack(alike))  # the same regions of the eyes
    assert np.median(apart(ours, np.stack(alike)), axis=1).max() < LARGEST
    assert np.median(apart(whole, np.stack(theirs))[:, 468:], axis=1).max() < LARGEST


def test_same_pixels_give_the_same_numbers(face_models, frames):
    from preprocessing.faces.crops import face_crop
    from preprocessing.models.files import MESH

    region = np.array([WIDTH / 2, HEIGHT / 2, 300, 0], np.float32)
    crops = [face_crop(frame, region, MESH_SIDE) for frame in frames]
    reference, networks = LitertNetworks(face_models), TorchNetworks(face_models, "cpu")
    theirs = [reference._run(MESH.name, crop, 1 / 255, 0)[0] for crop in crops]
    ours, _ = networks._run(MESH.name, networks.upload(np.stack(crops)), 1 / 255, 0)
    for mine, their in zip(ours, theirs, strict=True):
        mesh, other = (mesh_landmarks(np.ravel(one), region) for one in (mine, their))
        assert apart(mesh, other).max() < 0.01


def test_whole_pipelines_find_the_same_faces(face_models, frames):
    """Two faces in one frame and none in another are found as such, too."""
    two = np.hstack([frames[0][:, 100:420], frames[3][:, 140:460]])
    shown = [*frames, two, np.full_like(two, 90)]
    theirs = list(LitertFaces(models=face_models, tracking=False).faces(shown))
    ours = list(TorchFaces(models=face_models, device="cpu", batch=4).faces(shown))
    assert [len(one.boxes) for one in ours] == [1, 1, 1, 1, 1, 2, 0]
    assert ours[-1].landmarks.shape == (0, 478, 3)
    for mine, their in zip(ours[:-1], theirs[:-1], strict=True):
        assert len(mine.boxes) == len(their.boxes)
        assert np.median(apart(mine.landmarks, their.landmarks), axis=1).max() < LARGEST
        np.testing.assert_allclose(mine.confidence, their.confidence, atol=0.02)
        assert mine.searched


def test_a_small_face_is_found_in_a_part_of_the_frame(face_models, frames):
    small = np.full_like(frames[0], 120)
    small[20:180, 30:243] = cv2.resize(frames[0], (213, 160), interpolation=cv2.INTER_AREA)
    [their] = LitertFaces(models=face_models, tracking=False).faces([small])
    [mine] = TorchFaces(models=face_models, device="cpu").faces([small])
    assert len(mine.boxes) == len(their.boxes) == 1
    assert np.median(apart(mine.landmarks, their.landmarks)) < 2  # a face of 30 pixels


def test_batches_change_nothing_and_hold_few_frames(face_models, frames):
    taken = []

    def stream():
        for number, frame in enumerate(frames):
            taken.append(number)
            yield frame

    one = TorchFaces(models=face_models, device="cpu", batch=2)
    found = one.faces(stream())
    first = next(found)
    assert len(taken) <= 3  # two, and one that was looked at
    rest = list(pickle.loads(pickle.dumps(one)).faces(frames[1:]))
    for mine, other in zip([first, *rest], [first, *found], strict=True):
        assert np.abs(mine.landmarks - other.landmarks).max() < 0.01


def test_frames_of_another_size(face_models, frames):
    shown = [frames[0], frames[0][:, :500], frames[0]]
    found = list(TorchFaces(models=face_models, device="cpu", batch=3).faces(shown))
    assert np.array_equal(found[0].landmarks, found[2].landmarks)
    assert np.median(apart(found[1].landmarks, found[0].landmarks)) < 2
    with pytest.raises(ValueError, match="batch=0, max_faces=4"):
        TorchFaces(batch=0)


def test_a_missing_extra_is_named(monkeypatch, frames):
    monkeypatch.setitem(sys.modules, "preprocessing.faces.tflite.graph", None)
    with pytest.raises(ModelError, match=r"not installed\. `pip install .*\[face\]"):
        next(TorchFaces(device="cpu").faces(frames))


def test_both_backends_have_the_same_thresholds():
    for name in ("_PRESENT", "_SCORE", "_SAME"):
        assert getattr(torch_faces, name) == getattr(tracker, name)


def test_faces_keep_their_order(monkeypatch):
    """Whoever is detected first: faces that lie where one was come first, in the order that those had."""
    boxes = {"a": [0, 0, 10, 10], "b": [50, 0, 70, 20], "c": [90, 0, 99, 9]}
    shown = iter(["ab", "ba", "", "cba", "b", "ab"])

    def find(_, frames):
        names = next(shown)
        found = np.array([boxes[name] for name in names], np.float32).reshape(-1, 4)
        points = np.repeat(found[:, None, :3], 478, axis=1)
        return [Faces(boxes=found, landmarks=points, confidence=found[:, 2] / 100)]

    monkeypatch.setattr(TorchFaces, "_find", find)
    found = TorchFaces(device="cpu", batch=1).faces(np.zeros((6, 4, 4, 3), np.uint8))
    places = {values[0]: name for name, values in boxes.items()}
    seen = list(found)
    order = ["".join(places[box[0]] for box in faces.boxes) for faces in seen]
    assert order == ["ab", "ab", "", "abc", "b", "ba"]
    for faces in seen:
        np.testing.assert_array_equal(faces.landmarks[:, 0, 0], faces.boxes[:, 0])
        np.testing.assert_allclose(faces.confidence, faces.boxes[:, 2] / 100)
