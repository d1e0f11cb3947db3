"""What is measured in one aligned crop while it is at hand."""

from dataclasses import dataclass

from preprocessing.faces.face import FloatArray, Frame


@dataclass(frozen=True, kw_only=True, eq=False)
class CropFacts:
    """Facts of one crop.

    Attributes:
        sharpness: variance of the Laplacian of the face at a fixed size, gray levels squared.
        luminance: mean of the face, 0 to 1.
        thumbnail: the face at a few pixels, to see what hides it.
    """

    sharpness: float
    luminance: float
    thumbnail: Frame


def measure(crop: Frame, points: FloatArray) -> CropFacts:
    """Measure an aligned crop.

    Args:
        crop: ``(S, S, 3)``.
        points: Landmarks in its pixels ``(P, 2)``.
    """
    raise NotImplementedError
