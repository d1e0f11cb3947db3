"""Similarity alignment: the matrix that takes a frame to its crop."""

from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from preprocessing.alignment.similarity import ComplexArray, Similarities, as_complex, bounded, fit
from preprocessing.alignment.smoothing import runs, smooth
from preprocessing.alignment.template import eye_distance, template
from preprocessing.alignment.warp import cut, keep_oval
from preprocessing.faces.face import FloatArray, Frame
from preprocessing.faces.topology import IBUG68, MESH
from preprocessing.tracking.track import Track

SIZES = (112, 256)
_TOPOLOGIES = {topology.count: topology for topology in (MESH, IBUG68)}


class Aligner:
    """Similarity on rigid points, smoothed over time without lag.

    Args:
        size: Side of the square crop in pixels, even, 112 to 256.
        margin: Space on each side of the face, as a share of its width.
        smooth_s: Standard deviation of the smoothing in seconds; 0 smooths nothing. A parabola is fitted
            under these weights, which leaves a nod of 1 Hz at 98 % (our choice).
        bound: How far smoothing may take any rigid point from where it was measured, as a share of the
            distance between the eyes: a fast move stays in the crop (our choice).
        bridge_s: Frames without a face between two that have one, no further apart in seconds, are cut by
            interpolation (our choice); they stay masked.
        oval: Whether everything outside the oval of the face becomes gray.

    Raises:
        ValueError: An argument is outside its range.
    """

    def __init__(
        self,
        *,
        size: int = 224,
        margin: float = 0.25,
        smooth_s: float = 0.1,
        bound: float = 0.1,
        bridge_s: float = 0.2,
        oval: bool = False,
    ) -> None:
        if not SIZES[0] <= size <= SIZES[1] or size % 2:
            raise ValueError(f"size={size} of the crop: take an even number from {SIZES[0]} to {SIZES[1]}")
        if not 0 <= margin <= 1:
            raise ValueError(f"margin={margin} around the face: take a share of its width from 0 to 1")
        if min(smooth_s, bound, bridge_s) < 0:
            raise ValueError(f"smooth_s={smooth_s}, bound={bound} and bridge_s={bridge_s}: none is negative")
        self.size, self.margin, self.oval = size, margin, oval
        self.smooth_s, self.bound, self.bridge_s = smooth_s, bound, bridge_s

    def matrices(self, track: Track, seconds: NDArray[np.float64]) -> NDArray[np.float64]:
        """Matrices ``(T, 2, 3)`` from pixels of the frame to pixels of the crop; NaN where there is no face.

        Args:
            track: The person.
            seconds: Times of the frames ``(T,)``.

        Raises:
            ValueError: Times and frames differ in number, or times fall.
        """
        if len(seconds) != len(track.confidence) or np.any(np.diff(seconds) < 0):
            raise ValueError(
                f"{len(seconds)} times for {len(track.confidence)} frames: one each, not falling, is needed"
            )
        layout = as_complex(template(track.topology, size=self.size, margin=self.margin))
        points = as_complex(track.landmarks[:, list(track.topology.rigid)])
        points[~track.found] = np.nan
        measured = fit(layout, points)
        known = np.isfinite(measured.shift)
        stretches = list(runs(known, track.jumped, seconds, longest_gap=self.bridge_s))
        steady = self._smoothed(measured, stretches, layout, seconds)
        return self._bridged(steady, stretches, track.jumped, seconds).inverse_matrices()

    def crop(self, frame: Frame, matrix: NDArray[np.float64], landmarks: FloatArray) -> Frame:
        """Cut the face out of a frame ``(size, size, 3)``; all black where the matrix is NaN.

        Args:
            frame: ``(H, W, 3)``.
            matrix: ``(2, 3)``, the frame's own of `matrices`.
            landmarks: ``(P, 2 or 3)`` in pixels of the frame; only `oval` reads them.
        """
        if not np.isfinite(matrix).all():
            return np.zeros((self.size, self.size, 3), dtype=np.uint8)
        crop = cut(frame, matrix, self.size)
        if not self.oval:
            return crop
        border = landmarks[list(_TOPOLOGIES[len(landmarks)].oval), :2]
        return keep_oval(crop, in_crop(border, matrix))

    def _smoothed(
        self,
        measured: Similarities,
        stretches: list[slice],
        layout: ComplexArray,
        seconds: NDArray[np.float64],
    ) -> Similarities:
        """Each stretch smoothed by itself."""
        if not self.smooth_s:
            return measured
        values = np.stack([measured.turn, measured.shift], axis=1)
        for stretch in stretches:
            values[stretch] = smooth(values[stretch], seconds[stretch], width=self.smooth_s)
        steady = Similarities(turn=values[:, 0], shift=values[:, 1])
        eyes = np.abs(measured.turn) * eye_distance(size=self.size, margin=self.margin)
        return bounded(steady, measured, layout, self.bound * eyes)

    def _bridged(
        self,
        steady: Similarities,
        stretches: list[slice],
        jumped: NDArray[np.bool_],
        seconds: NDArray[np.float64],
    ) -> Similarities:
        """Straight lines over the short gaps between stretches."""
        turn, shift = steady.turn.copy(), steady.shift.copy()
        for before, after in pairwise(stretches):
            ends = [before.stop - 1, after.start]
            if jumped[after.start] or seconds[ends[1]] - seconds[ends[0]] > self.bridge_s:
                continue
            gap = slice(before.stop, after.start)
            for values in (turn, shift):
                values[gap] = np.interp(seconds[gap], seconds[ends], values[ends])
        return Similarities(turn=turn, shift=shift)


def in_crop(points: NDArray[np.floating], matrix: NDArray[np.float64]) -> FloatArray:
    """Points ``(P, 2 or more)`` of the frame in pixels of the crop ``(P, 2)``."""
    return np.asarray(points[:, :2] @ matrix[:, :2].T + matrix[:, 2], dtype=np.float32)
