"""Simulated persons for the study: faces and answers that follow from one severity, which is known.

Habits, days, faces and questionnaires are those of the synthetic cohort; severities are drawn here, so that
persons can be made who do not change, or change by a chosen number of points. Letters: `P` persons, `V`
visits, `F` statistics of a recording, `J` items.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache

import numpy as np
from numpy.typing import NDArray

from datamodules.synthetic.behavior import behave, statistics
from datamodules.synthetic.latent import LatentSettings, Visit, draw_cohort
from datamodules.synthetic.questionnaire import DOMAINS, answer

Array = NDArray[np.float64]

VISITS = 6
_FPS, _SECONDS = 15.0, 8.0
_HIGHEST = 50.0  # points: who would come to more by a change gets better by as much instead
_GRID = np.linspace(-4, 4, 81)
_DRAWS = 60  # questionnaires behind each point of the curve


@dataclass(frozen=True)
class Persons:
    """Persons with all their visits.

    Attributes:
        features: Statistics of the recordings (P, V, F).
        scores: Totals of the BDI-II (P, V).
        items: Its answers (P, V, J).
        true: Totals that are to be expected of the severity (P, V).
    """

    features: Array
    scores: Array
    items: Array
    true: Array

    def some(self, chosen: slice) -> "Persons":
        """Some of the persons."""
        return Persons(*(own[chosen] for own in (self.features, self.scores, self.items, self.true)))

    def visits(self, chosen: slice) -> "Persons":
        """Some of the visits."""
        return Persons(*(own[:, chosen] for own in (self.features, self.scores, self.items, self.true)))


def draw(count: int, *, seed: int, stability: float, stable: bool = False) -> Persons:
    """Persons with a share `stability` of severity between them; `stable` ones keep their first severity."""
    visits, rng = _visits(count, seed), np.random.default_rng([seed, count])
    severity = np.empty((count, VISITS))
    for visit in visits:
        place = visit.person.index, visit.index
        new = np.sqrt(stability) * visit.person.level + np.sqrt(1 - stability) * rng.standard_normal()
        severity[place] = severity[place[0], 0] if stable and visit.index else new
    return _recorded(visits, severity, seed)


def last_changed(base: Persons, *, seed: int, points: float) -> Persons:
    """Stable persons that `draw` made of this seed, with a last visit so many expected points away."""
    visits = _visits(len(base.true), seed)
    goal = base.true[:, 0] + np.where(base.true[:, 0] + points <= _HIGHEST, points, -points)
    moved = np.repeat(np.interp(goal, expected(), _GRID)[:, None], VISITS, axis=1)
    last = _recorded([visit for visit in visits if visit.index == VISITS - 1], moved, seed + 1)
    return Persons(
        *(
            np.concatenate([own[:, :-1], new], axis=1)
            for own, new in zip(
                (base.features, base.scores, base.items, base.true),
                (last.features, last.scores, last.items, last.true),
                strict=True,
            )
        )
    )


@cache
def expected() -> Array:
    """Expected total of the BDI-II over the severities of a grid, (81,), from simulated answers."""
    rng = np.random.default_rng(0)
    means = [
        np.mean([_items(severity, rng.standard_normal(len(DOMAINS)), rng).sum() for _ in range(_DRAWS)])
        for severity in _GRID
    ]
    return np.maximum.accumulate(means)


def _settings(count: int, seed: int) -> LatentSettings:
    return LatentSettings(count, VISITS, _FPS, _SECONDS, confound=1.0, habit_visibility=0.1, seed=seed)


def _visits(count: int, seed: int) -> list[Visit]:
    return draw_cohort(_settings(count, seed))


def _recorded(visits: Sequence[Visit], severity: Array, seed: int) -> Persons:
    settings, rng = _settings(len(severity), seed), np.random.default_rng([seed, 1])
    features, items = [], []
    for visit in visits:
        own = replace(visit, severity=float(severity[visit.person.index, visit.index]))
        features.append(list(statistics(behave(own, settings)).values()))
        items.append(_items(own.severity, visit.person.profile, rng))
    shape = (len(severity), len(visits) // len(severity))
    found = np.array(items, dtype=np.float64).reshape(*shape, -1)
    true = np.interp(severity[:, -shape[1] :], _GRID, expected())
    return Persons(np.array(features).reshape(*shape, -1), found.sum(axis=2), found, true)


def _items(severity: float, profile: Array, rng: np.random.Generator) -> NDArray[np.int64]:
    answers = answer(severity, profile, rng)
    return np.array([value for name, value in answers.items() if name.startswith("item_bdi2_")])
