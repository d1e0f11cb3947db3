"""Supervised contrast of one person at several severities against other persons at the same severity."""

import torch
from torch import Tensor, nn

from models.losses.gathering import join_rows, ranks
from models.losses.supcon import bands, supcon
from models.standardize import Statistics
from models.types import Batch, Output, of_personality

_TEMPERATURE = 0.1  # as in SupCon; our choice


class SeverityContrast(nn.Module):
    r"""Contrast whose positives differ in severity and whose negatives do not. Ours.

    With d_ij the difference of two visits' scores in standard deviations of the training scores, and
    a_ij = exp(-d_ij^2 / 2) how alike they are:

        positives   the same person on another visit, weight 1 - a_ip: a visit as severe as the anchor's
                    says nothing of what stays when severity changes
        negatives   other persons of the same severity band, weight a_in: severity does not tell them apart

    Where one of two visits has no score the pair is as in `SupCon`: the same person on another visit
    attracts and every other person repels, with weight 1.

    Args:
        temperature: of the similarities.
    """

    std: Tensor

    def __init__(self, *, temperature: float = _TEMPERATURE) -> None:
        super().__init__()
        if temperature <= 0:
            raise ValueError(f"temperature={temperature}: use one above 0, such as {_TEMPERATURE}")
        self.temperature = temperature
        self.register_buffer("std", torch.tensor(1.0))

    def set_statistics(self, stats: Statistics) -> None:
        """Store `score_std` of the training recordings; without scores no pair is weighted by it."""
        std = float(stats.get("score_std", torch.nan))
        self.std.fill_(std if std > 0 else 1.0)

    def forward(self, output: Output, batch: Batch) -> Tensor:
        """Return the loss of a batch; rows of unknown persons (negative code) take no part.

        In training on several ranks the batch is that of all ranks together, as in `SupCon`.
        """
        z = of_personality(output.personality, "contrast")
        z = z.float() if z.dtype in (torch.float16, torch.bfloat16) else z
        subject, visit, band, score = batch["subject"], batch["visit"], bands(batch), _scores(batch)
        if self.training and ranks() > 1:
            z, subject, visit, band, score = map(join_rows, (z, subject, visit, band, score))
        known = (subject >= 0)[:, None] & (subject >= 0)[None, :]
        same = subject[:, None] == subject[None, :]
        distance = (score[:, None] - score[None, :]) / self.std
        compared = ~distance.isnan() & (band >= 0)[:, None] & (band >= 0)[None, :]
        alike = torch.exp(-0.5 * distance.masked_fill(~compared, 0.0).square())
        attraction = torch.where(compared, 1.0 - alike, 1.0)
        positive = same & (visit[:, None] != visit[None, :]) & known & (attraction > 0)
        negative = ~same & known & (~compared | (band[:, None] == band[None, :]))
        weight = torch.where(same, attraction, torch.where(compared, alike, 1.0))
        tiny = torch.finfo(weight.dtype).tiny
        return supcon(
            z,
            positive,
            negative,
            temperature=self.temperature,
            log_weight=weight.clamp_min(tiny).log().to(z.dtype),
            attraction=attraction,
        )


def _scores(batch: Batch) -> Tensor:
    """Score of each row (B,) in points, NaN where it is unknown."""
    if "score" not in batch["targets"]:
        return torch.full(batch["subject"].shape, torch.nan, device=batch["subject"].device)
    score: Tensor = batch["targets"]["score"].masked_fill(~batch["target_mask"]["score"], torch.nan)
    return score
