"""The three networks on LiteRT, one thread each, opened where they are first used."""

from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import numpy as np

from preprocessing.faces.anchors import DETECTOR_SIDE
from preprocessing.faces.crops import face_crop, upright_crop
from preprocessing.faces.detections import Detections, decode
from preprocessing.faces.face import FloatArray, Frame
from preprocessing.faces.landmarks import EYE_SIDE, MESH_SIDE, MIRRORED, mesh_landmarks, presence, with_eyes
from preprocessing.faces.regions import crop_matrices, eye_regions
from preprocessing.models.files import DETECTOR, IRIS, MESH, MODEL_FILES
from preprocessing.models.folder import ModelError, locate


class _Network:
    """One network with one picture as input and two arrays as output."""

    def __init__(self, path: Path) -> None:
        from ai_edge_litert.interpreter import Interpreter  # an extra: only where it is used

        self.interpreter = Interpreter(str(path), num_threads=1)
        self.interpreter.allocate_tensors()
        self.input = self.interpreter.get_input_details()[0]["index"]
        self.outputs = [one["index"] for one in self.interpreter.get_output_details()]

    def __call__(self, crop: Frame, scale: float, shift: float) -> tuple[FloatArray, FloatArray]:
        values = crop[None] * np.float32(scale)
        if shift:
            values += np.float32(shift)
        self.interpreter.set_tensor(self.input, values)
        self.interpreter.invoke()
        first, second = (self.interpreter.get_tensor(one) for one in self.outputs)
        return first, second


class LitertNetworks:
    """Detector, mesh and iris network.

    Args:
        models: Folder of the three files; the user's cache by default.

    Raises:
        ModelError: When first used: a file is missing or is another one.
    """

    def __init__(self, models: str | Path | None = None) -> None:
        self.models = models
        self._opened: dict[str, _Network] = {}

    def __getstate__(self) -> dict[str, Any]:
        """Networks are opened again where this is unpickled."""
        return self.__dict__ | {"_opened": {}}

    def detect(self, frame: Frame, region: FloatArray, *, score: float) -> Detections:
        """Faces in an upright region of a frame, with at least this score."""
        crop = upright_crop(frame, region, DETECTOR_SIDE)
        values, logits = self._run(DETECTOR.name, crop, 2 / 255, -1)
        return decode(values[0], logits[0], region, score=score)

    def landmarks(self, frame: Frame, region: FloatArray) -> tuple[FloatArray, float]:
        """The mesh ``(468, 3)`` of a region, and how likely there is a face."""
        matrix = crop_matrices(region, MESH_SIDE)
        crop = face_crop(frame, region, MESH_SIDE, matrix=matrix)
        values, logit = self._run(MESH.name, crop, 1 / 255, 0)
        return mesh_landmarks(values.reshape(-1), region, matrix), float(presence(logit.reshape(-1))[0])

    def eyes(self, frame: Frame, landmarks: FloatArray) -> FloatArray:
        """The mesh with finer lids and the irises ``(478, 3)``."""
        regions = eye_regions(landmarks)
        matrices = crop_matrices(regions, EYE_SIDE, MIRRORED)
        crops = [
            face_crop(frame, region, EYE_SIDE, mirrored=bool(mirrored), matrix=matrix)
            for region, mirrored, matrix in zip(regions, MIRRORED, matrices, strict=True)
        ]
        seen = [self._run(IRIS.name, crop, 1 / 255, 0) for crop in crops]
        contours, irises = (np.concatenate(values) for values in zip(*seen, strict=True))
        return with_eyes(landmarks, contours, irises, regions, matrices)

    def provenance(self) -> dict[str, Any]:
        """Runtime, its version, and the files.

        Raises:
            ModelError: One of them is not there: a command ends before its first recording.
        """
        locate(self.models)
        try:
            runtime = version("ai-edge-litert")
        except PackageNotFoundError as error:
            raise ModelError(
                "ai-edge-litert, which runs the face networks on a CPU, is not installed: install the extra "
                "`face` (make install does), or choose face=torch"
            ) from error
        return {
            "runtime": "ai-edge-litert",
            "version": runtime,
            "networks": [file.facts() for file in MODEL_FILES],
        }

    def _run(self, name: str, crop: Frame, scale: float, shift: float) -> tuple[FloatArray, FloatArray]:
        if not self._opened:
            self._opened = {file: _Network(path) for file, path in locate(self.models).items()}
        return self._opened[name](crop, scale, shift)
