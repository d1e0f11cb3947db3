"""Gauss-Hermite quadrature: the mean of a function of a normal variable as a sum over few nodes."""

import torch
from torch import Tensor

_MOST = 500  # our choice: no integral here needs as many


def standard_normal(nodes: int) -> tuple[Tensor, Tensor]:
    """Nodes (Q,) and weights (Q,) of E[f(z)] = sum_q w_q f(z_q) for z ~ N(0, 1), exact for degree 2Q - 1.

    By the eigenvalues of the Jacobi matrix of the Hermite polynomials (Golub & Welsch 1969), in double
    precision.

    Raises:
        ValueError: There are fewer than two nodes, or more than make sense.

    Examples:
        >>> z, w = standard_normal(5)
        >>> round(float((w * z**4).sum()), 6)
        3.0
    """
    if not 2 <= nodes <= _MOST:
        raise ValueError(f"nodes={nodes}: quadrature takes 2 to {_MOST}")
    beside = torch.arange(1, nodes, dtype=torch.float64, device="cpu").sqrt()
    z, vectors = torch.linalg.eigh(torch.diag(beside, 1) + torch.diag(beside, -1))
    weights = vectors[0] ** 2
    # symmetric to the last digit, so that the mean of an odd function is exactly 0
    return (z - z.flip(0)) / 2, (weights + weights.flip(0)) / 2
