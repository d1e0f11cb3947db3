"""Answers under ordered logits: x_k is the logit of "k or more", falling in k.

Letters: J items, K steps, the most that an answer can be. An item with fewer steps than K has a mask (J,K)
that is False beyond its highest answer.
"""

import torch
from torch import Tensor
from torch.nn import functional as F


def log_probability(place: Tensor, slope: Tensor, steps: Tensor, answers: Tensor, highest: Tensor) -> Tensor:
    """Log of P(y) = s(x_y) - s(x_{y+1}), where x_k = slope (place - step_k), and s(x_0) = 1.

    Written as log s(x_y) + log s(-x_{y+1}) + log(1 - exp(x_{y+1} - x_y)), which neither cancels nor takes the
    log of 0; the last term is that of the distance of two steps, and the same at all places.

    Args:
        place: Where a row is on the scale of an item, (B,Q,J) at Q nodes.
        slope: (J,), above 0.
        steps: (J,K), rising in k.
        answers: (B,J) int64, of 0 to the highest.
        highest: (J,).

    Returns:
        (B,Q,J).
    """
    k = torch.arange(1, steps.shape[1] + 1, device=steps.device)
    reached, missed = answers > 0, answers < highest
    low = (steps * (k == answers.unsqueeze(-1))).sum(-1)  # a sum and no lookup: its gradient is one as well
    high = (steps * (k == answers.unsqueeze(-1) + 1)).sum(-1)
    between = torch.where(reached & missed, slope * (high - low), 1.0)
    distance = torch.log(-torch.expm1(-between)).masked_fill(~(reached & missed), 0.0)
    above = F.logsigmoid(slope * (place - low.unsqueeze(1))).masked_fill(~reached.unsqueeze(1), 0.0)
    below = F.logsigmoid(slope * (high.unsqueeze(1) - place)).masked_fill(~missed.unsqueeze(1), 0.0)
    return above + below + distance.unsqueeze(1)


def reach(logits: Tensor, possible: Tensor) -> Tensor:
    """P(y >= k), (...,J,K) for k = 1 to K; 0 beyond the highest answer."""
    return torch.sigmoid(logits) * possible


def categories(reached: Tensor) -> Tensor:
    """P(y = k), (...,J,K+1) for k = 0 to K, of P(y >= k)."""
    end = torch.ones_like(reached[..., :1])
    return torch.cat([end, reached], -1) - torch.cat([reached, torch.zeros_like(end)], -1)


def sum_distribution(probabilities: Tensor) -> Tensor:
    """Distribution of the sum of independent answers, (...,J*K+1) of P(y = k) (...,J,K+1), by convolution.

    Examples:
        >>> sum_distribution(torch.tensor([[0.5, 0.5], [0.5, 0.5]])).tolist()
        [0.25, 0.5, 0.25]
    """
    total = probabilities[..., 0, :]
    for item in range(1, probabilities.shape[-2]):
        total = _convolved(total, probabilities[..., item, :])
    return total


def _convolved(long: Tensor, short: Tensor) -> Tensor:
    """Convolution of (...,S) and (...,n) along the last dimension, (...,S+n-1): diagonals of their product.

    Each of the n rows of the product is made n wider, and read S + n - 1 at a time: every row then lies one
    further to the right than the one above it. An exported graph holds few steps of it.
    """
    n, size = short.shape[-1], long.shape[-1]
    product = F.pad(short.unsqueeze(-1) * long.unsqueeze(-2), (0, n)).flatten(-2)
    shape = (*product.shape[:-1], n, size + n - 1)
    return product[..., :-n].reshape(shape).sum(-2)


def check_answers(answers: Tensor, mask: Tensor, highest: Tensor, columns: tuple[str, ...]) -> None:
    """Refuse known answers that an item does not have; on the CPU, where it costs no synchronization.

    Raises:
        ValueError: Names the item and the answer.
    """
    if answers.device.type != "cpu" or torch.compiler.is_compiling():
        return
    beyond = ((answers < 0) | (answers > highest)) & mask
    if beyond.any():
        row, item = beyond.nonzero()[0].tolist()
        raise ValueError(
            f"{columns[item]}: an answer of {int(answers[row, item])}, the highest is {int(highest[item])}: "
            "correct the manifest, or `highest` in data.items"
        )
