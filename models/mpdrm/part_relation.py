"""Relation attention between the parts of a face and the whole: which parts count in this frame.

The mechanism is that of the same group's earlier PRA-Net (Comput. Biol. Med. 157, 106589, 2023), known to us
from its abstract; the form of its two weights follows Frame Attention Networks (Meng et al. 2019), which
weighs frames as PRA-Net weighs parts. For the features f_i of P parts:

    alpha_i = sigmoid(a . f_i)                                  self-attention
    g       = sum_i alpha_i f_i / sum_i alpha_i                 global anchor
    beta_i  = sigmoid(b . [f_i, g, f_i * g])                    relation of the part to the whole
    w_i     = P alpha_i beta_i / sum_i alpha_i beta_i
    v       = W [w_1 f_1, ..., w_P f_P, g]

| choice | source |
|---|---|
| parts are regions of the feature map, not of the picture | PRA-Net, abstract |
| self-attention weighs each part; its relation to the whole refines the weight | PRA-Net, abstract |
| all parts are aggregated with both weights, together with the whole | PRA-Net, abstract |
| sigmoids of linear maps, the anchor as the weighted mean | Frame Attention Networks |
| which parts: the whole, upper and lower half, a grid, at several stages of the trunk | ours |
| the product f_i * g beside both, so that a part can be compared with the whole | ours, as in RARM |
| each part has columns of W of its own: a mean over parts would not know where things are | ours |
| weights of mean 1 that start at 1: the readout starts as a flattened grid | ours |
"""

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from models.trunks.readout import NO_WIDTH

LAYOUTS = ((1, 1), (2, 1), (4, 4))  # rows, columns: the whole, upper and lower half, a grid; our choice
_SQUEEZED = 16  # channels kept per part: half of the flattened grid's, as two stages are read; our choice
_EPS = 1e-6


class PartRelation(nn.Module):
    """Weights of parts by themselves and by their relation to the whole: f (N,P,S) -> w (N,P), g (N,S).

    The weights have a mean of 1 over the parts and are 1 before training. Both results are float32.

    Args:
        width: S.
    """

    def __init__(self, *, width: int) -> None:
        super().__init__()
        self.attend = nn.Linear(width, 1)
        self.relate = nn.Linear(3 * width, 1)
        for layer in (self.attend, self.relate):
            nn.init.zeros_(layer.weight)  # every part counts the same at first
            nn.init.zeros_(layer.bias)

    def forward(self, parts: Tensor) -> tuple[Tensor, Tensor]:
        """Return the weights and the global anchor."""
        alpha = torch.sigmoid(self.attend(parts).float())  # (N,P,1)
        whole = (alpha * parts).sum(1, keepdim=True) / alpha.sum(1, keepdim=True).clamp_min(_EPS)
        anchor = whole.expand(-1, parts.shape[1], -1)
        together = torch.cat((parts.float(), anchor, parts * anchor), -1)
        both = alpha * torch.sigmoid(self.relate(together).float())
        weights = both / both.mean(1, keepdim=True).clamp_min(_EPS)
        return weights.squeeze(-1), whole.squeeze(1)


def region_means(layouts: Sequence[Sequence[int]], height: int, width: int) -> Tensor:
    """Return the share (P,HW) of each pixel of a map in the mean of each region, layout by layout.

    Examples:
        >>> region_means([(2, 1)], 2, 2).tolist()
        [[0.5, 0.5, 0.0, 0.0], [0.0, 0.0, 0.5, 0.5]]
    """
    # One product with a matrix serves all layouts; the gradient of adaptive pooling is random on a GPU.
    pixels = torch.eye(height * width).view(-1, 1, height, width)
    pooled = [F.adaptive_avg_pool2d(pixels, (rows, columns)).flatten(1) for rows, columns in layouts]
    return torch.cat(pooled, 1).T


class PartReadout(nn.Module):
    """Maps (N,C,H,W) -> tokens (N,D): parts of several spatial scales, weighed against the whole.

    The mean of the map, at full width and without a weight, is read beside the parts.

    Args:
        channels: C of the maps.
        dim: D of the tokens.
        layouts: rows and columns of each scale; (1, 1) is the whole map, (2, 1) its upper and lower half.

    Raises:
        ValueError: no width, no layout, or one without rows or columns.

    Examples:
        >>> PartReadout(channels=8, dim=16)(torch.randn(2, 8, 6, 6)).shape
        torch.Size([2, 16])
    """

    def __init__(self, *, channels: int, dim: int | None, layouts: Sequence[Sequence[int]] = LAYOUTS) -> None:
        super().__init__()
        if dim is None:
            raise ValueError(NO_WIDTH)
        if not layouts or any(len(layout) != 2 or min(layout) < 1 for layout in layouts):
            raise ValueError(
                f"layouts={[list(layout) for layout in layouts]}: give rows and columns of each scale, e.g. "
                "layouts=[[1,1],[2,1],[4,4]]"
            )
        self.layouts = tuple((layout[0], layout[1]) for layout in layouts)
        count = sum(rows * columns for rows, columns in self.layouts)
        self.squeeze = nn.Conv2d(channels, _SQUEEZED, 1)
        self.relation = PartRelation(width=_SQUEEZED)
        self.linear = nn.Linear(channels + _SQUEEZED * (count + 1), dim)

    def parts(self, maps: Tensor) -> Tensor:
        """Return the features of all parts, (N,P,S), layout by layout and row by row."""
        means = region_means(self.layouts, *maps.shape[-2:]).to(maps)
        cells = self.squeeze(maps).flatten(2)  # (N,S,HW)
        return torch.einsum("nsk,pk->nps", cells, means)

    def forward(self, maps: Tensor) -> Tensor:
        """Return the tokens."""
        parts = self.parts(maps)
        weights, whole = self.relation(parts)
        weighed = (weights.unsqueeze(-1) * parts).flatten(1)
        tokens: Tensor = self.linear(torch.cat((maps.mean((-2, -1)), weighed, whole), 1))
        return tokens
