"""RARM: removes from depression tokens what the personality context explains, then pools by attention.

The published abstract says that RARM enhances the depression representation; that it does so by taking
personal habit away is our reading. The nearest published mechanism is the two-step frame attention of the
same group's earlier work (self-attention, then relation to a global anchor). The variants below are ours and
share one contract:

    relieved_t = tokens_t minus what the context c explains           (`relieve`, identity without a context)
    h_t        = relieved_t + MLP(norm(relieved_t))                   the same refinement in every variant
    w_t        = sigmoid(a . h_t) (1 - r_t)                           r_t: relation of step t to the person
    v          = sum_t w_t h_t / sum_t w_t

Rows without a context keep their tokens (relief is the identity, r = 0), and every parameter still gets a
gradient.
"""

from abc import ABC

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from models.masking import masked_mean, silence

_EPS = 1e-6
_REACH = 30.0  # r of RelationBoth: our choice, measured in decision 0032


class _Rarm(nn.Module, ABC):
    """The shared contract: `rarm(tokens (B,T,D), mask (B,T), context (B,D), available (B,))`."""

    def __init__(self, *, dim: int, dropout: float = 0.0) -> None:
        super().__init__()
        self.dim = dim
        self.refine = nn.Sequential(
            nn.LayerNorm(dim), nn.Linear(dim, dim), nn.GELU(), nn.Dropout(dropout), nn.Linear(dim, dim)
        )
        self.attend = nn.Linear(dim, 1)
        nn.init.zeros_(self.attend.weight)  # start at the plain mean
        nn.init.zeros_(self.attend.bias)

    def _relieve(self, tokens: Tensor, context: Tensor) -> Tensor:
        return tokens

    def _relation(self, tokens: Tensor, context: Tensor) -> Tensor:
        return tokens.new_zeros(tokens.shape[:2])

    def relieve(self, tokens: Tensor, context: Tensor, available: Tensor) -> Tensor:
        """Return tokens (B,T,D) without what the context (B,D) explains; unchanged where there is none."""
        relieved = self._relieve(tokens, context).to(tokens.dtype)
        return torch.where(available[:, None, None], relieved, tokens)

    def forward(
        self, tokens: Tensor, mask: Tensor, context: Tensor, available: Tensor
    ) -> tuple[Tensor, Tensor]:
        """Return the pooled embedding (B,D) and the attention (B,T), both in float32."""
        relieved = self.relieve(tokens, context, available)
        # `where` and no branch: without any context the parameters still get a gradient, which DDP asks for.
        relation = torch.where(available[:, None], self._relation(tokens, context).float(), 0.0)
        refined = silence(relieved + self.refine(relieved), mask).float()
        weight = torch.sigmoid(self.attend(refined).squeeze(-1).float()) * (1.0 - relation) * mask
        # A clip whose every step the gate mutes, or padding alone, pools to almost nothing and not to NaN.
        attention = weight / weight.sum(1, keepdim=True).clamp_min(_EPS)
        return (attention.unsqueeze(-1) * refined).sum(1), attention


class _StepRelation(nn.Module):
    """r_t = sigmoid(w . [f_t, c, f_t * c]): how much of step t is the person rather than the state."""

    def __init__(self, *, dim: int) -> None:
        super().__init__()
        self.score = nn.Linear(3 * dim, 1)

    def forward(self, tokens: Tensor, context: Tensor) -> Tensor:
        person = context.unsqueeze(1).expand_as(tokens)
        together = torch.cat((tokens, person, tokens * person), -1)
        return torch.sigmoid(self.score(together).squeeze(-1))


class MeanPool(nn.Module):
    """The mean of the real tokens, without relief, refinement and parameters: what baselines pool by."""

    def __init__(self, *, dim: int) -> None:
        super().__init__()
        self.dim = dim

    def relieve(self, tokens: Tensor, context: Tensor, available: Tensor) -> Tensor:
        """Return the tokens as they are."""
        return tokens

    def forward(
        self, tokens: Tensor, mask: Tensor, context: Tensor, available: Tensor
    ) -> tuple[Tensor, Tensor]:
        """Return the mean (B,D) and the uniform attention over the real steps (B,T), both in float32."""
        attention = mask / mask.sum(1, keepdim=True).clamp_min(1)
        return masked_mean(tokens.float(), mask), attention


