"""Personality context for RARM: from the clip itself, the person's other visits, or the batch.

The choice decides what personalization can do for a new person. A negative subject code marks an unknown
person, of whom no other recording can be known. The published abstract names no context: all of them are
ours.
"""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from models.standardize import Statistics
from models.types import Batch, Context, entry

_SHRUNK = 2  # place of q m among what A reads
_REACH = 10.0  # steps of B: features differ by tenths between scores, which B would not reach; our choice


class ClipContext(nn.Module):
    """The clip's own personality feature, which is always available.

    A habit that nothing in the clip reveals cannot be removed from that clip; what this context achieves on
    unseen persons is bounded by how much of a habit shows beside the symptoms.
    """

    def __init__(self, *, detach: bool = False) -> None:
        super().__init__()
        self.detach = detach

    def forward(self, feature: Tensor, batch: Batch) -> Context:
        """Return the context of personality features (B,D)."""
        # Detached, only the contrast trains the personality; else the labels do too, through RARM.
        context = feature.detach() if self.detach else feature
        return Context(context, torch.ones(len(feature), dtype=torch.bool, device=feature.device))


class EnrolmentContext(nn.Module):
    r"""Mean personality feature of the person's *other* recordings in the batch; needs no label. Ours.

    c_i = mean over recordings r != r_i of subject s_i of (mean over the clips of r of f): every recording
    counts once, however many of its clips are in the batch, and a recording is never part of its own
    context. Where the protocol makes earlier visits known (`batch["history"]`), the others are those, and
    none that came later: what a prediction may look back on is then the same for every method. A batch with
    neither `subject` nor `row` says of nobody who it is: there is no context.
    """

    def __init__(self, *, detach: bool = False) -> None:
        super().__init__()
        self.detach = detach

    def forward(self, feature: Tensor, batch: Batch) -> Context:
        """Return the context of personality features (B,D).

        Raises:
            ValueError: the batch has one of `subject` and `row` without the other.
        """
        if "subject" not in batch and "row" not in batch:
            nobody = torch.zeros(len(feature), dtype=torch.bool, device=feature.device)
            return Context(torch.zeros_like(feature), nobody, visits=nobody.long())
        subject, row = (entry(batch, key, "the context of other visits") for key in ("subject", "row"))
        same_recording = row[:, None] == row[None, :]
        other = (subject[:, None] == subject[None, :]) & ~same_recording & (subject >= 0)[:, None]
        if "history" in batch:
            other = other & batch["history"]["earlier"]
        weight = other / same_recording.sum(1)  # each recording weighs 1 in total
        visits = weight.sum(1, keepdim=True)
        source = feature.detach() if self.detach else feature
        # Mean over the other recordings; where there is none the row is zero, and stays so.
        mean = (weight / visits.clamp_min(1.0)).to(source.dtype) @ source
        return Context(mean, other.any(1), visits=visits.squeeze(1).round().long())


