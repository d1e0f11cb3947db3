"""Orthogonality loss between the embedding that the heads read and the personality feature."""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from models.types import Batch, Output, of_personality

_EPS = 1e-6


def difference(a: Tensor, b: Tensor) -> Tensor:
    """Difference loss of domain separation networks (arXiv 1608.06019): ||A^T B||_F^2 / N^2.

    A (N,D) and B (N,E) are centered over the batch and their rows scaled to unit norm first, so that
    neither a common offset nor the overall scale can satisfy or dominate it. In [0, 1]; zero for a batch of
    one.

    Examples:
        >>> x = torch.tensor([[1.0, 0.0], [-1.0, 0.0]])
        >>> difference(x, x).item(), difference(x, torch.tensor([[2.0], [2.0]])).item()
        (1.0, 0.0)
    """
    a, b = (F.normalize(x - x.mean(0, keepdim=True), dim=1, eps=_EPS) for x in (a, b))
    # sum_nm (a_n.a_m)(b_n.b_m) equals the squared norm of A^T B; elementwise, so that autocast keeps float32
    gram_a = (a[:, None, :] * a[None, :, :]).sum(-1)
    gram_b = (b[:, None, :] * b[None, :, :]).sum(-1)
    return (gram_a * gram_b).mean()


class Orthogonality(nn.Module):
    """Difference loss between the embedding of the heads and the personality feature."""

    def forward(self, output: Output, batch: Batch) -> Tensor:
        """Return the loss of a batch."""
        feature = of_personality(output.personality_feature, "orthogonality")
        dtype = torch.promote_types(output.embedding.dtype, torch.float32)
        return difference(output.embedding.to(dtype), feature.to(dtype))
