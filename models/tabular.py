"""A transformer for tables (Gorishniy et al., NeurIPS 2021, arXiv 2106.11959), with a token per channel."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn


class FeatureTokenizer(nn.Module):
    r"""Features (N,F) -> tokens (N,G,D): :math:`t_g = b_g + \sum_{f \in g} x_f w_f`.

    With every feature in a group of its own this is the tokenizer of the paper, section 3.3. Attention costs
    the square of the number of tokens, and the twelve statistics of a channel resemble each other, so ours
    share a token (our choice).

    Args:
        groups: Token of each feature (F), numbered from 0 without a gap.
        dim: D.

    Raises:
        ValueError: A number is left out.
    """

    member: Tensor

    def __init__(self, *, groups: Sequence[int], dim: int) -> None:
        super().__init__()
        count = len(set(groups))
        if not groups or set(groups) != set(range(count)):
            raise ValueError(f"groups {sorted(set(groups))} are not numbered from 0 without a gap")
        self.register_buffer("member", nn.functional.one_hot(torch.tensor(groups), count).float())
        bound = dim**-0.5  # the paper's uniform initialization
        self.weight = nn.Parameter(torch.empty(len(groups), dim).uniform_(-bound, bound))
        self.bias = nn.Parameter(torch.empty(count, dim).uniform_(-bound, bound))

    def forward(self, x: Tensor) -> Tensor:
        """Return the tokens."""
        spread = self.member[:, :, None] * self.weight[:, None]  # one matrix product instead of F small ones
        return self.bias + (x @ spread.flatten(1)).view(-1, *self.bias.shape)


class TabularTransformer(nn.Module):
    """Standardized features (N,F) -> logits (N,): tokens, pre-norm layers, the token of the class.

    Differs from FT-Transformer in the tokens of `FeatureTokenizer` and in GELU for ReGLU.

    Args:
        groups: Token of each feature (F).
        dim: D of a token.
        layers: Transformer layers.
        heads: Of the attention.
        dropout: In the layers.
    """

    def __init__(
        self, *, groups: Sequence[int], dim: int = 32, layers: int = 2, heads: int = 4, dropout: float = 0.1
    ) -> None:
        super().__init__()
        self.tokenizer = FeatureTokenizer(groups=groups, dim=dim)
        self.summary = nn.Parameter(torch.empty(dim).uniform_(-(dim**-0.5), dim**-0.5))
        layer = nn.TransformerEncoderLayer(
            dim, heads, 2 * dim, dropout, activation="gelu", batch_first=True, norm_first=True
        )
        self.encoder = nn.TransformerEncoder(layer, layers, enable_nested_tensor=False)
        self.head = nn.Sequential(nn.LayerNorm(dim), nn.ReLU(), nn.Linear(dim, 1))

    def forward(self, x: Tensor) -> Tensor:
        """Return the logits."""
        tokens = self.tokenizer(x)
        summary = self.summary.expand(len(x), 1, -1)
        read = self.encoder(torch.cat((summary, tokens), 1))[:, 0]
        logits: Tensor = self.head(read).squeeze(1)
        return logits
