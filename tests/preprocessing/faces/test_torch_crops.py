"""Crops in torch against OpenCV, which the CPU backend crops with."""

import cv2
import numpy as np
import pytest
import torch

from preprocessing.faces.crops import face_crop, upright_crop
from preprocessing.faces.regions import frame_region, tile_regions
from preprocessing.faces.torch_crops import face_crops, resampling, upright_crops


@pytest.fixture(scope="module")
def picture():
    """Smooth noise (480, 640, 3): details of some pixels, as in a photograph."""
    noise = np.random.default_rng(0).integers(0, 256, (480, 640, 3), dtype=np.uint8)
    return cv2.normalize(cv2.GaussianBlur(noise, (0, 0), 2), None, 0, 255, cv2.NORM_MINMAX)


def on_device(*frames):
    return torch.from_numpy(np.stack(frames)).permute(0, 3, 1, 2).float()


def as_picture(crop):
    return crop.permute(1, 2, 0).numpy()


@pytest.mark.parametrize(("length", "side"), [(640, 192), (480, 144), (190, 192), (64, 192)])
def test_resampling_is_that_of_opencv(length, side):
    line = np.random.default_rng(1).uniform(0, 255, (1, length)).astype(np.float32)
    way = cv2.INTER_AREA if length > side else cv2.INTER_LINEAR
    expected = cv2.resize(line, (side, 1), interpolation=way)
    np.testing.assert_allclose(line @ resampling(0, length, length, side).T, expected, atol=2e-2)


@pytest.mark.parametrize("size", [(480, 640), (400, 300), (120, 160)])
def test_letterbox(picture, size):
    frame = cv2.resize(picture, size[::-1], interpolation=cv2.INTER_AREA)
    region = frame_region(*size)
    [crop] = upright_crops(on_device(frame), region, 192)
    assert np.abs(as_picture(crop) - upright_crop(frame, region, 192)).mean() < 0.5
    assert (as_picture(crop)[:20] == 0).all() == (size[1] > size[0])  # black bands


def test_parts_of_a_frame(picture):
    for region in tile_regions(480, 640):
        [crop] = upright_crops(on_device(picture), region, 192)
        difference = np.abs(as_picture(crop) - upright_crop(picture, region, 192))
        assert difference.mean() < 0.5


def test_turned_regions(picture):
    """Two frames with three regions each: small, large, and half outside; the last one in a mirror."""
    other = picture[::-1].copy()
    each = [[300, 240, 150, 0.3], [320.5, 200.25, 450, -0.6], [20, 30, 180, 1.2]]
    regions = np.array([each, each[::-1]], np.float32)
    mirrored = np.array([False, False, True])
    crops = face_crops(on_device(picture, other), regions, 192, mirrored)
    assert crops.shape == (2, 3, 3, 192, 192)
    for frame, row, seen in zip((picture, other), regions, crops, strict=True):
        for region, mirror, crop in zip(row, mirrored, seen, strict=True):
            expected = face_crop(frame, region, 192, mirrored=bool(mirror))
            assert np.abs(as_picture(crop) - expected).mean() < 1.5  # OpenCV: places in 1/32 of a pixel


def test_nothing_is_skipped_in_a_large_region():
    """A grating finer than the crop can show becomes gray, and no other grating."""
    frame = np.zeros((800, 800, 3), np.uint8)
    frame[:, ::2] = 255
    region = np.array([[[400, 400, 768, 0]]], np.float32)
    crop = face_crops(on_device(frame), region, 192, np.zeros(1, bool))
    assert (crop - 127.5).abs().max() < 1
