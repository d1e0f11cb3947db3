"""The baseline network beside MPDRM: a trunk, a mean over time, the same heads."""

from collections.abc import Mapping

from torch import nn

from models.masking import masked_mean, token_mask
from models.mpdrm.network import as_heads, as_module
from models.standardize import Statistics, set_statistics
from models.types import Batch, Output


class VideoNetwork(nn.Module):
    """Input, trunk, masked mean of the tokens, heads: no personality and no attention of its own.

    Args:
        input: what the trunk sees, see `models.inputs`.
        trunk: usually `models.trunks.video.VideoTrunk`.
        heads: name -> head; null heads are dropped.
    """

    def __init__(self, *, input: nn.Module, trunk: nn.Module, heads: Mapping[str, nn.Module | None]) -> None:
        super().__init__()
        self.input = as_module("input", input)
        self.trunk = as_module("trunk", trunk)
        self.heads = as_heads(heads, int(self.trunk.dim))  # type: ignore[arg-type]

    def set_statistics(self, stats: Statistics) -> None:
        """Store the statistics of the training recordings."""
        set_statistics(self, stats)

    def forward(self, batch: Batch) -> Output:
        """Return logits and embedding; the attention is uniform over the real steps."""
        x, mask = self.input(batch)
        tokens = self.trunk(x, mask)
        mask = token_mask(mask, tokens.shape[1])
        v = masked_mean(tokens.float(), mask)
        attention = mask / mask.sum(1, keepdim=True).clamp_min(1)
        return Output(
            logits={name: head(v) for name, head in self.heads.items()}, embedding=v, attention=attention
        )
