import numpy as np
import pytest

from datamodules.synthetic.face import LANDMARKS
from datamodules.synthetic.room import truth as limits
from datamodules.synthetic.room.room import draw_room
from datamodules.synthetic.room.script import EVENTS, FACE_WIDTH

SMALL = {"fps": 10.0, "width": 320, "height": 240}


@pytest.fixture(scope="module")
def room():
    return draw_room(4, seconds=27.0, **SMALL)


@pytest.fixture(scope="module")
def frames(room):
    return list(room.frames())


def during(room, event):
    return np.flatnonzero([name == event for name in room.truth.event])


def inside(shape, points):
    """Pixels inside a closed polygon, by the crossing number."""
    y, x = np.mgrid[: shape[0], : shape[1]]
    within = np.zeros(shape[:2], dtype=bool)
    for (x0, y0), (x1, y1) in zip(points, np.roll(points, 1, axis=0), strict=True):
        if y0 != y1:
            within ^= ((y0 > y) != (y1 > y)) & (x < (x1 - x0) * (y - y0) / (y1 - y0) + x0)
    return within


def test_same_seed_same_bytes():
    first, second = (list(draw_room(2, seconds=1.0, events=("hand over",), **SMALL).frames()) for _ in "ab")
    np.testing.assert_array_equal(first, second)
    other = next(draw_room(3, seconds=1.0, events=("hand over",), **SMALL).frames())
    assert (other != first[0]).mean() > 0.5


def test_frames_and_truth_have_one_length(room, frames):
    assert len(frames) == len(room) == 270 == len(room.truth.usable)
    assert {frame.shape for frame in frames} == {(240, 320, 3)}
    assert set(room.truth.event) == {"", *EVENTS}


def test_truth_speaks_of_every_frame_with_a_face_and_of_no_other(room):
    truth = room.truth
    for values in (truth.boxes, truth.landmarks, truth.ovals):
        finite = np.isfinite(values).reshape(len(room), -1)
        assert (finite.all(axis=1) == truth.face).all()
        assert (finite.any(axis=1) == truth.face).all()


@pytest.mark.parametrize("seed", range(6))
def test_box_encloses_landmarks_and_has_the_promised_width(seed):
    truth = draw_room(seed, seconds=26.0, **SMALL).truth
    frontal = truth.face & (np.abs(truth.yaw) < 0.3)
    low, high = truth.landmarks[frontal].min(axis=1), truth.landmarks[frontal].max(axis=1)
    assert (truth.boxes[frontal, :2] <= low + 1).all()
    assert (truth.boxes[frontal, 2:] >= high - 1).all()
    width = (truth.boxes[frontal, 2] - truth.boxes[frontal, 0]) / SMALL["width"]
    assert width.min() >= 0.95 * FACE_WIDTH[0]
    assert width.max() <= 1.1 * FACE_WIDTH[1]


def test_landmarks_lie_on_the_picture():
    """The pupils are dark where the truth says the irises are, on a head that moves and tilts."""
    room = draw_room(1, seconds=2.0, fps=10.0, events=("tilt",))
    found = []
    for frame, points in zip(room.frames(), room.truth.landmarks, strict=True):
        for name in ("iris_l", "iris_r"):
            x, y = np.rint(points[LANDMARKS.index(name)]).astype(int)
            cheek = np.rint(points[LANDMARKS.index(name.replace("iris", "cheek"))]).astype(int)
            found.append(frame[y - 1 : y + 2, x - 1 : x + 2].mean() < 0.6 * frame[cheek[1], cheek[0]].mean())
    assert np.mean(found) > 0.8  # the others blink


@pytest.mark.parametrize("event", ["hand over", "hand near"])
def test_hidden_share_is_what_differs_in_the_picture(event):
    covered = draw_room(5, seconds=1.5, fps=10.0, events=(event,))
    plain = draw_room(5, seconds=1.5, fps=10.0, events=(event,))
    plain.script.cover.share[:] = -1
    assert plain.truth.hidden.max() == 0
    for t, (one, two) in enumerate(zip(covered.frames(), plain.frames(), strict=True)):
        oval = inside(one.shape, covered.truth.ovals[t])
        differs = np.abs(one.astype(int) - two).max(axis=2) > 3
        # a hand has the color of the face, so that some of what it hides looks alike
        share = differs[oval].mean()
        assert share <= covered.truth.hidden[t] + 0.03
        assert share >= 0.5 * covered.truth.hidden[t] - 0.03
    usable = event == "hand near"
    assert covered.truth.reasons["hidden"].any() != usable


def test_second_person_is_drawn_where_told():
    room = draw_room(6, seconds=2.0, fps=10.0, events=("visitor",))
    alone = draw_room(6, seconds=2.0, fps=10.0, events=("visitor",))
    alone.script.other.shown[:] = False
    boxes = room.truth.other_boxes
    assert np.isfinite(boxes[:, 0]).sum() >= 5
    for box, one, two in zip(boxes, room.frames(), alone.frames(), strict=True):
        differs = (one.astype(int) != two).any(axis=2)
        if np.isnan(box[0]):
            assert not differs[:, : room.width].mean() > 0.1  # a shoulder at most
            continue
        left, top, right, bottom = np.clip(np.rint(box), 0, [640, 480, 640, 480]).astype(int)
        middle = differs[top + (bottom - top) // 3 : bottom - (bottom - top) // 3, left:right]
        if right - left > 20:
            assert middle.mean() > 0.9


def test_stranger_is_alone_and_no_face_of_the_person(room):
    there = np.isfinite(room.truth.other_boxes[:, 0])
    event = during(room, "stranger")
    alone = [t for t in event if there[t] and not room.truth.face[t]]
    assert len(alone) >= 3
    assert not room.truth.usable[alone].any()


def test_light_and_blur_are_what_the_picture_shows(room, frames):
    level = np.array([frame.mean() for frame in frames])
    truth = room.truth
    assert level[truth.luminance < limits.DARK].max() < 0.3 * np.median(level)
    assert level[truth.luminance > limits.BRIGHT].min() > 1.25 * np.median(level)
    edges = np.array([np.abs(np.diff(f[:, :, 1].astype(float), axis=1)).mean() for f in frames])
    assert edges[truth.blur_share > limits.BLUR].max() < 0.8 * np.median(edges[truth.usable])


def test_reasons_are_named_as_the_gate_names_them(room):
    from preprocessing.quality.gate import REASONS

    assert set(room.truth.reasons) <= set(REASONS)
    for name, event in {"no face": "out", "hidden": "hand over", "blurred": "blur", "dark": "dark"}.items():
        assert room.truth.reasons[name][during(room, event)].any()
    for event in ("hand near", "soft", "dim", "lamp", "tilt", "fast"):
        assert room.truth.usable[during(room, event)].all()


@pytest.mark.parametrize(("events", "message"), [(("party",), "party"), (EVENTS, "too short")])
def test_impossible_scripts_are_refused(events, message):
    with pytest.raises(ValueError, match=message):
        draw_room(0, seconds=3.0, events=events)
