"""Attentive pool: a learned query reads all tokens by cross-attention, the probe of frozen encoders.

As the attentive probe of V-JEPA (Bardes et al. 2024, arXiv 2404.08471): a query q, learned,

    h = LayerNorm(tokens),   y = q + concat over heads of softmax(W_q q . W_k h / sqrt(d)) W_v h
    v = y + MLP(LayerNorm(y))

Ours: masked tokens get no weight, four heads by default, and no relief from a personality context.
"""

import torch
from torch import Tensor, nn

_MLP = 4  # width of the hidden layer by that of the tokens, as published
_STD = 0.02  # of the query at the start, as published


class AttentivePool(nn.Module):
    """Pools tokens over time and space by one learned query; a `Pool` without relief.

    Args:
        dim: D.
        heads: how many ways to look; a divisor of D.

    Raises:
        ValueError: the width cannot be divided among the heads.

    Examples:
        >>> pool, nobody = AttentivePool(dim=16, heads=2), torch.zeros(3, dtype=torch.bool)
        >>> v, attention = pool(torch.randn(3, 20, 16), torch.ones(3, 20) > 0, torch.zeros(3, 16), nobody)
        >>> v.shape, attention.shape
        (torch.Size([3, 16]), torch.Size([3, 20]))
    """

    def __init__(self, *, dim: int, heads: int = 4) -> None:
        super().__init__()
        if dim % heads:
            raise ValueError(f"dim={dim} cannot be divided among heads={heads}: choose a divisor of {dim}")
        self.dim, self.heads = dim, heads
        self.query = nn.Parameter(torch.empty(dim))
        nn.init.trunc_normal_(self.query, std=_STD)
        self.norm = nn.LayerNorm(dim)
        self.ask = nn.Linear(dim, dim)
        self.read = nn.Linear(dim, 2 * dim)
        self.refine = nn.Sequential(
            nn.LayerNorm(dim), nn.Linear(dim, _MLP * dim), nn.GELU(), nn.Linear(_MLP * dim, dim)
        )

    def relieve(self, tokens: Tensor, context: Tensor, available: Tensor) -> Tensor:
        """Return the tokens as they are."""
        return tokens

    def forward(
        self, tokens: Tensor, mask: Tensor, context: Tensor, available: Tensor
    ) -> tuple[Tensor, Tensor]:
        """Return the pooled embedding (B,D) and the attention (B,N), the mean over heads, both in float32."""
        key, value = self.read(self.norm(tokens)).unflatten(-1, (2, self.heads, -1)).unbind(2)  # (B,N,h,d)
        query = self.ask(self.query).unflatten(-1, (self.heads, -1))
        scores = torch.einsum("hd,bnhd->bhn", query, key).float() * query.shape[-1] ** -0.5
        hidden = ~mask[:, None]
        weights = scores.masked_fill(hidden, torch.finfo(scores.dtype).min).softmax(-1)
        weights = weights.masked_fill(hidden, 0.0)  # also where no token is real
        seen = torch.einsum("bhn,bnhd->bhd", weights, value.float()).flatten(1)
        y = self.query.float() + seen
        return (y + self.refine(y)).float(), weights.mean(1)
