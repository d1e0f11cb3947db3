"""Sharpness that neither size nor light changes, and luminance against the truth."""

import cv2
import numpy as np
import pytest
from skimage.data import astronaut

from datamodules.synthetic.appearance import Appearance
from datamodules.synthetic.face import render
from preprocessing.alignment.aligner import Aligner, in_crop
from preprocessing.quality.crop_facts import measure
from tests.preprocessing.drawn_faces import behavior, points_of, track_of


def _facts(frame, points, size=224):
    aligner = Aligner(size=size)
    matrix = aligner.matrices(track_of(points), np.zeros(1))[0]
    return measure(aligner.crop(frame, matrix, points[0]), in_crop(points[0], matrix))


def _drawn(size=480):
    look, row = Appearance.draw(3), behavior(1)
    return render(look, row[0], size), points_of(look, row, size)


def _real():
    """The astronaut with the frame of a drawn face laid on its eyes, whose places are published."""
    points = points_of(Appearance.draw(3), behavior(1), 100)
    old = points[0, [36, 39, 42, 45], :2].astype(float)
    eyes = np.array([old[:2].mean(axis=0), old[2:].mean(axis=0)])
    a, b = (one[0] + 1j * one[1] for one in eyes)
    turn = ((246.6 + 103.5j) - (203.5 + 101.1j)) / (b - a)
    z = (points[..., 0] + 1j * points[..., 1] - a) * turn + 203.5 + 101.1j
    return astronaut(), np.stack([z.real, z.imag, 0 * z.real], axis=2).astype(np.float32)


def test_sharpness_compares_across_sizes_of_the_crop():
    for frame, points in (_drawn(), _real()):
        sharp = [_facts(frame, points, size).sharpness for size in (112, 160, 256)]
        assert max(sharp) < 3 * min(sharp)  # the smallest crop has lost the finest lines
        blurred = cv2.GaussianBlur(frame, (0, 0), 0.03 * np.ptp(points[0, :, 0]))
        soft = [_facts(blurred, points, size).sharpness for size in (112, 160, 256)]
        assert max(soft) < 1.2 * min(soft)


def test_sharpness_is_not_changed_by_light():
    frame, points = _real()
    whole, dim = _facts(frame, points), _facts((frame * 0.4).astype(np.uint8), points)
    assert dim.sharpness == pytest.approx(whole.sharpness, rel=0.15)
    assert dim.luminance == pytest.approx(0.4 * whole.luminance, abs=0.01)


def test_blur_lowers_sharpness_as_stated():
    frame, points = _real()
    width = 95  # of this face in pixels
    shares = (0, 0.01, 0.02, 0.03, 0.05)
    blurred = [cv2.GaussianBlur(frame, (0, 0), share * width) if share else frame for share in shares]
    sharp = [_facts(one, points).sharpness for one in blurred]
    assert all(np.diff(sharp) < 0)
    assert sharp[0] > 130
    assert 12 < sharp[2] < 35  # the gate refuses below 20
    assert sharp[4] < 6


def test_a_patch_without_structure_has_none():
    _, points = _drawn()
    facts = _facts(np.full((480, 480, 3), 100, np.uint8), points)
    assert facts.sharpness == pytest.approx(0, abs=1e-3)
    assert facts.luminance == pytest.approx(100 / 255, abs=1e-3)
    assert facts.burnt == 0


def test_white_is_counted_within_the_face():
    _, points = _drawn()
    half = np.full((480, 480, 3), 100, np.uint8)
    half[:, : int(points[0, :, 0].mean())] = 255
    half[:20] = 255  # beyond the face
    assert _facts(half, points).burnt == pytest.approx(0.5, abs=0.06)


def test_a_landmark_that_is_not_finite_is_refused():
    with pytest.raises(ValueError, match="not finite"):
        measure(np.zeros((112, 112, 3), np.uint8), np.full((68, 2), np.nan, np.float32))
