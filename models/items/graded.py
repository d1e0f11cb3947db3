"""GradedResponseHead: all answers by a latent severity, whose mean and spread are read from the embedding."""

from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from models.items.answers import check_answers, log_probability, reach
from models.items.head import ItemHead
from models.items.layout import Questionnaires
from models.items.parameters import Difficulties, of_training, shared_places
from models.items.quadrature import standard_normal
from models.items.start import start
from models.standardize import Statistics

_LEAST_SD = 0.05  # our choice, in standard deviations among the training persons
_AT_ONE = 0.4637  # softplus(0.4637) = 0.95: an untrained spread is 1
_WIDE, _ROUGH = 6.0, 41  # our choice: where the severity is looked for, in sigma, and at how many places
_NARROW = 0.1  # our choice, of sigma: nodes lie no closer, as those places cannot tell less
_SD = ("severity", "severity_sd")


class Severity(NamedTuple):
    """Mean and standard deviation of each severity, (B,D)."""

    mean: Tensor
    sd: Tensor


class GradedResponseHead(ItemHead):
    """Graded response model (Samejima 1969), a latent regression on the embedding (De Boeck & Wilson 2004).

        theta_d | v ~ N(mu_d(v), sigma_d(v)^2)
        P(y_j >= k | theta) = sigmoid(a_j (theta_d(j) - b_jk)),   a_j > 0,   b_j1 < b_j2 < ...

    The loss is the negative log marginal likelihood of the known answers, divided by
    their number, by adaptive Gauss-Hermite quadrature (Naylor & Smith 1982): the nodes of each row lie where
    its answers put the severity, which a sum over even steps says. Severities are independent given v, so
    each has an integral of its own.

    Identification: theta and (theta - u) / s say the same with a s and (b - u) / s. For each severity the
    mean of log a over its items, and the mean of b over its steps, are therefore constants and not learned,
    which fixes s and u whatever mu and sigma are. Training statistics choose the constants so that severities
    are about N(0, 1) among the training persons. Persons who answered different questionnaires are on one
    scale by mu and sigma being the same functions of v for all: equal embeddings mean equal severity,
    whatever was asked. Severities of several dimensions rest on different items, so nothing can be rotated.

    Args:
        dim: Width of the embedding.
        questionnaires: The items and which severity they measure, see `models.items.layout.Layout`.
        scale: The one of them that the data are labeled with.
        linked: Groups of item columns that share their discrimination; None links none.
        nodes: Q, fixed nodes of what is predicted before any answer; our choice.
        moved: Nodes of the likelihood. With these (our choice) the log of it is right to 5e-4 in the tests.

    Examples:
        >>> phq = {"columns": ["item_a", "item_b"], "highest": [3, 3], "factor": 1, "threshold": 2}
        >>> head = GradedResponseHead(dim=4, questionnaires={"PHQ-2": phq}, scale="PHQ-2")
        >>> head.predict(head(torch.randn(5, 4))).shape
        torch.Size([5, 2])
    """

    level: Tensor
    center: Tensor
    place: Tensor
    group: Tensor
    membership: Tensor
    nodes: Tensor
    weights: Tensor
    outer: Tensor
    inner: Tensor
    inner_log: Tensor

    def __init__(
        self,
        *,
        dim: int,
        questionnaires: Questionnaires,
        scale: str,
        linked: Sequence[Sequence[str]] | None = None,
        nodes: int = 81,
        moved: int = 31,
    ) -> None:
        super().__init__(dim=dim, questionnaires=questionnaires, scale=scale)
        severities = len(self.layout.dimensions)
        self.linear, self.spread = nn.Linear(dim, severities), nn.Linear(dim, severities)
        for part in (self.linear, self.spread):
            nn.init.zeros_(part.bias)
        groups = shared_places(self.layout.columns, linked or ())
        self.log_slope = nn.Parameter(torch.zeros(max(groups) + 1))
        self.steps = Difficulties(len(self.layout), self.layout.steps)
        self.register_buffer("level", torch.zeros(severities))
        self.register_buffer("center", torch.zeros(severities))
        z, weights = standard_normal(nodes)
        inner, inner_weights = standard_normal(moved)
        for name, value in (
            ("place", torch.tensor(self.layout.dimension)),
            ("group", torch.tensor(groups)),
            ("membership", self.layout.membership()),
            ("nodes", z.float()),
            ("weights", weights.float()),
            ("outer", torch.linspace(-_WIDE, _WIDE, _ROUGH)),
            ("inner", inner.float()),
            ("inner_log", (inner_weights.log() + inner**2 / 2).float()),
        ):
            self.register_buffer(name, value, persistent=False)

    @property
    def names(self) -> tuple[str, ...]:
        """What `named` returns."""
        return (*super().names, *(f"{name}_{what}" for name in self.layout.dimensions for what in _SD))

    @torch.no_grad()
    def set_statistics(self, stats: Statistics) -> None:
        """Start at what `item_shares` and `item_correlations` of the training answers say."""
        columns = self.layout.columns
        shares = of_training(stats, "item_shares", columns, self.layout.steps)
        correlations = of_training(stats, "item_correlations", columns, len(columns))
        slope, difficulty = start(shares, correlations, self.membership.cpu())
        count = torch.zeros(len(self.log_slope)).index_add(0, self.group.cpu(), torch.ones(len(slope)))
        shared = torch.zeros(len(self.log_slope)).index_add(0, self.group.cpu(), slope.log()) / count
        self.log_slope.copy_(shared)
        self.steps.start(difficulty)
        self.level.copy_(self._mean_slope())
        self.center.copy_(self._mean_step(self.steps()))

    def discriminations(self) -> Tensor:
        """Return a, (J,)."""
        away = (self.level - self._mean_slope())[self.place]
        return torch.exp(self.log_slope.float()[self.group] + away)

    def difficulties(self) -> Tensor:
        """Return b, (J,K); beyond an item's highest answer it says nothing."""
        b: Tensor = self.steps()
        return b + (self.center - self._mean_step(b))[self.place][:, None]

    def forward(self, v: Tensor) -> Tensor:
        """Return mean and untransformed spread of the severities, (B,2D)."""
        return torch.cat([self.linear(v), self.spread(v)], -1)

    def severity(self, raw: Tensor) -> Severity:
        """Return mu(v) and sigma(v): what is known of a person before any answer."""
        mean, spread = raw.float().chunk(2, -1)
        return Severity(mean, F.softplus(spread + _AT_ONE) + _LEAST_SD)

    def loss(self, raw: Tensor, target: Tensor, mask: Tensor) -> Tensor:
        """Return the negative log marginal likelihood of the known answers (B,J), over their number.

        Raises:
            ValueError: on an answer that the item does not have (checked on the CPU).
        """
        check_answers(target, mask, self.highest, self.layout.columns)
        return -self.log_likelihood(raw, target, mask).sum() / mask.sum().clamp_min(1)

    def log_likelihood(self, raw: Tensor, target: Tensor, mask: Tensor) -> Tensor:
        """Return the log marginal likelihood of each row's known answers, (B,)."""
        log_joint, _ = self._joint(raw, target, mask)
        return torch.logsumexp(log_joint, 1).sum(1)

    def posterior(self, raw: Tensor, target: Tensor, mask: Tensor) -> Severity:
        """Return mean (EAP) and standard deviation of the severities given v and the known answers."""
        return _moments(*self._joint(raw, target, mask))

    def chances(self, raw: Tensor) -> tuple[Tensor, Tensor]:
        """P(y >= k) (B,Q,J,K) at the nodes, and their weights (Q,)."""
        return reach(self._logits(self._fixed(raw)), self.possible), self.weights

    def named(self, raw: Tensor) -> dict[str, Tensor]:
        """Return every prediction, (B,) each, by its name; severities as `<dimension>_severity` and `_sd`."""
        found, known = super().named(raw), self.severity(raw)
        for place, name in enumerate(self.layout.dimensions):
            found[f"{name}_severity"] = known.mean[:, place]
            found[f"{name}_severity_sd"] = known.sd[:, place]
        return found

    def _fixed(self, raw: Tensor) -> Tensor:
        """Severities at the fixed nodes, (B,Q,D)."""
        known = self.severity(raw)
        return known.mean[:, None] + known.sd[:, None] * self.nodes[:, None]

    def _joint(self, raw: Tensor, target: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
        """Log of weight, density and likelihood at nodes around the answers, and the nodes, (B,Q,D) each."""
        known = self.severity(raw)
        with torch.no_grad():  # where the nodes lie changes the sum by its error alone
            theta = known.mean[:, None] + known.sd[:, None] * self.outer[:, None]
            rough = self._log_answers(theta, target, mask) - self.outer[:, None] ** 2 / 2
            place, spread = _moments(rough, theta)
            spread = torch.maximum(spread, _NARROW * known.sd)
        theta = place[:, None] + spread[:, None] * self.inner[:, None]
        z = (theta - known.mean[:, None]) / known.sd[:, None]
        log_density = (spread / known.sd).log()[:, None] - z**2 / 2
        return self._log_answers(theta, target, mask) + log_density + self.inner_log[:, None], theta

    def _logits(self, theta: Tensor) -> Tensor:
        """Logits of "k or more", (B,Q,J,K)."""
        own = self._of_items(theta).unsqueeze(-1)
        return self.discriminations()[:, None] * (own - self.difficulties())

    def _log_answers(self, theta: Tensor, target: Tensor, mask: Tensor) -> Tensor:
        """Log-likelihood of the known answers of each severity's items, (B,Q,D)."""
        parameters = self.discriminations(), self.difficulties()
        own = log_probability(self._of_items(theta), *parameters, target * mask, self.highest)
        own = own * mask.unsqueeze(1)
        sums = [torch.zeros_like(theta[..., 0])] * theta.shape[-1]
        for one in self.layout.questionnaires:
            sums[one.dimension] = sums[one.dimension] + own[..., one.items].sum(-1)
        return torch.stack(sums, -1)

    def _of_items(self, theta: Tensor) -> Tensor:
        """The severity that each item measures, (B,Q,J) of (B,Q,D)."""
        parts = [
            theta[..., one.dimension, None].expand(-1, -1, one.items.stop - one.items.start)
            for one in self.layout.questionnaires
        ]
        return torch.cat(parts, -1)

    def _mean_slope(self) -> Tensor:
        """Mean of the free log a over the items of each severity, (D,)."""
        return (self.membership * self.log_slope.float()[self.group]).sum(1) / self.membership.sum(1)

    def _mean_step(self, b: Tensor) -> Tensor:
        """Mean of free difficulties over the steps of each severity, (D,)."""
        inside = self.membership[..., None] * self.possible
        return (inside * b).sum((1, 2)) / inside.sum((1, 2))


def _moments(log_joint: Tensor, theta: Tensor) -> Severity:
    """Mean and standard deviation (B,D) of severities at nodes (B,Q,D) under their weights."""
    share = torch.softmax(log_joint, 1)
    mean = (share * theta).sum(1)
    return Severity(mean, (share * (theta - mean[:, None]) ** 2).sum(1).sqrt())
