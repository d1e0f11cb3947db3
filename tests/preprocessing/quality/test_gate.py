"""Each reason of the gate against frames that were made to have it."""

from dataclasses import replace

import numpy as np
import pytest

from datamodules.synthetic.appearance import Appearance
from preprocessing.quality.crop_facts import CropFacts
from preprocessing.quality.gate import REASONS, QualityGate
from preprocessing.quality.texture import HEIGHT, WIDTH
from tests.preprocessing.drawn_faces import behavior, points_of, track_of

TOTAL = 12


def _facts(**change):
    texture = np.full((HEIGHT, WIDTH, 3), 120, np.uint8)
    return CropFacts(**{"sharpness": 200.0, "luminance": 0.5, "burnt": 0.0, "thumbnail": texture} | change)


def _points(**channels):
    return points_of(Appearance.draw(0), behavior(TOTAL, **channels), 240) + np.float32([100, 100, 0])


def _frames(verdict):
    return {name: np.flatnonzero(frames).tolist() for name, frames in verdict.reasons.items() if frames.any()}


def _judge(track, facts=None, **thresholds):
    facts = [_facts() if one else None for one in track.found] if facts is None else facts
    return QualityGate(**thresholds)(track, facts, np.arange(len(facts)) / 25)


def test_a_good_recording_is_used_whole():
    verdict = _judge(track_of(_points()))
    assert tuple(verdict.reasons) == REASONS
    assert verdict.usable.all()


def test_frames_without_a_face_have_that_one_reason():
    track = track_of(_points(), absent=[0, 5])
    assert _frames(_judge(track)) == {"no face": [0, 5]}
    doubted = replace(track, confidence=np.where(np.arange(TOTAL) == 3, 0.4, track.confidence))
    assert _frames(_judge(doubted)) == {"no face": [0, 3, 5]}


def test_pictures_that_are_blurred_dark_or_bright():
    facts = [_facts() for _ in range(TOTAL)]
    facts[1], facts[2], facts[3] = _facts(sharpness=10.0), _facts(luminance=0.05), _facts(luminance=0.97)
    assert _frames(_judge(track_of(_points()), facts)) == {"blurred": [1], "dark": [2], "bright": [3]}


def test_a_face_whose_skin_is_burnt_out_is_bright_though_its_features_are_dark():
    facts = [_facts() for _ in range(TOTAL)]
    facts[1], facts[2] = _facts(luminance=0.9, burnt=0.6), _facts(luminance=0.9, burnt=0.4)
    assert _frames(_judge(track_of(_points()), facts)) == {"bright": [1]}


def test_faces_that_are_small_or_leave_the_frame():
    points = _points()
    middle = points[4].mean(axis=0)
    points[4] = middle + 0.2 * (points[4] - middle)
    points[6, :, 0] -= 190
    assert _frames(_judge(track_of(points))) == {"small": [4], "cut off": [6]}
    assert _frames(_judge(track_of(points, size=(4000, 480))))["small"] == list(range(TOTAL))


def test_heads_that_are_turned_too_far():
    yaw, pitch = np.zeros(TOTAL), np.zeros(TOTAL)
    yaw[2], yaw[3], pitch[7] = 1.15, -0.4, 0.75
    assert _frames(_judge(track_of(_points(pose_yaw=yaw, pose_pitch=pitch)))) == {"turned": [2, 7]}
    wide = _judge(track_of(_points(pose_yaw=yaw, pose_pitch=pitch)), max_yaw=80, max_pitch=80)
    assert wide.usable.all()


def test_a_jump_and_what_hides_the_face():
    facts = [_facts() for _ in range(TOTAL)]
    texture = facts[0].thumbnail.copy()
    texture[HEIGHT // 2 :] = 240
    facts[8] = _facts(thumbnail=texture)
    assert _frames(_judge(track_of(_points(), jumped=[5]), facts)) == {"hidden": [8], "jump": [5]}
    assert _frames(_judge(track_of(_points()), facts, max_hidden=1.0)) == {}


def test_a_recording_without_a_face_has_a_verdict():
    assert _frames(_judge(track_of(_points(), absent=range(TOTAL)))) == {"no face": list(range(TOTAL))}


def test_thresholds_without_a_meaning_and_lengths_that_differ_are_refused():
    for wrong in ({"max_hidden": 2}, {"luminance": (-0.1, 0.9)}, {"max_yaw": 90}):
        with pytest.raises(ValueError, match="between 0 and"):
            QualityGate(**wrong)
    with pytest.raises(ValueError, match="give one each"):
        QualityGate()(track_of(_points()), [None], np.zeros(TOTAL))


@pytest.mark.slow
@pytest.mark.parametrize("seed", [31, 32])
def test_frames_to_be_masked_are_found_in_the_synthetic_room(seed, face_models):
    from datamodules.synthetic.room.room import draw_room
    from preprocessing.alignment.aligner import Aligner, in_crop
    from preprocessing.faces.litert import LitertFaces
    from preprocessing.quality.crop_facts import measure
    from preprocessing.tracking.follow import follow

    events = ("hand over", "hand near", "blur", "soft", "dark", "dim", "bright", "lamp", "out", "turned")
    room = draw_room(seed, seconds=18.0, events=events)
    seconds = np.arange(len(room)) / room.fps
    track = follow(room.frames(), LitertFaces())
    aligner = Aligner()
    matrices, facts = aligner.matrices(track, seconds), []
    for t, frame in enumerate(room.frames()):
        crop = aligner.crop(frame, matrices[t], track.landmarks[t])
        moved = in_crop(track.landmarks[t], matrices[t])
        facts.append(measure(crop, moved) if track.found[t] else None)
    found, true = ~QualityGate()(track, facts, seconds).usable, ~room.truth.usable
    assert 2 * np.sum(found & true) / (found.sum() + true.sum()) >= 0.95
