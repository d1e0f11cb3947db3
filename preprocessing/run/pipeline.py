"""The pipeline: what one recording goes through, as built objects that travel to the workers."""

from dataclasses import dataclass

from preprocessing.alignment.aligner import Aligner
from preprocessing.faces.face import FaceBackend
from preprocessing.quality.gate import QualityGate
from preprocessing.stores.clip_store import ClipStore


@dataclass(frozen=True, kw_only=True)
class Pipeline:
    """The parts that a recording goes through.

    Attributes:
        backend: finds faces.
        aligner: cuts them out.
        gate: judges frames.
        store: keeps clips.
        least_usable: share of usable frames below which a recording is refused.
        few_usable: share of usable frames below which it is used with a warning.
    """

    backend: FaceBackend
    aligner: Aligner
    gate: QualityGate
    store: ClipStore
    least_usable: float = 0.05
    few_usable: float = 0.5

    def __post_init__(self) -> None:
        if not 0 <= self.least_usable <= self.few_usable <= 1:
            raise ValueError(
                f"least_usable={self.least_usable}, few_usable={self.few_usable}: both are shares of frames, "
                "0 to 1, and the second is not below the first"
            )
