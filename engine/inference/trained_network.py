"""The network of a checkpoint for use from Python: a batch in, predictions in the labels' own units out."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

import torch
from torch import Tensor, nn

from engine.checkpoints.checkpoint import load_checkpoint, with_weights
from engine.config.build import build
from engine.inference.clip_predictions import rebuild
from models.predictions import predictions
from models.types import Batch, Output

_STORED = (torch.float32, torch.float16, torch.bfloat16)  # tokens
_ALSO = ("context_available", "embedding", "attention")  # of the output, beside the predictions


def load_network(path: str | Path, *, weights: Literal["ema", "raw"] | None = None) -> "TrainedNetwork":
    """The trained network of a `best.ckpt` or `last.ckpt`, on the CPU and in evaluation mode.

    Args:
        path: The checkpoint.
        weights: Which of its two sets, where it has two; see `engine.checkpoints.checkpoint.with_weights`.

    Raises:
        CheckpointError: The file is damaged, altered, or none of this project.
    """
    checkpoint = with_weights(load_checkpoint(path), weights)
    network = rebuild(checkpoint).get_submodule("network")
    data = checkpoint.config["data"]
    return TrainedNetwork(network, data["module"], width=data.get("channels")).eval()


class TrainedNetwork(nn.Module):
    """A network together with what its run did to a clip before the network saw it.

    Args:
        network: `network(batch) -> Output`, with `heads`; kept as the attribute `network`.
        module: The node `data.module` of its run.
        width: Of the tokens, where it reads those of `encode.py`.

    Attributes:
        reads: `frames`, `series` or `tokens`, the key of a batch that it reads.
        sets: How many feature sets the series is, whose `set_mask` it reads; 0 where it is none.
        channels: Names of the F channels of `series`, in their order; empty for frames.
        shape: Of one clip in the run's evaluation: (T, 3, H, W) of frames, (T, F) of series, (1, C) of
            tokens, of which there are as many as `encode.py` made.
    """

    def __init__(self, network: nn.Module, module: Mapping[str, Any], *, width: int | None = None) -> None:
        super().__init__()
        self.network = network
        self.normalize = build(module.get("normalize"), key="data.module.normalize")
        source, length = module["source"], module["eval_clips"]["length"]
        self.reads = "frames" if "video" in source else "series"
        if source["_target_"].endswith(".TokenClips"):
            self.reads, length = "tokens", 1
        self.channels = tuple(source.get("channels") or ())
        self.sets = 0
        if source["_target_"].endswith(".FeatureSetClips"):
            self.sets = len({channel.rpartition("/")[0] for channel in self.channels})
        self.shape: tuple[int, ...] = (length, len(self.channels) or width or 0)
        if self.reads == "frames":
            self.shape = (length, 3, source["video"]["height"], source["video"]["width"])

    def forward(self, batch: Batch) -> dict[str, Tensor]:
        """Predict clips, as `models.types.Batch` describes them; `frames` or `series` and `mask` are enough.

        Returns:
            For each head its prediction (B,): `score` in points, `binary` as a probability, `band`, and what
            `models.items.head.ItemHead` names; then `context_available` (B,) bool, `embedding` (B,D) and
            `attention` (B,T'), where the network has them.

        Raises:
            ValueError: It is no dict, a key is missing, or a tensor has another shape or type.
        """
        self._check(batch)
        if self.reads == "frames":  # as the data module does after a batch has come to the device
            frames = batch["frames"] if self.normalize is None else self.normalize(batch["frames"])
            batch = {**batch, "frames": frames * batch["mask"][:, :, None, None, None]}
        output: Output = self.network(batch)
        heads: Any = self.network.get_submodule("heads")
        found = predictions(heads, output.logits)
        return found | {name: value for name in _ALSO if (value := getattr(output, name)) is not None}

    def _check(self, batch: Any) -> None:
        if not isinstance(batch, Mapping):  # a bare tensor, as other networks take it
            raise ValueError(f"a batch is a dict, this is {type(batch).__name__}. {self._wanted()}")
        needed = (self.reads, "mask", *(["set_mask"] if self.sets else []))
        missing = [key for key in needed if key not in batch]
        if missing:
            raise ValueError(f"the batch lacks {missing[0]!r}, it holds {sorted(batch)}. {self._wanted()}")
        x, mask = batch[self.reads], batch["mask"]
        if not isinstance(x, Tensor) or not isinstance(mask, Tensor):
            raise ValueError(
                f"{self.reads!r} is a {type(x).__name__}, 'mask' a {type(mask).__name__}: give "
                f"tensors, as of torch.as_tensor. {self._wanted()}"
            )
        if self.reads == "frames":
            fits = x.dtype == torch.uint8 and x.ndim == 5 and x.shape[2] == 3
        else:
            kinds = _STORED if self.reads == "tokens" else (torch.float32,)
            fits = x.dtype in kinds and x.ndim == 3 and x.shape[2] == self.shape[1]
        if not fits or mask.dtype != torch.bool or mask.shape != x.shape[:2]:
            raise ValueError(
                f"{self.reads!r} is {tuple(x.shape)} {x.dtype}, 'mask' {tuple(mask.shape)} {mask.dtype}. "
                + self._wanted()
            )
        self._check_sets(batch)
        if not mask.any(dim=1).all():
            raise ValueError("a clip has no real step: 'mask' must be true somewhere in every row")
        for name in ("subject", "row"):
            if name in batch and (not isinstance(batch[name], Tensor) or batch[name].shape != mask.shape[:1]):
                raise ValueError(f"{name!r} must be a tensor of {len(mask)} numbers, one a clip")

    def _check_sets(self, batch: Mapping[str, Any]) -> None:
        if not self.sets:
            return
        real, shape = batch["set_mask"], (*batch["mask"].shape, self.sets)
        if not isinstance(real, Tensor) or real.dtype != torch.bool or real.shape != shape:
            raise ValueError(f"'set_mask' must be bool {shape}. {self._wanted()}")

    def _wanted(self) -> str:
        if self.reads == "frames":
            content = f"(B, T, 3, H, W) uint8, RGB of 0 to 255, clips of {self.shape} in its run"
        elif self.reads == "tokens":
            content = f"(B, N, {self.shape[1]}) of its encoder, float32 or as they are stored"
        else:
            content = f"(B, T, {len(self.channels)}) float32, the channels {', '.join(self.channels)}"
        sets = f", 'set_mask' (B, T, {self.sets}) bool, where each feature set is" if self.sets else ""
        return f"Give {self.reads!r} {content}, and 'mask' (B, T) bool, true where a step is real{sets}."
