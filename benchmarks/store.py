"""What a store of tokens saves: `python -m benchmarks.store`.

The same probe is trained in one process on the same windows in the same batches and epochs: end to end
through a frozen video transformer, and from tokens that it stored before. Frames lie in memory, so nothing is
decoded or resized, which a store saves as well. The ratio travels between machines, seconds do not.
"""

import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from datamodules.clips.tokens import as_stored, as_tensor
from datamodules.clips.transforms import Normalize
from datamodules.command_line import run
from engine.encoding.encoder import Encoder, Precision
from models.heads import BinaryHead
from models.inputs import Appearance, Tokens
from models.mpdrm.attentive_pool import AttentivePool
from models.mpdrm.branches import MDFN
from models.mpdrm.network import MPDRM
from models.mpdrm.rarm import MeanPool
from models.objective import Objective
from models.optim import parameter_groups
from models.trunks.encoded import EncodedTrunk
from models.trunks.vit_video import VitVideoTrunk
from models.types import Batch

PRECISIONS: tuple[Precision, ...] = ("float32", "float16", "bfloat16")
RATE = 1e-4  # small enough that no prediction ends at 0 or 1, where nothing differs; our choice


def main(
    *,
    windows: int = 64,
    frames: int = 16,
    size: int = 64,
    epochs: int = 5,
    batch: int = 16,
    preset: str = "small",
    attentive: bool = True,
) -> None:
    """Measure and show CPU seconds of both, their ratio, and how far predictions differ at each precision.

    Args:
        windows: Of all recordings.
        frames: Of a window.
        size: Pixels of a side, a multiple of 16.
        epochs: Of both trainings.
        batch: Windows of a step.
        preset: Of the encoder: small, base, large.
        attentive: Whether a learned query pools the tokens; else their mean is read.
    """
    clips, labels = _drawn(windows, frames, size)
    torch.manual_seed(0)
    encoder = MDFN(trunk=VitVideoTrunk(preset=preset, dim=None), input=Appearance()).eval()
    encoder.requires_grad_(False)
    normalize = Normalize(mean=[0.485, 0.456, 0.406], std=[0.229, 0.224, 0.225])
    through = Through(encoder, normalize, clips)
    given: Any = {"epochs": epochs, "size": batch}
    expected, begun = _trained(through, labels, _probe(encoder.dim, attentive=attentive), **given)
    sys.stdout.write(
        f"{'attentive' if attentive else 'linear'} probe on {windows} windows of {frames} frames of {size} x "
        f"{size}, ViT {preset}, {epochs} epochs in batches of {batch}: through the frozen encoder "
        f"{begun:.2f} s of CPU, predictions {expected.min():.2f} to {expected.max():.2f}\n"
    )
    with tempfile.TemporaryDirectory() as folder:
        for precision in PRECISIONS:
            made = time.process_time()
            store = Stored.of(through, Path(folder) / f"{precision}.npy", precision=precision, size=batch)
            made = time.process_time() - made
            found, spent = _trained(store, labels, _probe(encoder.dim, attentive=attentive), **given)
            sys.stdout.write(
                f"{precision}: stored once in {made:.2f} s, from the store {spent:.3f} s, ratio "
                f"{begun / spent:.0f}; predictions differ by at most {(found - expected).abs().max():.1e}\n"
            )


class Through:
    """Windows by their numbers, through the frozen encoder each time."""

    def __init__(self, encoder: MDFN, normalize: nn.Module, clips: Tensor) -> None:
        self.encoder, self.normalize, self.clips = encoder, normalize, clips

    def __call__(self, rows: Tensor) -> Tensor:
        """Tokens (B,N,D) of some windows."""
        mask = torch.ones(len(rows), self.clips.shape[1], dtype=torch.bool)
        with torch.no_grad():
            tokens: Tensor = self.encoder({"frames": self.normalize(self.clips[rows]), "mask": mask})[0]
        return tokens


class Stored:
    """Windows by their numbers, out of a mapped file as `encode.py` writes it."""

    def __init__(self, path: Path) -> None:
        self.tokens = np.load(path, mmap_mode="r")

    @classmethod
    def of(cls, source: Through, path: Path, *, precision: Precision, size: int) -> "Stored":
        """Write the file."""
        encode = Encoder(branch=source.encoder, normalize=source.normalize, precision=precision)
        parts = [
            encode(clips, torch.ones(clips.shape[:2], dtype=torch.bool))
            for clips in torch.split(source.clips, size)
        ]
        np.save(path, as_stored(torch.cat(parts)))
        return cls(path)

    def __call__(self, rows: Tensor) -> Tensor:
        """Tokens (B,N,D) of some windows."""
        return as_tensor(self.tokens[rows.numpy()])


def _drawn(windows: int, frames: int, size: int) -> tuple[Tensor, Tensor]:
    """Frames uint8 of noise whose half is brighter in one class, and labels."""
    torch.manual_seed(0)
    labels = (torch.arange(windows) % 2).float()
    clips = torch.randint(200, (windows, frames, 3, size, size), dtype=torch.uint8)
    clips[labels > 0, ..., : size // 2] += 40
    return clips, labels


def _trained(
    tokens_of: Callable[[Tensor], Tensor], labels: Tensor, network: MPDRM, *, epochs: int, size: int
) -> tuple[Tensor, float]:
    """Predictions of a probe after its training, and the CPU seconds that training took."""
    torch.manual_seed(1)  # of the order
    objective, heads = Objective(), dict(network.heads.items())
    optimizer = torch.optim.AdamW(parameter_groups(network), lr=RATE)
    known, begun = torch.ones(size, dtype=torch.bool), time.process_time()
    for _ in range(epochs):
        for rows in torch.split(torch.randperm(len(labels)), size):
            scored = known[: len(rows)]
            batch = _batch(tokens_of(rows))
            batch |= {
                "scored": scored,
                "targets": {"binary": labels[rows]},
                "target_mask": {"binary": scored},
            }
            loss = objective(heads, network(batch), batch)["loss"]
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
    spent = time.process_time() - begun
    network.eval()
    with torch.no_grad():
        parts = [
            network(_batch(tokens_of(rows))).logits["binary"]
            for rows in torch.split(torch.arange(len(labels)), size)
        ]
    return torch.cat(parts).sigmoid(), spent


def _batch(tokens: Tensor) -> Batch:
    return {"tokens": tokens, "mask": torch.ones(tokens.shape[:2], dtype=torch.bool)}


def _probe(width: int, *, attentive: bool) -> MPDRM:
    """Tokens that are each normalized by itself, a pool and a linear head, the same whenever it is made."""
    torch.manual_seed(0)
    branch = MDFN(trunk=EncodedTrunk(channels=width, normalize=True), input=Tokens())
    heads = {"binary": BinaryHead(dim=width)}
    pool = AttentivePool(dim=width) if attentive else MeanPool(dim=width)
    return MPDRM(depression=branch, personality=None, context=None, rarm=pool, heads=heads)


if __name__ == "__main__":
    sys.exit(run(main))
