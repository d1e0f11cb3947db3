"""A trained network with its normalization as one function of tensors: what is exported."""

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from engine.exporting.bundle import ExportError
from engine.inference.trained_network import TrainedNetwork
from models.predictions import predictions
from models.types import Output

EARLIER, SCORE = "history.earlier", "history.score"
EXTRAS = ("context_available", "embedding", "attention")  # of the output, beside the predictions
_CLIPS = 4  # of the batch a network is traced with: no size of a layer, and more than one; our choice


class Program(nn.Module):
    """A network as a function of tensors in a fixed order, from raw clips to predictions in their own units.

    Frames are uint8 RGB of 0 to 255, and normalized inside; series are in the units of their files.

    Args:
        trained: The network and what its run did to a clip.
        inputs: Names of what is given: the content, `mask`, then of `set_mask`, `subject`, `row`, `visit`,
            `history.earlier`, `history.score` those that the network reads; see `models.types.Batch`.
    """

    def __init__(self, trained: TrainedNetwork, *, inputs: Sequence[str]) -> None:
        super().__init__()
        self.network, self.normalize = trained.network, trained.normalize
        self.reads, self.inputs = trained.reads, tuple(inputs)

    def forward(self, *given: Tensor) -> tuple[Tensor, ...]:
        """Predictions (B,) by head, then of `context_available`, `embedding`, `attention` those there are."""
        return tuple(named_outputs(self, dict(zip(self.inputs, given, strict=True))).values())


def named_outputs(program: Program, given: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """What a program returns, by name."""
    batch: dict[str, Any] = {name: value for name, value in given.items() if "." not in name}
    if EARLIER in given:
        missing = torch.full_like(given[EARLIER], torch.nan, dtype=torch.float32)
        batch["history"] = {"earlier": given[EARLIER], "score": given.get(SCORE, missing)}
    if program.reads == "frames":  # as the data module does
        frames = batch["frames"] if program.normalize is None else program.normalize(batch["frames"])
        batch["frames"] = frames * batch["mask"][:, :, None, None, None]
    output: Output = program.network(batch)
    heads: Any = program.network.get_submodule("heads")
    found = predictions(heads, output.logits)
    return found | {name: value for name in EXTRAS if (value := getattr(output, name)) is not None}


def program_of(trained: TrainedNetwork, *, known: bool) -> Program:
    """The program of a network, with the inputs that it reads.

    Args:
        trained: In evaluation mode.
        known: Whether its protocol makes earlier visits known, so that every batch has a `history`.

    Raises:
        ExportError: It reads tokens of `encode.py`.
    """
    if trained.reads == "tokens":
        raise ExportError(
            "this network reads tokens of encode.py, which no clip comes as: export a network that holds its "
            "encoder (model=mpdrm_timm, or mpdrm_video), or go on with ckpt_path="
        )
    batch = made_up(trained, clips=_CLIPS, seed=0, known=known)
    watched = _Watched({name: value for name, value in batch.items() if "." not in name})
    if known:
        watched["history"] = _Watched({"earlier": batch[EARLIER], "score": batch[SCORE]}, prefix="history.")
    if trained.reads == "frames":
        watched["frames"] = batch["frames"].float()
    with torch.inference_mode():
        trained.network(watched)
    read = watched.read | (watched["history"].read if known else set())
    optional = [name for name in ("set_mask", "subject", "row", "visit", EARLIER, SCORE) if name in read]
    return Program(trained, inputs=[trained.reads, "mask", *optional]).eval()


def made_up(trained: TrainedNetwork, *, clips: int, seed: int, known: bool = False) -> dict[str, Tensor]:
    """A batch of noise with every input: two recordings of two clips a person, one unknown, padded clips.

    Args:
        trained: Says what a clip is.
        clips: B.
        seed: Of the noise.
        known: Also `visit` and the history of earlier visits, each with a score.
    """
    draw = torch.Generator().manual_seed(seed)
    shape = (clips, *trained.shape)
    length = torch.randint(1, trained.shape[0] + 1, (clips, 1), generator=draw)
    mask = torch.arange(trained.shape[0]) < length
    if trained.reads == "frames":
        content = torch.randint(0, 256, shape, generator=draw).to(torch.uint8)
        content = content * mask[:, :, None, None, None]
    else:
        content = torch.randn(shape, generator=draw) * mask[:, :, None]
    order = torch.arange(clips)
    subject, row = order // 4, order // 2
    subject = torch.where(subject == 1, -1, subject)  # the second person is unknown
    batch = {trained.reads: content, "mask": mask, "subject": subject, "row": row}
    if trained.sets:
        real = torch.rand((*mask.shape, trained.sets), generator=draw) < 0.7  # at least one at every step
        batch["set_mask"] = (real | ~real.any(2, keepdim=True)) & mask[:, :, None]
    if known:
        same = (subject[:, None] == subject[None, :]) & (subject >= 0)[:, None]
        earlier = same & (row[None, :] < row[:, None])
        score = torch.where(earlier, 10.0 + row[None, :], torch.nan)
        batch |= {"visit": row.clone(), EARLIER: earlier, SCORE: score}
    return batch


class _Watched(dict[str, Any]):
    """A batch that notes which of its entries are read."""

    def __init__(self, content: Mapping[str, Any], *, prefix: str = "") -> None:
        super().__init__(content)
        self.read: set[str] = set()
        self._prefix = prefix

    def __getitem__(self, name: str) -> Any:
        self.read.add(f"{self._prefix}{name}")
        return super().__getitem__(name)

    def get(self, name: str, default: Any = None) -> Any:
        """As of a dict."""
        self.read.add(f"{self._prefix}{name}")
        return super().get(name, default)
