"""The command `export.py`: a checkpoint to bundles that run without its classes, each with a certificate."""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import pandas as pd
from torch.export import ExportedProgram

from datamodules.commands import typed
from datamodules.manifests.manifest import Manifest
from engine.checkpoints.checkpoint import RunCheckpoint, record_of
from engine.cohort.restored_data import own_manifest
from engine.config.targets import trusting
from engine.config.value_ranges import check_settings
from engine.exporting import formats
from engine.exporting.bundle import (
    CARD,
    CERTIFICATE,
    NETWORKS,
    RECORD,
    ExportError,
    json_bytes,
    read_bundle,
    write_bundle,
)
from engine.exporting.card import card_of
from engine.exporting.certificate import (
    Answers,
    certificate_of,
    first_persons,
    parity_made_up,
    parity_recordings,
)
from engine.exporting.exported import Exported, opened
from engine.exporting.program import Program, made_up, named_outputs, program_of
from engine.inference.clip_predictions import Predictor, rebuild
from engine.inference.recorded_run import own_split, recorded_run
from engine.inference.trained_network import TrainedNetwork
from engine.runs.atomic_write import put
from engine.runs.provenance import RunManifest
from engine.runs.terminal import conclude, place_word, shown, trust_word

_log = logging.getLogger(__name__)
_CPU = {  # what a certificate is measured with
    "_target_": "pytorch_lightning.Trainer",
    "accelerator": "cpu",
    "precision": "32-true",
    "use_distributed_sampler": False,
    "enable_model_summary": False,
    "enable_progress_bar": False,
}
_EXAMPLE = (
    4  # clips of the batch that a program is traced with: more than one, as a size of 1 is traced apart
)


@dataclass(frozen=True)
class _Source:
    """A checkpoint, ready to be exported: its network as a program, and where its parity is measured."""

    checkpoint: RunCheckpoint
    run: Mapping[str, Any]
    trained: TrainedNetwork
    known: bool

    @property
    def program(self) -> Program:
        return program_of(self.trained, known=self.known)

    @property
    def batch(self) -> dict[str, Any]:
        return made_up(self.trained, clips=_EXAMPLE, seed=0, known=self.known)


@trusting
def export(config: Mapping[str, Any], *, folder: Path) -> list[Path]:
    """Write a bundle for each format, and its certificate beside it; return the bundles.

    Args:
        config: Resolved config of `conf/export.yaml`.
        folder: Where the record of this command goes.

    Raises:
        CheckpointError: The checkpoint is altered, or damaged.
        ExportError: The network cannot be exported, or answers otherwise than the checkpoint: nothing of
            this format is written.
    """
    forms = _forms(config["format"])
    check_settings(config)
    checkpoint, run = recorded_run({**config, "trainer": dict(_CPU)}, folder=folder)
    output = Path(config["output"] or checkpoint.path.resolve().parent.parent / "export")
    with RunManifest(folder=folder, config=config, place="before the first bundle") as record:
        source = _source(checkpoint, run)
        program, batch = source.program, source.batch
        graph = formats.traced(program, batch) if set(forms) - {"safetensors"} else None
        measured = _Measured.of(source, recordings=config["recordings"])
        written: list[Path] = []
        refused: list[ExportError] = []
        for form in forms:
            _log.info("exporting to %s", form)
            try:
                members, certificate = _members(form, source, program, graph, measured)
            except ExportError as error:  # the other formats are of use without it
                _log.error("%s", error)
                refused.append(error)
                continue
            path = output / f"{checkpoint.path.stem}.{form}.zip"
            write_bundle(path, members, certificate)
            put(path.with_suffix(".json"), read_bundle(path)[CERTIFICATE])
            written.append(path)
        record.record(checkpoint=str(checkpoint.path), bundles=[str(path) for path in written])
        if refused:
            there = ", ".join(shown(path) for path in written) or "no bundle"
            raise ExportError(f"{refused[0]}. Written: {there}") from refused[0]
    _conclude(written, folder, config)
    return written


