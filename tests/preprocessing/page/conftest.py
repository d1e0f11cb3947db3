import numpy as np
import pytest

from preprocessing.faces.topology import MESH
from preprocessing.quality.gate import REASONS, Verdict
from preprocessing.tracking.track import Track


@pytest.fixture
def make_track():
    """A track whose landmarks all lie on the border of its box, in a frame of 640 x 480."""

    def make(total, *, topology=MESH, box=(200, 100, 360, 300), absent=(), size=(640, 480)):
        angle = np.linspace(0, 2 * np.pi, topology.count)
        left, top, right, bottom = box
        ring = [(left + right) / 2 + (right - left) / 2 * np.cos(angle)]
        ring += [(top + bottom) / 2 + (bottom - top) / 2 * np.sin(angle), 0 * angle]
        landmarks = np.tile(np.stack(ring, -1), (total, 1, 1)).astype(np.float32)
        boxes = np.tile(np.array(box, np.float32), (total, 1))
        confidence = np.ones(total, np.float32)
        for values, nothing in ((landmarks, np.nan), (boxes, np.nan), (confidence, 0)):
            values[list(absent)] = nothing
        return Track(
            topology=topology,
            boxes=boxes,
            landmarks=landmarks,
            confidence=confidence,
            n_faces=(confidence > 0).astype(np.int64),
            jumped=np.zeros(total, bool),
            height=size[1],
            width=size[0],
        )

    return make


@pytest.fixture
def make_verdict():
    """A verdict from the numbers of the frames that each reason speaks against."""

    def make(total, against=None):
        reasons = {reason: np.zeros(total, bool) for reason in REASONS}
        for reason, frames in (against or {}).items():
            reasons[reason][list(frames)] = True
        return Verdict(reasons=reasons)

    return make
