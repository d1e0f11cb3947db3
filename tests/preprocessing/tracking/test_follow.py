"""Following of one person among drawn ones who come, go and swap places."""

import cv2
import numpy as np
import pytest

from datamodules.synthetic.appearance import Appearance
from datamodules.synthetic.face import Placement, render_series
from datamodules.synthetic.latent import CHANNELS
from preprocessing.faces.face import Faces
from preprocessing.faces.litert import LitertFaces
from preprocessing.faces.topology import MESH
from preprocessing.tracking.follow import follow

LEFT, RIGHT, SIDE = 10, 330, 300
ANN, BEN = 1, 2


@pytest.fixture(scope="module")
def drawn():
    """Pictures of two persons, each with a few expressions."""
    rows = np.zeros((4, len(CHANNELS)), np.float32)
    rows[:, :6] = np.linspace(0, 0.4, 4)[:, None]
    return {one: list(render_series(Appearance.draw(one), rows, SIDE, Placement())) for one in (ANN, BEN)}


@pytest.fixture
def walk(drawn, face_models):
    """Follow what a plan shows, frame by frame: `walk([{ANN: 10}, ...])` has the left edge of each person."""

    def run(plan, *, light=None, **settings):
        def frames():
            for index, places in enumerate(plan):
                frame = np.full((360, 640, 3), 120, np.uint8)
                for one, left in places.items():
                    frame[30 : 30 + SIDE, left : left + SIDE] = drawn[one][index % 4]
                gain = 1.0 if light is None else light[index]
                yield cv2.convertScaleAbs(frame, alpha=gain)

        return follow(frames(), LitertFaces(models=face_models), **settings)

    return run


def _places(track):
    """Middles of the boxes across, NaN where nobody is followed."""
    return (track.boxes[:, 0] + track.boxes[:, 2]) / 2


def test_the_person_who_is_longer_in_view_is_followed(walk):
    track = walk([{ANN: LEFT}] * 8 + [{ANN: LEFT, BEN: RIGHT}] * 12, fps=10.0)
    assert np.abs(_places(track) - (LEFT + SIDE / 2)).max() < 20
    assert track.n_faces.max() == 2
    [said] = [one for one in track.remarks if "second face" in one]
    assert "of 20 frames" in said
    assert track.landmarks.shape == (20, MESH.count, 3)
    assert (track.height, track.width) == (360, 640)


def test_persons_who_swap_places_are_not_mixed(walk):
    track = walk([{ANN: LEFT, BEN: RIGHT}] * 12 + [{BEN: LEFT, ANN: RIGHT}] * 8 + [{ANN: LEFT}] * 4)
    right = _places(track) > 320
    assert track.found.all()
    assert right[12:20].all() != right[:12].all()
    assert not right[20:].any()  # Ann is longest in view
    assert list(np.flatnonzero(track.jumped)) == [12, 20]


def test_another_person_at_the_same_place_is_left_out(walk):
    track = walk([{ANN: LEFT}] * 12 + [{BEN: LEFT}] * 8 + [{ANN: LEFT}] * 4, fps=10.0)
    assert track.found[:12].all()
    assert not track.found[12:20].any()
    assert track.found[20:].all()
    assert track.jumped[20]
    assert any("8 of 24 frames, from 1.2 s on" in one for one in track.remarks)


def test_who_goes_and_comes_back_is_known_again_in_another_light(walk):
    plan = [{ANN: LEFT}] * 10 + [{}] * 8 + [{ANN: RIGHT}] * 6
    track = walk(plan, light=[1.0] * 10 + [0.6] * 14)
    assert track.found.tolist() == [True] * 10 + [False] * 8 + [True] * 6
    assert list(np.flatnonzero(track.jumped)) == [18]


def test_a_change_of_light_is_no_change_of_person(walk):
    track = walk([{ANN: LEFT}] * 12, light=[1.0, 1.0, 1.0, 0.5, 0.5, 0.5, 1.2, 1.2, 1.2, 0.7, 0.7, 0.7])
    assert track.found.all()
    assert not track.jumped.any()


def test_a_recording_without_a_face_says_so(walk):
    track = walk([{}] * 4)
    assert not track.found.any()
    assert np.isnan(track.boxes).all()
    assert track.remarks == ("no face is found",)


def test_no_frames_are_refused(walk):
    with pytest.raises(ValueError, match="without frames"):
        walk([])


def test_a_backend_may_read_many_frames_ahead():
    class Ahead:
        topology = MESH

        def faces(self, frames, *, tracked=None):
            empty = Faces(
                boxes=np.zeros((0, 4), np.float32),
                landmarks=np.zeros((0, MESH.count, 3), np.float32),
                confidence=np.zeros(0, np.float32),
            )
            yield from [empty for _ in list(frames)]

    assert len(follow((np.zeros((8, 8, 3), np.uint8) for _ in range(5)), Ahead()).boxes) == 5
