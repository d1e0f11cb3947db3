"""A bundle as `eval.py` reads it: the record of its run, and its network in the place of the trained one."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import pytorch_lightning as pl
import torch
from torch import Tensor, nn
from torchmetrics import MeanMetric

from engine.checkpoints.checkpoint import RunCheckpoint, from_record
from engine.exporting.bundle import CARD, CERTIFICATE, NETWORKS, RECORD, ExportError, read_bundle
from engine.exporting.formats import Call, onnx_from_bytes, program_from_bytes, weights_from_bytes
from engine.exporting.program import EARLIER, EXTRAS, SCORE
from engine.inference.clip_predictions import Predictor, prediction_trainer
from models.objective import Objective
from models.task import Task
from models.types import Batch, Network, Output


class AsPredicted(nn.Module):
    """A head of a program: what it returns are predictions already."""

    def predict(self, raw: Tensor) -> Tensor:
        """Return them as they are."""
        return raw


class ExportedNetwork(nn.Module):
    """An exported program in the place of a network: a batch in, an `Output` of predictions out.

    It runs on the CPU, wherever the batch is, and takes frames as they were decoded (uint8). Where nobody
    makes earlier visits known, a program that asks for them is told what the network knows without: all other
    recordings of the person, or no scores.

    Args:
        call: The program.
        inputs: What it takes, in order.
        outputs: What it gives, in order.
    """

    def __init__(self, call: Call, *, inputs: tuple[str, ...], outputs: tuple[str, ...]) -> None:
        super().__init__()
        self._call, self._inputs, self._outputs = call, inputs, outputs
        self.heads = nn.ModuleDict({name: AsPredicted() for name in outputs if name not in EXTRAS})
        self.needs_history = SCORE in inputs

    def forward(self, batch: Batch) -> Output:
        """Run the program.

        Raises:
            ExportError: The batch holds what the program was not exported to read.
        """
        if "history" in batch and "row" in self._inputs and EARLIER not in self._inputs:
            raise ExportError(
                "this network was exported without earlier visits, as its protocol makes none known: it "
                "would look at later ones too. Evaluate without known=, or with ckpt_path="
            )
        found = self.answer({name: self._entry(batch, name) for name in self._inputs})
        found = {name: value.to(batch["mask"].device) for name, value in found.items()}
        return Output(
            logits={name: found[name] for name in self.heads},
            embedding=found["embedding"],
            context_available=found.get("context_available"),
            attention=found.get("attention"),
        )

    def answer(self, given: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """The outputs by name, on the CPU.

        Args:
            given: The inputs by name, on any device.
        """
        with torch.inference_mode():
            answers = self._call([given[name].detach().cpu() for name in self._inputs])
            return {name: value.clone() for name, value in zip(self._outputs, answers, strict=True)}

    def _entry(self, batch: Batch, name: str) -> Tensor:
        if name in (EARLIER, SCORE) and "history" not in batch:
            size = (len(batch["mask"]),) * 2
            return torch.full(size, torch.nan) if name == SCORE else torch.full(size, not self.needs_history)
        first, _, second = name.partition(".")
        value: Tensor = batch[first][second] if second else batch[first]
        return value


@dataclass(frozen=True)
class Exported:
    """A verified bundle.

    Attributes:
        format: Of its network, see `bundle.NETWORKS`.
        checkpoint: The record of its run; `path` is the bundle, and a program has no `state_dict`.
        network: The program; None where the bundle holds weights.
        card: What it says of itself.
        certificate: What was measured when it was exported.
    """

    format: str
    checkpoint: RunCheckpoint
    network: ExportedNetwork | None
    card: Mapping[str, Any]
    certificate: Mapping[str, Any]

    def config(self, run: Mapping[str, Any]) -> dict[str, Any]:
        """The config that its network is run with: a program normalizes frames itself, in float32."""
        if self.network is None:
            return dict(run)
        module = {**run["data"]["module"], "normalize": None}
        trainer = {**run["trainer"], "precision": "32-true"}
        return {**run, "data": {**run["data"], "module": module}, "trainer": trainer}

    def predictor(self, run: Mapping[str, Any]) -> Predictor:
        """What `Predictor.of` is for a checkpoint."""
        config = self.config(run)
        if self.network is None:
            return Predictor.of(self.checkpoint, config, one_device=True)
        return Predictor(task_of(self.network), prediction_trainer(config, one_device=True), config)


def task_of(network: ExportedNetwork) -> pl.LightningModule:
    """The task of an exported network, which predicts and cannot be trained."""
    # its heads lack what training asks for, and a module's attributes are not typed as its protocol's
    return Task(
        network=cast(Network, network), objective=Objective(), metrics=MeanMetric(), optimizer=torch.optim.SGD
    ).eval()


def open_exported(path: str | Path) -> Exported:
    """Verify a bundle and open its network.

    Raises:
        ExportError: It is altered or none, or its network cannot be run here.
        CheckpointError: The record of its run is none.
        ForbiddenTarget: That record names what a checkpoint may not name.
    """
    path = Path(path)
    members = read_bundle(path)
    try:
        record, card, certificate = (json.loads(members[name]) for name in (RECORD, CARD, CERTIFICATE))
        name = next(one for one, member in NETWORKS.items() if member in members)
        inputs, outputs = (tuple(str(one["name"]) for one in card[part]) for part in ("inputs", "outputs"))
    except (KeyError, TypeError, ValueError) as error:
        raise ExportError(f"{path}: no bundle of this project ({type(error).__name__})") from error
    try:
        content = members[NETWORKS[name]]
        state = weights_from_bytes(content) if name == "safetensors" else {}
        network = None if state else opened(name, content, inputs=inputs, outputs=outputs)
    except ExportError as error:
        raise ExportError(f"{path}: {error}") from error
    weights = certificate.get("weights")
    checkpoint = from_record(path, record, most=len(members[RECORD]), state_dict=state, weights=weights)
    return Exported(name, checkpoint, network, card, certificate)


def opened(
    name: str, content: bytes, *, inputs: tuple[str, ...], outputs: tuple[str, ...]
) -> ExportedNetwork:
    """The program of a format, `torch_export` or `onnx`, as a network.

    Raises:
        ExportError: See `formats`.
    """
    if name == "onnx":
        call = onnx_from_bytes(content, inputs=inputs, outputs=outputs)
    else:
        call = program_from_bytes(content)
    return ExportedNetwork(call, inputs=inputs, outputs=outputs)