class AttentionPool(_Rarm):
    """RARM off: the same refinement and self-attention, no relief and no relation."""


class RelationGate(_Rarm):
    """Steps that look like the person weigh less: w_t = a_t (1 - r_t); tokens are left as they are."""

    def __init__(self, *, dim: int, dropout: float = 0.0) -> None:
        super().__init__(dim=dim, dropout=dropout)
        self.relation = _StepRelation(dim=dim)

    def _relation(self, tokens: Tensor, context: Tensor) -> Tensor:
        relation: Tensor = self.relation(tokens, context)
        return relation


class RelationProjection(_Rarm):
    """The component of every token along one direction read from the context is removed: f - (f.u) u."""

    def __init__(self, *, dim: int, dropout: float = 0.0) -> None:
        super().__init__(dim=dim, dropout=dropout)
        self.direction = nn.Linear(dim, dim, bias=False)

    def _relieve(self, tokens: Tensor, context: Tensor) -> Tensor:
        unit = F.normalize(self.direction(context).float(), dim=-1, eps=_EPS).unsqueeze(1)  # (B,1,D)
        return tokens - (tokens * unit).sum(-1, keepdim=True) * unit


class RelationCross(_Rarm):
    """Tokens query the context and are relieved of the answer: f_t - 2 sigmoid(q_t . k) V c, by head.

    There is one context vector, so attention's softmax would be constant; the sigmoid lets each step say
    how much of the answer applies to it. V and the queries start at zero: no relief at first, then plain
    subtraction f - V c, which is exact for an additive habit, and only then anything finer. Pooling uses
    the relation gate as well.
    """

    def __init__(self, *, dim: int, heads: int = 4, dropout: float = 0.0) -> None:
        super().__init__(dim=dim, dropout=dropout)
        if dim % heads:
            raise ValueError(f"dim={dim} cannot be divided among heads={heads}: choose a divisor of {dim}")
        self.heads = heads
        self.query = nn.Linear(dim, dim)
        self.key = nn.Linear(dim, dim)
        self.value = nn.Linear(dim, dim, bias=False)
        self.relation = _StepRelation(dim=dim)
        # Keys start at random, as queries of zero would otherwise never get a gradient.
        for start in (self.query.weight, self.query.bias, self.value.weight):
            nn.init.zeros_(start)

    def start_at_difference(self) -> None:
        """Initialize to f - c instead of f, which is right if context and tokens come from equal trunks."""
        nn.init.eye_(self.value.weight)

    def _relieve(self, tokens: Tensor, context: Tensor) -> Tensor:
        query = self.query(tokens).unflatten(-1, (self.heads, -1))  # (B,T,h,D/h)
        key = self.key(context).unflatten(-1, (self.heads, -1)).unsqueeze(1)
        value = self.value(context).unflatten(-1, (self.heads, -1)).unsqueeze(1)
        relevance = (query * key).sum(-1, keepdim=True) * query.shape[-1] ** -0.5  # (B,T,h,1)
        # 2 sigmoid(0) = 1: as long as queries are zero, V c is subtracted as it is.
        answer: Tensor = 2.0 * torch.sigmoid(relevance) * value
        return tokens - answer.flatten(-2)

    def _relation(self, tokens: Tensor, context: Tensor) -> Tensor:
        relation: Tensor = self.relation(tokens, context)
        return relation


class RelationBoth(RelationCross):
    """RelationCross with a difference of its own beside it: f_t + r (K f_t - L c) - 2 sigmoid(q_t . k) V c.

    K and L start at zero. K puts back what of the recording is worth more than its difference, which has lost
    the severity that lasts; L takes back the noise of other visits where no habit hides anything. Both have
    steps r times as large as other weights, as a short training ends before V is unlearned.
    """

    def __init__(self, *, dim: int, heads: int = 4, dropout: float = 0.0) -> None:
        super().__init__(dim=dim, heads=heads, dropout=dropout)
        self.keep = nn.Linear(dim, dim, bias=False)
        self.leave = nn.Linear(dim, dim, bias=False)
        nn.init.zeros_(self.keep.weight)
        nn.init.zeros_(self.leave.weight)

    def _relieve(self, tokens: Tensor, context: Tensor) -> Tensor:
        own: Tensor = self.keep(tokens) - self.leave(context).unsqueeze(1)
        return super()._relieve(tokens, context) + _REACH * own
