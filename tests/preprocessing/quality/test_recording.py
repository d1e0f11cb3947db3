"""Which recordings are used, and what is said of the others."""

from dataclasses import replace

import numpy as np
import pytest

from datamodules.synthetic.appearance import Appearance
from preprocessing.quality.crop_facts import CropFacts
from preprocessing.quality.gate import REASONS, Verdict
from preprocessing.quality.recording import rule
from tests.preprocessing.drawn_faces import behavior, points_of, track_of


def _rule(total, against=None, *, facts=(200.0, 0.5), change=None, **track):
    points = points_of(Appearance.draw(0), behavior(total), 240)
    person = replace(track_of(points, **track), **(change or {}))
    reasons = {reason: np.zeros(total, bool) for reason in REASONS}
    for name, frames in (against or {}).items():
        reasons[name][list(frames)] = True
    sharpness, luminance = facts
    crop = CropFacts(
        sharpness=sharpness, luminance=luminance, burnt=0.0, thumbnail=np.zeros((34, 28, 3), np.uint8)
    )
    measured = [crop if found else None for found in person.found]
    return rule(person, Verdict(reasons=reasons), measured, np.arange(total) / 25)


def test_a_good_recording_is_ok():
    ruling = _rule(100, {"blurred": range(20)})
    assert (ruling.status, ruling.reasons) == ("ok", ())


def test_no_face_at_all_is_refused():
    ruling = _rule(40, {"no face": range(40)}, absent=range(40))
    assert (ruling.status, ruling.reasons) == ("refused", ("no face in any of its 40 frames",))


@pytest.mark.parametrize(
    ("reason", "facts", "words"),
    [
        (
            "small",
            (200.0, 0.5),
            "the face is small in 98 of 100 frames: 150 pixels wide, 23.5% of the picture",
        ),
        ("blurred", (3.25, 0.5), "the face is blurred in 98 of 100 frames: a sharpness of 3.2 (median)"),
        ("dark", (200.0, 0.04), "the face is dark in 98 of 100 frames: a brightness of 4% (median)"),
        ("bright", (200.0, 0.96), "the face is bright in 98 of 100 frames: a brightness of 96% (median)"),
    ],
)
def test_what_holds_throughout_is_said_with_what_was_measured(reason, facts, words):
    ruling = _rule(100, {reason: range(98)}, facts=facts)
    assert ruling.status == "refused"
    assert ruling.reasons[0] == f"2 of 100 frames can be used: {reason} 98"
    assert ruling.reasons[1][:50] == words[:50]


def test_few_usable_frames_are_a_warning_with_the_reasons_counted():
    ruling = _rule(100, {"hidden": range(30), "turned": range(20, 70)})
    assert ruling.status == "warned"
    assert ruling.reasons == ("only 30 of 100 frames can be used: turned 50, hidden 30",)


def test_three_frames_a_second_face_and_jumps_are_named():
    assert _rule(3).reasons == ("it is short: 3 frames, 0.12 s",)
    assert _rule(1).reasons == ("it is short: 1 frame",)
    remark = "a second face is seen in 40 frames"
    ruling = _rule(100, change={"remarks": (remark,)}, jumped=[50, 70])
    assert ruling.status == "warned"
    assert ruling.reasons == ("the person is lost and found again elsewhere 2 times", remark)
