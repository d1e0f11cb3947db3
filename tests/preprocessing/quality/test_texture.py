"""The unrolled face against scikit-image's piecewise affine map."""

import cv2
import numpy as np
import pytest
from skimage.transform import PiecewiseAffineTransform

from datamodules.synthetic.appearance import Appearance
from preprocessing.faces.topology import IBUG68, MESH
from preprocessing.quality.texture import _ORIGIN, _UNIT, layout, texture, unroll
from tests.preprocessing.drawn_faces import behavior, points_of


@pytest.mark.parametrize("topology", [MESH, IBUG68], ids=lambda one: one.name)
def test_the_layout_is_symmetric_and_each_landmark_comes_once(topology):
    places = layout(topology)
    assert len(set(places.values())) == len(places)
    mirrored = {(-x, y) for x, y in places.values()}
    assert mirrored == {(x if x else -x, y) for x, y in places.values()} | {p for p in mirrored if not p[0]}
    right, left = (places[eye[0]] for eye in (topology.right_eye, topology.left_eye))
    assert right[0] < left[0] < 0.5


def test_places_are_those_of_a_piecewise_affine_map():
    points = points_of(Appearance.draw(4), behavior(1, au26=3), 64)[0, :, :2]
    numbers = np.array(list(layout(IBUG68)))
    places = _ORIGIN + _UNIT * np.array(list(layout(IBUG68).values()))
    there = PiecewiseAffineTransform.from_estimate(places, points[numbers])
    unrolling = unroll(68)
    rows, columns = np.nonzero(unrolling.inside)
    expected = there(np.column_stack([columns, rows]).astype(float))
    # a ramp is sampled exactly by bilinear interpolation
    y, x = np.indices((64, 64))
    ramp = np.stack([4 * x, 4 * y, 0 * x], axis=2).clip(0, 255).astype(np.uint8)
    found = texture(ramp, points)[unrolling.inside]
    known = (expected >= 0).all(axis=1) & (expected <= 63).all(axis=1)
    assert known.mean() > 0.9
    np.testing.assert_allclose(found[known, :2], 4 * expected[known], atol=1.1)


def test_a_turned_head_leaves_colors_where_they_are():
    from datamodules.synthetic.face import render

    look = Appearance.draw(5)
    textures, plain = [], []
    for change in ({}, {"pose_yaw": 0.4}, {"pose_yaw": -0.3, "pose_pitch": 0.2}, {"pose_roll": 0.4}):
        series = behavior(1, **change)
        frame, points = render(look, series[0], 64), points_of(look, series, 64)[0, :, :2]
        textures.append(cv2.GaussianBlur(texture(frame, points), (0, 0), 1).astype(float))
        plain.append(cv2.GaussianBlur(frame, (0, 0), 1).astype(float))
    inside = unroll(68).inside
    for moved, picture in zip(textures[1:], plain[1:], strict=True):
        off = np.abs(moved - textures[0])[inside].mean()
        assert off < 0.7 * np.abs(picture - plain[0])[16:56, 16:48].mean()


def test_another_number_of_landmarks_is_refused():
    with pytest.raises(ValueError, match="5 landmarks"):
        texture(np.zeros((64, 64, 3), np.uint8), np.zeros((5, 2), np.float32))
