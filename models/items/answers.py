"""Answers under ordered logits: x_k is the logit of "k or more", falling in k.

Letters: J items, K steps, the most that an answer can be. An item with fewer steps than K has a mask (J,K)
that is False beyond its highest answer.
"""

import torch
from torch import Tensor
from torch.nn import functional as F


def log_probability(logits: Tensor, possible: Tensor, answers: Tensor) -> Tensor:
    """Log of P(y) = s(x_y) - s(x_{y+1}), where s(x_0) = 1 and nothing is above the highest answer.

    Written as log s(x_y) + log s(-x_{y+1}) + log(1 - exp(x_{y+1} - x_y)), which neither cancels nor takes the
    log of 0: for two logits of one item the last term is that of their distance.

    Args:
        logits: (...,J,K), falling strictly along the possible ones.
        possible: (J,K) bool.
        answers: (...,J) int64, of 0 to the highest; dimensions of size 1 stand for all.

    Returns:
        (...,J).
    """
    zero = torch.zeros_like(logits[..., :1])
    reached = torch.cat([zero, F.logsigmoid(logits)], -1)  # of 0 to K
    beyond = F.logsigmoid(-logits).masked_fill(~possible, 0.0)
    below = torch.cat([beyond, zero], -1)
    gap = (logits[..., :-1] - logits[..., 1:]).masked_fill(~possible[:, 1:], 1.0)
    between = torch.log(-torch.expm1(-gap)).masked_fill(~possible[:, 1:], 0.0)
    log_p = reached + below + torch.cat([zero, between, zero], -1)
    index = answers.unsqueeze(-1).expand(*log_p.shape[:-1], 1)
    return log_p.gather(-1, index).squeeze(-1)


def reach(logits: Tensor, possible: Tensor) -> Tensor:
    """P(y >= k), (...,J,K) for k = 1 to K; 0 beyond the highest answer."""
    return torch.sigmoid(logits) * possible


def categories(reached: Tensor) -> Tensor:
    """P(y = k), (...,J,K+1) for k = 0 to K, of P(y >= k)."""
    end = torch.ones_like(reached[..., :1])
    return torch.cat([end, reached], -1) - torch.cat([reached, torch.zeros_like(end)], -1)


def sum_distribution(probabilities: Tensor) -> Tensor:
    """Distribution of the sum of independent answers, (...,J*K+1) of P(y = k) (...,J,K+1), by convolution.

    Example:
        >>> sum_distribution(torch.tensor([[0.5, 0.5], [0.5, 0.5]])).tolist()
        [0.25, 0.5, 0.25]
    """
    steps = probabilities.shape[-1] - 1
    total = probabilities[..., 0, :]
    for item in range(1, probabilities.shape[-2]):
        own = probabilities[..., item, :]
        total = torch.stack(
            [F.pad(total * own[..., k : k + 1], (k, steps - k)) for k in range(steps + 1)]
        ).sum(0)
    return total


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
