"""Regions and their matrices against similarity transforms of scikit-image."""

import numpy as np
import pytest

from preprocessing.faces.crops import face_crop, upright_crop
from preprocessing.faces.regions import (
    crop_matrices,
    detection_regions,
    eye_regions,
    frame_region,
    landmark_regions,
    tile_regions,
    to_frame,
)

transform = pytest.importorskip("skimage.transform")


@pytest.fixture
def face():
    """Points of a made-up face whose eyes are level."""
    rng = np.random.default_rng(3)
    points = rng.uniform([100, 80], [180, 200], (468, 2)).astype(np.float32)
    points[[33, 133, 362, 263]] = [[110, 120], [130, 120], [150, 120], [170, 120]]
    return points


def _moved(points, *, scale, rotation, shift):
    return transform.SimilarityTransform(scale=scale, rotation=rotation, translation=shift)(points)


def test_a_region_turns_grows_and_moves_with_its_face(face):
    before, eyes = landmark_regions(face), eye_regions(face)
    moved = _moved(face, scale=1.7, rotation=0.6, shift=(40, -15)).astype(np.float32)
    centers = _moved(before[None, :2], scale=1.7, rotation=0.6, shift=(40, -15))[0]
    assert np.allclose(landmark_regions(moved), [*centers, 1.7 * before[2], before[3] + 0.6], atol=1e-2)
    assert np.allclose(eye_regions(moved)[:, 2:], eyes[:, 2:] * [1.7, 1] + [0, 0.6], atol=1e-3)
    assert np.allclose(eyes, [[120, 120, 46, 0], [160, 120, 46, 0]], atol=1e-4)  # 2.3 times 20 pixels


def test_regions_of_many_faces_are_those_of_each(face):
    both = np.stack([face, face + 5])
    assert np.array_equal(landmark_regions(both), np.stack([landmark_regions(one) for one in both]))
    assert eye_regions(both).shape == (2, 2, 4)


def test_a_detected_region_is_half_as_large_again_and_level_with_the_eyes():
    points = np.zeros((6, 2), np.float32)
    points[1] = [10, 10]
    region = detection_regions(np.array([10, 20, 50, 40], np.float32), points)
    assert np.allclose(region, [30, 30, 60, np.pi / 4], atol=1e-6)


@pytest.mark.parametrize("mirrored", [False, True])
def test_crop_and_back_are_one_similarity(mirrored):
    region = np.array([200.0, 150, 90, 0.4], np.float32)
    matrix = crop_matrices(region, 64, mirrored)
    # the middle of the region is the middle of the crop; its upper edge is level and as long as the crop
    edge = np.array([np.cos(0.4), np.sin(0.4)]) * 45
    middle, right = matrix @ [200, 150, 1], matrix @ [*(region[:2] + edge), 1]
    assert np.allclose(middle, 31.5, atol=1e-4)
    assert np.allclose(right - middle, [-32 if mirrored else 32, 0], atol=1e-4)
    points = np.random.default_rng(0).uniform(0, 64, (10, 2)).astype(np.float32)
    there = to_frame(points, matrix)
    assert np.allclose(np.column_stack([there, np.ones(10)]) @ matrix.T, points, atol=1e-3)


def test_four_parts_cover_a_frame_and_share_its_middle():
    for height, width in ((480, 640), (720, 1080), (640, 360), (100, 400)):
        parts = tile_regions(height, width)
        low, high = parts[:, :2] - (parts[:, 2:3] - 1) / 2, parts[:, :2] + (parts[:, 2:3] - 1) / 2
        assert low.min(axis=0).max() <= 0
        assert (high.max(axis=0) >= [width - 1, height - 1]).all()
        assert np.ptp(parts[:, 0]) + np.ptp(parts[:, 1]) > 0
        assert (low.max(axis=0) < high.min(axis=0)).all()


@pytest.mark.parametrize("mirrored", [False, True])
@pytest.mark.parametrize("side", [50, 200])  # as it is, and cut larger and averaged
def test_a_matrix_that_is_known_already_gives_the_same_crop(mirrored, side):
    frame = np.random.default_rng(0).integers(0, 256, (120, 200, 3), dtype=np.uint8)
    regions = np.array([[90, 70, side, 0.4], [100, 60, side, 0]], np.float32)
    known = crop_matrices(regions, 64, np.array([mirrored, mirrored]))
    for region, matrix in zip(regions, known, strict=True):
        crop = face_crop(frame, region, 64, mirrored=mirrored)
        assert np.array_equal(face_crop(frame, region, 64, mirrored=mirrored, matrix=matrix), crop)


def test_crops_show_what_lies_in_their_region():
    y, x = np.mgrid[:120, :200]
    frame = np.stack([x, y, np.zeros_like(x)], axis=-1).astype(np.uint8)
    crop = face_crop(frame, np.array([100, 60, 32, 0], np.float32), 32)
    assert np.abs(crop[16, 16, :2].astype(float) - [100.5, 60.5]).max() <= 1
    large = face_crop(frame, np.array([100, 60, 96, 0], np.float32), 32)  # averaged, not skipped
    assert np.abs(large[:, :, 0].mean() - 100) < 1
    whole = upright_crop(frame, frame_region(120, 200), 50)
    assert not whole[:9].any()
    assert not whole[-9:].any()
    assert np.abs(whole[25, :, 0].astype(float) - (np.arange(50) * 4 + 1.5)).max() <= 1
