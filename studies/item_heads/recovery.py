"""Recovery: persons whose severity and items are known answer once; what a fit finds again.

Severity is half told by features, `theta = sqrt(.5) x w + sqrt(.5) e`. Items are 21 as in the BDI-II, with
discriminations drawn from 0.8 to 2.8 and three difficulties each (our choice: from items that hardly say
anything to those of the synthetic cohort).
"""

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from datamodules.manifests.questionnaires import SUBSCALES
from models.items.graded import GradedResponseHead
from studies.item_heads.persons import plain, statistics

FEATURES, FRESH = 16, 1000
_TOLD = 0.5  # share of the variance of severity that features tell
_ROUNDS = 120

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Truth:
    """Persons and items: features (N,F), severities (N,), answers (N,J), a (J,) and b (J,3)."""

    features: Array
    severity: Array
    answers: NDArray[np.int64]
    a: Array
    b: Array


def simulate(persons: int, seed: int) -> Truth:
    """Draw items, and persons who answer them."""
    rng = np.random.default_rng(seed)
    items = len(SUBSCALES["BDI-II"])
    a = rng.uniform(0.8, 2.8, items)
    b = np.sort(
        rng.normal(0.6, 0.8, (items, 1)) + np.array([-0.7, 0.2, 0.9]) + rng.normal(0, 0.1, (items, 3))
    )
    weights = rng.standard_normal(FEATURES)
    x = rng.standard_normal((persons, FEATURES))
    noise = rng.standard_normal(persons)
    theta = np.sqrt(_TOLD) * x @ weights / np.linalg.norm(weights) + np.sqrt(1 - _TOLD) * noise
    chance = 1 / (1 + np.exp(-a[:, None] * (theta[:, None, None] - b)))
    answers = (rng.random((persons, items, 1)) < chance).sum(-1)
    return Truth(x, theta, answers, a, b)


def fit(head: GradedResponseHead, x: Tensor, answers: Tensor) -> None:
    """Maximize the marginal likelihood of all answers, by L-BFGS."""
    mask = torch.ones_like(answers, dtype=torch.bool)
    optimizer = torch.optim.LBFGS(head.parameters(), max_iter=_ROUNDS, line_search_fn="strong_wolfe")

    def closure() -> float:
        optimizer.zero_grad()
        loss = head.loss(head(x), answers, mask)
        torch.autograd.backward(loss)
        return loss.item()

    optimizer.step(closure)  # type: ignore[no-untyped-call]


def recover(*, persons: int, seed: int) -> dict[str, float]:
    """Correlations of true and fitted values, of one simulation.

    Severities given the answers are of the persons of the fit; those read from features alone are of `FRESH`
    others, whose answers nobody saw.
    """
    truth = simulate(persons + FRESH, seed)
    torch.manual_seed(seed)
    head = GradedResponseHead(dim=FEATURES, questionnaires=plain("BDI-II"), scale="BDI-II")
    head.set_statistics(statistics(truth.answers[:persons], head.layout.columns))
    started = head.discriminations().detach().numpy(), head.difficulties().detach().numpy()
    x = torch.tensor(truth.features, dtype=torch.float32)
    answers = torch.tensor(truth.answers)
    fit(head, x[:persons], answers[:persons])
    with torch.no_grad():
        given = head.posterior(head(x[:persons]), answers[:persons], torch.ones(1, dtype=torch.bool))
        fresh = head.severity(head(x[persons:]))
    a, b = head.discriminations().detach().numpy(), head.difficulties().detach().numpy()
    old, new = truth.severity[:persons], truth.severity[persons:]
    # the fit has a place and a unit of its own, which its items tell: a s and (b - u) / s
    unit = float(np.exp(np.mean(np.log(a) - np.log(truth.a))))
    origin = float(truth.b.mean() - unit * b.mean())
    eap, eap_sd = (unit * part[:, 0].numpy() for part in given)
    told, told_sd = (unit * part[:, 0].numpy() for part in fresh)
    return {
        "discrimination": _r(a, truth.a),
        "difficulty": _r(b.ravel(), truth.b.ravel()),
        "severity": _r(eap, old),
        "severity_predicted": _r(told, new),
        "held": float((np.abs(eap + origin - old) < 1.96 * eap_sd).mean()),
        "held_predicted": float((np.abs(told + origin - new) < 1.96 * told_sd).mean()),
        "discrimination_start": _r(started[0], truth.a),
        "difficulty_start": _r(started[1].ravel(), truth.b.ravel()),
    }


def _r(x: Array, y: Array) -> float:
    return float(np.corrcoef(x, y)[0, 1])
