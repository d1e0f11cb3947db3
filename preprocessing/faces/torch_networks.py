"""The three networks in torch, for many frames at once; opened where they are first used."""

from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, fx

from preprocessing.faces.anchors import DETECTOR_SIDE
from preprocessing.faces.detections import Detections, decode
from preprocessing.faces.face import FloatArray
from preprocessing.faces.landmarks import EYE_SIDE, MESH_SIDE, MIRRORED, mesh_landmarks, presence, with_eyes
from preprocessing.faces.regions import eye_regions
from preprocessing.faces.torch_crops import face_crops, upright_crops
from preprocessing.models.files import DETECTOR, IRIS, MESH, MODEL_FILES
from preprocessing.models.folder import ModelError, locate


class TorchNetworks:
    """Detector, mesh and iris network.

    Args:
        models: Folder of the three files; the user's cache by default.
        device: As torch names it; `auto` takes a GPU where there is one, seen where this is first used.

    Raises:
        ModelError: When first used: a file is missing or is another one, or what reads it is not installed.
    """

    def __init__(self, models: str | Path | None, device: str) -> None:
        self.models, self.device = models, device
        self._opened: dict[str, fx.GraphModule] = {}

    def __getstate__(self) -> dict[str, Any]:
        """Networks are opened again where this is unpickled."""
        return self.__dict__ | {"_opened": {}}

    def detect(self, frames: Tensor, region: FloatArray, *, score: float) -> list[Detections]:
        """Faces in the same upright region of each frame, with at least this score."""
        values, logits = self._run(DETECTOR.name, upright_crops(frames, region, DETECTOR_SIDE), 2 / 255, -1)
        return [decode(one, logit, region, score=score) for one, logit in zip(values, logits, strict=True)]

    def landmarks(self, frames: Tensor, regions: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Meshes ``(N, 468, 3)`` of a region ``(N, 4)`` of each frame, and presence of a face ``(N,)``."""
        crops = face_crops(frames, regions[:, None], MESH_SIDE, np.zeros(1, bool))
        values, logits = self._run(MESH.name, crops.flatten(0, 1), 1 / 255, 0)
        return mesh_landmarks(values.reshape(len(values), -1), regions), presence(logits.reshape(-1))

    def eyes(self, frames: Tensor, landmarks: FloatArray) -> FloatArray:
        """Meshes with finer lids and the irises ``(N, 478, 3)``, one of each frame."""
        regions = eye_regions(landmarks)
        crops = face_crops(frames, regions, EYE_SIDE, MIRRORED)
        contours, irises = self._run(IRIS.name, crops.flatten(0, 1), 1 / 255, 0)
        pairs = len(landmarks), 2
        return with_eyes(landmarks, contours.reshape(*pairs, -1), irises.reshape(*pairs, -1), regions)

    def upload(self, frames: NDArray[np.uint8]) -> Tensor:
        """Frames ``(B, H, W, 3)`` on the device as float ``(B, 3, H, W)``, 0 to 255."""
        return torch.from_numpy(frames).to(self._device()).permute(0, 3, 1, 2).float().contiguous()

    def provenance(self) -> dict[str, Any]:
        """Runtime, its version, and the files.

        Raises:
            ModelError: One of the files is not there: a command ends before its first recording.
        """
        locate(self.models)
        return {
            "runtime": "torch",
            "version": version("torch"),
            "networks": [file.facts() for file in MODEL_FILES],
        }

    def _run(self, name: str, crops: Tensor, scale: float, shift: float) -> tuple[FloatArray, FloatArray]:
        """Run exactly: TF32, which cuDNN takes by itself, has 10 bits for places among 192 pixels."""
        exact = torch.backends.cudnn.flags(
            enabled=True, benchmark=False, deterministic=True, allow_tf32=False
        )
        with torch.inference_mode(), exact:
            first, second = self._network(name)((crops * scale + shift).permute(0, 2, 3, 1))
            return first.cpu().numpy(), second.cpu().numpy()

    def _network(self, name: str) -> fx.GraphModule:
        if not self._opened:
            self._opened = self._read()
        return self._opened[name]

    def _read(self) -> dict[str, fx.GraphModule]:
        try:
            from preprocessing.faces.tflite.graph import load_graph  # an extra: only where it is used
        except ModuleNotFoundError as missing:
            raise ModelError(
                f"face=torch: {missing.name} is not installed. `pip install -c constraints.txt -e '.[face]'`"
            ) from missing
        return {file: load_graph(path).to(self._device()) for file, path in locate(self.models).items()}

    def _device(self) -> str:
        """Not settled before: workers may have a GPU where the process that made this has none."""
        if self.device != "auto":
            return self.device
        return "cuda" if torch.cuda.is_available() else "cpu"
