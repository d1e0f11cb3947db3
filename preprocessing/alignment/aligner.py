"""Similarity alignment: the matrix that takes a frame to its crop."""

import numpy as np
from numpy.typing import NDArray

from preprocessing.faces.face import FloatArray, Frame
from preprocessing.tracking.track import Track


class Aligner:
    """Similarity on rigid points, smoothed over time without lag.

    Args:
        size: Side of the square crop in pixels, even, 112 to 256.
        margin: Space around the face, as a share of its width.
        smooth_s: Width of the smoothing in seconds; 0 smooths nothing.
        oval: Whether everything outside the oval of the face becomes gray.
    """

    def __init__(
        self, *, size: int = 224, margin: float = 0.25, smooth_s: float = 0.2, oval: bool = False
    ) -> None:
        self.size, self.margin, self.smooth_s, self.oval = size, margin, smooth_s, oval

    def matrices(self, track: Track, seconds: NDArray[np.float64]) -> NDArray[np.float64]:
        """Matrices ``(T, 2, 3)`` from pixels of the frame to pixels of the crop; NaN where there is no face.

        Args:
            track: The person.
            seconds: Times of the frames ``(T,)``.
        """
        raise NotImplementedError

    def crop(self, frame: Frame, matrix: NDArray[np.float64], landmarks: FloatArray) -> Frame:
        """Cut the face out of a frame ``(size, size, 3)``; all black where the matrix is NaN."""
        raise NotImplementedError
