"""The `Track` record: the person who was followed, frame by frame."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from preprocessing.faces.face import FloatArray
from preprocessing.faces.topology import Topology


@dataclass(frozen=True, kw_only=True, eq=False)
class Track:
    """One person in the `T` frames of a recording; NaN where he or she was not found.

    Attributes:
        topology: which landmark is which.
        boxes: ``(T, 4)`` left, top, right, bottom in pixels.
        landmarks: ``(T, P, 3)`` in pixels.
        confidence: ``(T,)`` 0 to 1; 0 where there is no face.
        n_faces: ``(T,)`` faces in the frame, the person's own among them, as far as it was searched.
        jumped: ``(T,)`` the person is found again after a jump in place, size or time, and is recognized.
        height: of the frames in pixels.
        width: of the frames in pixels.
        remarks: what a person should know, a sentence each: a second face and how long it was seen, ...
    """

    topology: Topology
    boxes: FloatArray
    landmarks: FloatArray
    confidence: FloatArray
    n_faces: NDArray[np.int64]
    jumped: NDArray[np.bool_]
    height: int
    width: int
    remarks: tuple[str, ...] = ()

    @property
    def found(self) -> NDArray[np.bool_]:
        """Frames ``(T,)`` in which the person was found."""
        return np.asarray(self.confidence > 0)
