"""Tensor legend and the contract between networks, objective and task.

Legend: B clips, T frames, T' steps a trunk returns, C H W pixels, F series channels, D feature width,
E width of the contrast space. A mask is True where a step is real.
"""

from typing import Any, NamedTuple, Protocol

from torch import Tensor

Batch = dict[str, Any]
"""A collated batch: `frames` (B,T,C,H,W) or `series` (B,T,F), `mask` (B,T), targets, codes and ids."""


class Output(NamedTuple):
    """What every network returns for a batch.

    Attributes:
        logits: head name -> raw head output, (B,) or (B, bands - 1).
        embedding: (B,D) what the heads read.
        personality: (B,E) unit-norm projection the contrast works on; None without a personality branch.
        personality_feature: (B,D) pooled personality tokens before the projection.
        context_available: (B,) bool, whether RARM knew the person; None where there is no context.
        attention: (B,T') weights of the pooled steps, in [0, 1], summing to 1 over the real steps.
        plain: (B,D) mean depression token before RARM; for probes, so None while training.
        relieved: (B,D) the same mean after RARM's relief, before refinement and attention; None while
            training and where there is no context.
    """

    logits: dict[str, Tensor]
    embedding: Tensor
    personality: Tensor | None = None
    personality_feature: Tensor | None = None
    context_available: Tensor | None = None
    attention: Tensor | None = None
    plain: Tensor | None = None
    relieved: Tensor | None = None


class Trunk(Protocol):
    """Anything that turns frames or series into tokens."""

    dim: int

    def __call__(self, x: Tensor, mask: Tensor) -> Tensor:
        """Map (B,T,...) and its mask (B,T) to tokens (B,T',D)."""
        ...
