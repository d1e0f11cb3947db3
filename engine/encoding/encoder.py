"""A frozen branch that encodes clips, and the digest by which a store knows it."""

import hashlib
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor, nn

from models.masking import like

Precision = Literal["float32", "float16", "bfloat16"]


@dataclass(frozen=True, kw_only=True)
class Encoder:
    """A frozen branch with what goes before it, from frames to tokens.

    Attributes:
        branch: `branch(batch) -> (tokens (B,N,D), mask (B,N))`, as `models.mpdrm.branches.MDFN`.
        normalize: Of frames, as the data module does it; None leaves them.
        device: Where it runs, as torch names it.
        batch: Clips at once.
        precision: Of stored tokens; the encoder itself runs at float32.
    """

    branch: nn.Module
    normalize: nn.Module | None
    device: str = "cpu"
    batch: int = 16
    precision: Precision = "float16"

    @property
    def places(self) -> int:
        """Tokens of one step of time, which training is told as `data.places`."""
        return int(getattr(self.branch, "cells", 1))

    @torch.inference_mode()
    def __call__(self, frames: Tensor, mask: Tensor) -> Tensor:
        """Frames (B,T,3,H,W) uint8 and mask (B,T) -> tokens (B,N,D) on the CPU, NaN where they are unreal.

        Raises:
            OverflowError: A token is larger than `precision` holds, or so small that nothing of it is kept.
        """
        branch = self.branch.eval().to(self.device)
        x, real = frames.to(self.device), mask.to(self.device)
        if self.normalize is not None:
            x = self.normalize.to(self.device)(x)
        tokens, known = branch({"frames": x * like(real, x), "mask": real})
        kept: Tensor = tokens.to(getattr(torch, self.precision))
        if not kept[known].isfinite().all():
            raise OverflowError(
                f"a token is larger than {self.precision} holds: encode with precision=bfloat16 or float32"
            )
        if (tokens.any(dim=-1) & ~kept.any(dim=-1) & known).any():
            raise OverflowError(
                f"a token is smaller than {self.precision} holds, and would be all zero: encode with "
                "precision=float32, or bfloat16 in place of float16"
            )
        return kept.masked_fill(~known.unsqueeze(-1), torch.nan).cpu()


def weights_digest(branch: nn.Module) -> str:
    """SHA-256 of names, shapes and values of all weights and buffers, wherever they came from."""
    digest = hashlib.sha256()
    for name, value in sorted(branch.state_dict().items()):
        digest.update(f"{name} {value.dtype} {tuple(value.shape)}\n".encode())
        digest.update(value.detach().cpu().contiguous().reshape(-1).view(torch.uint8).numpy().tobytes())
    return digest.hexdigest()
