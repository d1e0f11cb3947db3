"""Decoding of the detector against boxes that were encoded by hand."""

import numpy as np

from preprocessing.faces.detections import Detections, decode, merged, overlaps
from preprocessing.faces.regions import frame_region


def _encoded(box, points, cell):
    """What the detector would have to say in a cell for a box and six points, in pixels of its input."""
    row, column = divmod(cell, 48)
    anchor = np.array([column * 4 + 2, row * 4 + 2])
    low, high = np.array(box[:2]), np.array(box[2:])
    return np.concatenate([(low + high) / 2 - anchor, high - low, (points - anchor).ravel()])


def test_an_encoded_face_is_decoded_into_the_frame():
    values, logits = np.zeros((2304, 16), np.float32), np.full((2304, 1), -50, np.float32)
    points = np.array([[70, 80], [90, 80], [80, 90], [80, 100], [62, 85], [98, 85]], float)
    values[1000], logits[1000] = _encoded([60, 70, 100, 110], points, 1000), 2.0
    found = decode(values, logits, frame_region(480, 640), score=0.5)
    # 640 pixels became 192, and 480 rows lie in the middle of them
    scale, top = 640 / 192, (640 - 480) / 2
    assert np.allclose(
        found.boxes, [[60 * scale, 70 * scale - top, 100 * scale, 110 * scale - top]] - np.float32(0.5)
    )
    assert np.allclose(found.keypoints[0], points * scale - [0, top] - 0.5, atol=1e-3)
    assert np.allclose(found.scores, 1 / (1 + np.exp(-2.0)))


def test_nothing_is_found_where_nothing_is_sure():
    found = decode(
        np.zeros((2304, 16), np.float32), np.full((2304, 1), -1, np.float32), frame_region(9, 9), score=0.5
    )
    assert len(found) == 0
    assert found.keypoints.shape == (0, 6, 2)


def test_overlapping_answers_are_one_face_at_their_weighted_mean():
    boxes = np.array([[0, 0, 10, 10], [1, 0, 11, 10], [50, 50, 60, 60]], np.float32)
    found = merged(
        Detections(
            boxes=boxes,
            keypoints=np.zeros((3, 6, 2), np.float32),
            scores=np.array([0.6, 0.9, 0.7], np.float32),
        )
    )
    assert np.allclose(found.scores, [0.9, 0.7])
    assert np.allclose(found.boxes, [[0.6, 0, 10.6, 10], [50, 50, 60, 60]])


def test_overlap_is_intersection_over_union():
    one = np.array([[0, 0, 10, 10]], np.float32)
    other = np.array([[5, 0, 15, 10], [20, 20, 30, 30], [0, 0, 10, 10]], np.float32)
    assert np.allclose(overlaps(one, other), [[1 / 3, 0, 1]])
