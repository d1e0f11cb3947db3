"""Supervised contrastive loss whose positives are clips of the same person on another visit."""

import math
from typing import Literal

import torch
from torch import Tensor, nn

from models.losses.gathering import join_rows, ranks
from models.types import Batch, Output, of_personality

_TEMPERATURE = 0.1  # .07 of the paper is unstable below some 32 rows; our choice
_NEVER = -1e30  # logit of an excluded pair: finite, so that an empty denominator stays finite


def supcon(
    z: Tensor,
    positive: Tensor,
    negative: Tensor,
    *,
    temperature: float,
    log_weight: Tensor | None = None,
    attraction: Tensor | None = None,
) -> Tensor:
    r"""Supervised contrastive loss L_out (Khosla et al. 2020, arXiv 2004.11362) for given pairs.

    L = mean_i -1/|P(i)| sum_{p in P(i)} u_ip [ s_ip - log sum_{a in P(i) + N(i)} w_ia exp(s_ia) ],  s = z z^T
    / temperature,  where anchor i counts as often as its positives weigh on average (once with u = 1)

    Args:
        z: (B,E) unit-norm embeddings.
        positive: (B,B) bool, P; anchors without one are skipped.
        negative: (B,B) bool, N; pairs in neither set count nowhere.
        temperature: of the similarities.
        log_weight: (B,B) log w of the denominator's terms; None for w = 1.
        attraction: (B,B) u of the positives, from 0 to 1; None for u = 1.

    Returns:
        Mean over the anchors with a positive; zero with a gradient if there are none.
    """
    # elementwise and not a matmul: autocast would run that in bfloat16
    logits = (z[:, None, :] * z[None, :, :]).sum(-1) / temperature
    weighted = logits if log_weight is None else logits + log_weight
    log_total = weighted.masked_fill(~(positive | negative), _NEVER).logsumexp(1, keepdim=True)
    pull = positive.to(z.dtype) if attraction is None else attraction.to(z.dtype) * positive
    pull = pull / positive.sum(1, keepdim=True).clamp_min(1)
    gain = (pull * (logits - log_total)).sum()
    # Without an anchor this is zero that depends on z: DDP expects a gradient on every rank.
    return -gain / pull.sum().clamp_min(torch.finfo(z.dtype).tiny)


class SupCon(nn.Module):
    """Contrast on the personality projection: the same subject attracts, other subjects repel.

    Args:
        positives: "cross_visit": the same subject on another visit, which is what makes the feature stable;
            "same_visit": another clip of the same visit (ablation). Pairs of the other kind are left out of
            the denominator: they are the same person, so they must not repel.
        temperature: of the similarities.
        hard_weight: weight of other subjects of the same severity band in the denominator; above 1 the
            branch cannot get by on severity. 1 turns it off.
    """

    def __init__(
        self,
        *,
        positives: Literal["cross_visit", "same_visit"] = "cross_visit",
        temperature: float = _TEMPERATURE,
        hard_weight: float = 2.0,
    ) -> None:
        super().__init__()
        if positives not in ("cross_visit", "same_visit"):
            raise ValueError(f"positives={positives!r}: choose cross_visit or same_visit")
        if temperature <= 0 or hard_weight < 1:
            raise ValueError(
                f"temperature={temperature}, hard_weight={hard_weight}: use a temperature above 0 and "
                "a weight of at least 1 (1 turns hard negatives off)"
            )
        self.positives = positives
        self.temperature = temperature
        self.hard_weight = hard_weight

    def forward(self, output: Output, batch: Batch) -> Tensor:
        """Return the loss of a batch; rows of unknown persons (negative code) take no part.

        In training on several ranks the batch is that of all ranks together, see `gathering.join_rows`: the
        loss and the gradient that the ranks' mean has are those of one process on the joined batch. In
        evaluation, where ranks may see different numbers of batches, it is this rank's own.
        """
        z = of_personality(output.personality, "contrast")
        # Only low precision is raised: float64 stays as it is, for checks of gradients.
        z = z.float() if z.dtype in (torch.float16, torch.bfloat16) else z
        subject, visit, band = batch["subject"], batch["visit"], bands(batch)
        if self.training and ranks() > 1:
            z, subject, visit, band = (join_rows(rows) for rows in (z, subject, visit, band))
        # Everybody unknown has the same code, which says neither that two of them are one person nor that
        # they are two.
        known = (subject >= 0)[:, None] & (subject >= 0)[None, :]
        same = subject[:, None] == subject[None, :]
        same_visit = visit[:, None] == visit[None, :]
        if self.positives == "cross_visit":
            positive = same & ~same_visit
        else:
            positive = same & same_visit & ~torch.eye(len(subject), dtype=torch.bool, device=subject.device)
        negative = ~same & known
        # Among persons as severe as the anchor, severity does not help to tell who is who: they weigh more.
        hard = negative & (band[:, None] == band[None, :]) & (band >= 0)[:, None]
        log_weight = hard.to(z.dtype) * math.log(self.hard_weight)
        return supcon(z, positive & known, negative, temperature=self.temperature, log_weight=log_weight)


def bands(batch: Batch) -> Tensor:
    """Return the severity band of each row (B,), -1 where it is unknown."""
    if "band" not in batch["targets"]:
        return torch.full_like(batch["subject"], -1)
    return torch.where(batch["target_mask"]["band"], batch["targets"]["band"], -1)