class CalibratedContext(nn.Module):
    r"""What earlier visits of the person show beyond what their known scores explain. Ours.

        c_i = mean over earlier visits j of (f_j - B s_j)
        offset_i = A [m, l, q m, q l, q],   q = k / (k + 1)

    s_j is the score of visit j in standard deviations of the training scores, m the mean and l the last of
    the k earlier scores that are known. B and A are learned. B starts at zero, where c is the label-free mean
    of the earlier visits, and A where every head reads q m, the mean of the known scores drawn to that of all
    persons as far as few visits tell little (see `start_at_scores`). A visit without a score enters c without
    the term of B, and the offset not at all.
    Every visit counts once, however many of its clips are in the batch. Which visits are earlier is said by
    `batch["history"]`, which never holds the score of the visit itself or of a later one; without it nothing
    is known of anybody.
    """

    needs_history = True
    mean: Tensor
    std: Tensor

    def __init__(self, *, dim: int, detach: bool = False) -> None:
        super().__init__()
        self.detach = detach
        self.effect = nn.Parameter(torch.zeros(dim))  # B in steps of _REACH
        self.told = nn.Linear(5, dim, bias=False)  # A
        nn.init.zeros_(self.told.weight)
        self.register_buffer("mean", torch.tensor(0.0))
        self.register_buffer("std", torch.tensor(1.0))

    def start_at_scores(self, read: Sequence[Tensor]) -> None:
        """Let A begin as the shortest vector by which all that heads read, (.,D) each, moves by q m.

        From a start by chance a head may read earlier scores backwards, which a slow training of few persons
        does not turn round; from zero, scores were learned too late.
        """
        with torch.no_grad():
            self.told.weight[:, _SHRUNK] = torch.linalg.pinv(torch.cat([*read])).sum(1)

    def set_statistics(self, stats: Statistics) -> None:
        """Store `score_mean` and `score_std` of the training recordings.

        Raises:
            ValueError: the training recordings have no scores.
        """
        mean, std = (torch.as_tensor(stats.get(key, torch.nan)) for key in ("score_mean", "score_std"))
        if not (mean.isfinite() and std.isfinite()):
            raise ValueError(
                f"score_mean={float(mean)}, score_std={float(std)} in the training statistics: the "
                "calibrated context reads scores of earlier visits, and the training recordings have none; "
                "use model/context=enrolment"
            )
        self.mean.copy_(mean)
        self.std.copy_(torch.where(std > 0, std, 1.0))  # one single score in training: nothing to scale by

    def forward(self, feature: Tensor, batch: Batch) -> Context:
        """Return the context of personality features (B,D).

        Raises:
            ValueError: the batch has a `history`, but lacks `subject` or `visit`.
        """
        earlier, score = self._history(feature, batch)
        weight = earlier / self._clips_of_visit(feature, batch)  # each visit weighs 1 in total
        visits = weight.sum(1, keepdim=True)
        scored = earlier & ~score.isnan()
        standard = ((score.float() - self.mean) / self.std).masked_fill(~scored, 0.0)
        total = (weight * standard).sum(1, keepdim=True)
        source = feature.detach() if self.detach else feature
        shown = (weight / visits.clamp_min(1.0)).to(source.dtype) @ source
        rest = shown - _REACH * self.effect * (total / visits.clamp_min(1.0))
        offset = self.told(_summary(standard, weight * scored, _latest(earlier, scored), total))
        return Context(rest.to(source.dtype), earlier.any(1), offset, visits.squeeze(1).round().long())

    def _history(self, feature: Tensor, batch: Batch) -> tuple[Tensor, Tensor]:
        """Which rows are earlier visits, and their scores, both (B,B)."""
        if "history" in batch:
            return batch["history"]["earlier"], batch["history"]["score"]
        # No branch of its own: all parameters get a gradient (of zero), which DDP asks for.
        none = feature.new_zeros(len(feature), len(feature), dtype=torch.bool)
        return none, torch.full_like(none, torch.nan, dtype=torch.float32)

    def _clips_of_visit(self, feature: Tensor, batch: Batch) -> Tensor:
        """How many rows of the batch belong to the visit of each row, (B,)."""
        if "history" not in batch:
            return feature.new_ones(len(feature))
        subject, visit = (entry(batch, key, "the calibrated context") for key in ("subject", "visit"))
        return ((subject[:, None] == subject[None, :]) & (visit[:, None] == visit[None, :])).sum(1)


def _latest(earlier: Tensor, scored: Tensor) -> Tensor:
    """The rows of the latest scored visit before each row, (B,B) bool.

    A later visit has more earlier ones: their number is the order of visits.
    """
    place = torch.where(scored, earlier.sum(1)[None, :], -1)
    return scored & (place == place.amax(1, keepdim=True))


def _summary(standard: Tensor, weight: Tensor, latest: Tensor, total: Tensor) -> Tensor:
    """Mean and last of the known scores, and both times how far their number can be relied on, (B,5)."""
    count = weight.sum(1, keepdim=True)
    mean = total / count.clamp_min(1.0)
    last = (standard * latest).sum(1, keepdim=True) / latest.sum(1, keepdim=True).clamp_min(1)
    share = count / (count + 1.0)
    return torch.cat((mean, last, share * mean, share * last, share), 1)


class GivenContext(nn.Module):
    """A context that comes with the batch: holds it fixed while a recording itself is varied."""

    def forward(self, feature: Tensor, batch: Batch) -> Context:
        """Return `context`, `context_available` and, where there is one, `context_offset` of the batch."""
        return Context(batch["context"], batch["context_available"], batch.get("context_offset"))
