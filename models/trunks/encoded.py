"""Tokens that a frozen encoder made before: they get their width, and the motion between them is taken up."""

from collections.abc import Callable

import torch
from torch import Tensor, nn

from models.masking import zero_masked


class EncodedTrunk(nn.Module):
    """Stored tokens (B,N,C) -> tokens (B,N,D).

    As `dim=None` without MMP they stay as they are, which gives the predictions of the frozen encoder in its
    place. With a width each is normalized by itself and mapped, `W LayerNorm(x) + b`: encoders differ in
    scale by orders. With `normalize` alone they are normalized, by no weights.

    Args:
        channels: C, width of the stored tokens.
        dim: D; None keeps C.
        places: Tokens of one step of time, where an encoder keeps several of a picture, step after step.
        mmp: MMP by width, over the steps of each place; None leaves the tokens apart.
        normalize: Whether tokens that keep their width are normalized.

    Raises:
        ValueError: Tokens of another width are given, or no whole number of steps.

    Examples:
        >>> trunk = EncodedTrunk(channels=384, dim=64)
        >>> trunk(torch.randn(2, 16, 384), torch.ones(2, 16, dtype=torch.bool)).shape
        torch.Size([2, 16, 64])
    """

    def __init__(
        self,
        *,
        channels: int,
        dim: int | None = None,
        places: int = 1,
        mmp: Callable[[int], nn.Module] | None = None,
        normalize: bool = False,
    ) -> None:
        super().__init__()
        self.channels, self.places = channels, places
        self.cells = places  # as trunks say it whose readout keeps space
        self.dim = channels if dim is None else dim
        self.project: nn.Module = nn.Identity()
        if dim is not None:
            self.project = nn.Sequential(nn.LayerNorm(channels), nn.Linear(channels, dim))
        elif normalize:
            self.project = nn.LayerNorm(channels, elementwise_affine=False)
        self.motion = None if mmp is None else mmp(self.dim)

    def forward(self, x: Tensor, mask: Tensor) -> Tensor:
        """Map tokens under their mask (B,N); unreal ones are zero."""
        if x.shape[-1] != self.channels or x.shape[1] % self.places:
            raise ValueError(
                f"the store has {x.shape[1]} tokens of width {x.shape[-1]} a window, this network reads "
                f"width {self.channels} and {self.places} tokens a step: set data.channels={x.shape[-1]}, "
                "and data.places to what encode.py told, a divisor of their number"
            )
        tokens: Tensor = zero_masked(self.project(zero_masked(x, mask).to(self._dtype())), mask)
        return tokens if self.motion is None else zero_masked(self._moved(tokens, mask), mask)

    def _moved(self, tokens: Tensor, mask: Tensor) -> Tensor:
        """MMP over time, place by place."""
        assert self.motion is not None
        clips, places = len(tokens), self.places
        by_place = tokens.reshape(clips, -1, places, self.dim).transpose(1, 2).flatten(0, 1)
        real = mask.reshape(clips, -1, places).transpose(1, 2).flatten(0, 1)
        moved: Tensor = self.motion(by_place, real)
        return moved.reshape(clips, places, -1, self.dim).transpose(1, 2).flatten(1, 2)

    def _dtype(self) -> torch.dtype:
        """Of the weights, as tokens may be stored at half precision."""
        return next((weight.dtype for weight in self.parameters()), torch.float32)