def _forms(asked: Any) -> Sequence[str]:
    """The formats that are asked for; a wrong word costs no time."""
    if asked == "all":
        return tuple(NETWORKS)
    if asked not in NETWORKS:
        raise ExportError(f"format={asked}: write {', '.join(NETWORKS)}, or all")
    return (asked,)


def _source(checkpoint: RunCheckpoint, run: Mapping[str, Any]) -> _Source:
    data = checkpoint.config["data"]
    network = rebuild(checkpoint).get_submodule("network")
    trained = TrainedNetwork(network, data["module"], width=data.get("channels")).eval()
    return _Source(checkpoint, run, trained, known=checkpoint.split.get("known") is not None)


def _members(
    form: str, source: _Source, program: Program, graph: ExportedProgram | None, measured: "_Measured"
) -> tuple[dict[str, bytes], dict[str, Any]]:
    """The members of a bundle but for its certificate, and what that certifies."""
    checkpoint, card = source.checkpoint, card_of(source.checkpoint, program, source.batch, form=form)
    inputs, outputs = (tuple(one["name"] for one in card[part]) for part in ("inputs", "outputs"))
    answers: Answers
    if graph is None or form == "safetensors":
        content = formats.weights_to_bytes(checkpoint.state_dict)
        again = replace(checkpoint, state_dict=formats.weights_from_bytes(content))
        exported = Exported(form, again, None, card, {})
        answers = partial(named_outputs, _source(again, source.run).program)
    else:
        if form == "onnx":
            content = formats.onnx_to_bytes(graph, inputs=inputs, outputs=outputs)
        else:
            content = formats.program_to_bytes(graph)
        network = opened(form, content, inputs=inputs, outputs=outputs)
        exported = Exported(form, checkpoint, network, card, {})
        answers = network.answer
    parity = {
        "made_up": parity_made_up(program, answers, source.trained, known=source.known),
        "recordings": measured.against(exported, source.run),
    }
    members = {CARD: json_bytes(card), RECORD: json_bytes(record_of(checkpoint)), NETWORKS[form]: content}
    return members, certificate_of(checkpoint, form, parity)


@dataclass(frozen=True)
class _Measured:
    """What the checkpoint predicts for some recordings of validation, or why that is not known."""

    manifest: Manifest | None
    split: Any
    table: pd.DataFrame
    reason: str = ""

    @classmethod
    def of(cls, source: _Source, *, recordings: int) -> "_Measured":
        nothing = pd.DataFrame()
        if recordings == 0:
            return cls(None, None, nothing, "recordings=0: none was asked for")
        try:
            manifest = own_manifest(source.checkpoint, data=Path(source.run["paths"]["data"]))
        except (OSError, ValueError) as fault:
            _log.warning(
                "the certificate is of made-up batches alone; with paths.data=<folder of the recordings> it "
                "is of these, too: %s",
                fault,
            )
            return cls(None, None, nothing, "the recordings of the run are not at hand")
        split = own_split(source.checkpoint)
        chosen = first_persons(manifest, split.val, recordings)
        if not chosen:
            return cls(None, None, nothing, "the run has no validation recordings")
        part = replace(split, train=(), val=(), test=chosen)
        predict = Predictor.of(source.checkpoint, source.run, one_device=True)
        return cls(manifest, part, predict(manifest, part).table)

    def against(self, exported: Exported, run: Mapping[str, Any]) -> dict[str, Any]:
        if self.manifest is None:
            return {"reason": self.reason}
        return parity_recordings(self.table, exported.predictor(run)(self.manifest, self.split).table)


def _conclude(written: Sequence[Path], folder: Path, config: Mapping[str, Any]) -> None:
    rows = [("bundle", shown(path)) for path in written]
    given = [*place_word(config), *trust_word(config)]
    following = [" ".join([typed("eval"), f"exported={shown(path)}", *given]) for path in written]
    conclude("export is finished", folder, rows=rows, following=following)
