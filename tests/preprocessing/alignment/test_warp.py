"""Crops against scikit-image's warp, aliasing, and the oval."""

import cv2
import numpy as np
import pytest
from skimage.data import astronaut
from skimage.transform import AffineTransform, warp

from preprocessing.alignment.warp import cut, keep_oval


def _matrix(scale, angle=0.1, middle=(256, 256), size=224):
    turn = scale * np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    return np.column_stack([turn, (size - 1) / 2 - turn @ np.array(middle)])


@pytest.mark.parametrize("scale", [2.0, 1.0, 0.8])
def test_a_crop_is_the_bilinear_warp(scale):
    frame, matrix = astronaut(), _matrix(scale)
    there = AffineTransform(matrix=np.vstack([matrix, [0, 0, 1]]))
    expected = warp(frame, there.inverse, output_shape=(224, 224), order=1, preserve_range=True)
    difference = np.abs(cut(frame, matrix, 224) - expected)
    assert np.quantile(difference, 0.99) < 8
    assert difference.mean() < 1


@pytest.mark.parametrize("scale", [0.55, 0.33, 0.2])
def test_a_large_face_does_not_alias_and_stays_in_place(scale):
    smooth = cv2.GaussianBlur(astronaut(), (0, 0), 12)
    matrix = _matrix(scale, middle=(250, 270), size=112)
    plain = cv2.warpAffine(smooth, matrix, (112, 112), flags=cv2.INTER_LINEAR)
    inside = cv2.warpAffine(np.ones((512, 512), np.uint8), matrix, (112, 112))
    inside = cv2.erode(inside, np.ones((9, 9)), borderType=cv2.BORDER_CONSTANT, borderValue=0)
    off = np.abs(cut(smooth, matrix, 112).astype(float) - plain)[inside > 0]
    assert off.max() < 6
    assert off.mean() < 0.6
    checks = np.indices((512, 512)).sum(axis=0) % 2 * 255
    frame = np.repeat(checks[..., None], 3, axis=2).astype(np.uint8)
    aliased = cv2.warpAffine(frame, matrix, (112, 112))
    assert cut(frame, matrix, 112)[inside > 0].std() < 0.3 * aliased[inside > 0].std()


def test_a_crop_beyond_the_frame_is_black():
    assert not cut(astronaut(), _matrix(0.3, middle=(5000, 0)), 224).any()
    assert not cut(astronaut(), _matrix(1.0, middle=(-900, 0)), 224).any()


def test_outside_the_oval_all_is_one_gray():
    crop = np.random.default_rng(0).integers(0, 256, (112, 112, 3), dtype=np.uint8)
    angle = np.linspace(0, 2 * np.pi, 40, endpoint=False)
    oval = (56 + 30 * np.stack([np.cos(angle), np.sin(angle)], axis=1)).astype(np.float32)
    kept = keep_oval(crop, oval)
    away = np.hypot(*(np.indices((112, 112)) - 56))
    assert (kept[away > 33] == 128).all()
    assert (kept[away < 29] == crop[away < 29]).all()
    assert (keep_oval(crop, np.full_like(oval, np.nan)) == 128).all()
