"""False alarms and power of change scores: `python -m studies.change_scores` writes their page and picture.

Persons who do not change at all, and persons whose last visit lies a chosen number of points away, are judged
by what validation persons taught, of whom there are few or many. Their questionnaires are answered anew each
time.
"""

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from datamodules.command_line import run
from evaluation.change.change_rule import ChangeRule
from evaluation.change.change_scores import change_scores, learn_change
from studies.change_scores.page import write_page
from studies.change_scores.persons import VISITS, Persons, draw, last_changed
from studies.change_scores.predictors import Predictor, made_up, questionnaire_noise, readers, table

STABILITIES = (0.15, 0.8)
TAUGHT = (20, 40, 80)
POINTS = (5.0, 10.0, 15.0, 20.0, 30.0)
TRAIN, POOL, TESTED = 160, 800, 500
_STUDIES = 10  # of validation persons behind a power
# Of the training persons; validation, stable and changed persons have the next ones. The rule was settled on
# 100 to 106.
_SEED = 210


def main(
    *, tested: int = TESTED, pool: int = POOL, train: int = TRAIN, docs: Path = Path("docs/results")
) -> None:
    """Simulate, judge, and write the page with its picture.

    Args:
        tested: Persons who do not change, and as many who do by each size.
        pool: Validation persons, who are dealt into studies of 20, 40 and 80.
        train: Persons the readers learn from.
        docs: Folder of the page; the picture goes to its images/.
    """
    rows: list[dict[str, Any]] = []
    power: list[dict[str, Any]] = []
    for stability in STABILITIES:
        teachers, persons = (
            draw(count, seed=_SEED + place, stability=stability) for place, count in enumerate((train, pool))
        )
        stable = draw(tested, seed=_SEED + 2, stability=stability, stable=True)
        changed = {d: last_changed(stable, seed=_SEED + 2, points=d) for d in POINTS}
        for predictor in (*readers(teachers), *made_up(_SEED)):
            for count in TAUGHT:
                rules = learned(predictor, persons, count)
                named = {"predictor": predictor.name, "stability": stability, "persons": count}
                rows.append(named | {"studies": pool // count} | false_alarms(predictor, stable, rules))
                if count == TAUGHT[1] and predictor.name.startswith("reader"):
                    found = powers(predictor, {0.0: stable} | changed, rules[:_STUDIES])
                    power.extend(one | {"predictor": predictor.name, "stability": stability} for one in found)
    write_page(docs, pd.DataFrame(rows), pd.DataFrame(power), tested=tested, pool=pool, train=train)


def learned(predictor: Predictor, persons: Persons, count: int) -> list[ChangeRule]:
    """The rule of every study of so many validation persons; studies that teach none are left out."""
    rules = []
    for first in range(0, len(persons.scores) - count + 1, count):
        own = persons.some(slice(first, first + count))
        taught = learn_change(table(own, predictor), noise=questionnaire_noise(own))
        if taught.rule is not None:
            rules.append(taught.rule)
    return rules


def false_alarms(predictor: Predictor, stable: Persons, rules: Sequence[ChangeRule]) -> dict[str, Any]:
    """Share of comparisons of stable persons that are flagged, also by visits and by severity."""
    recordings = table(stable, predictor)
    found = [change_scores(recordings, rule) for rule in rules]
    if not found:
        return {"rules": 0}
    by_visits = pd.DataFrame([one.groupby("visits")["changed"].mean() for one in found])
    shares = np.array([one["changed"].mean() for one in found])
    level = np.sort(stable.true[:, 0])[[len(stable.true) // 3, 2 * len(stable.true) // 3]]
    group = np.digitize(stable.true[:, 0], level)
    thirds = pd.DataFrame([_by_third(one, group) for one in found])
    return {
        "rules": len(rules), "alarms": float(shares.mean()), "low": float(np.quantile(shares, 0.05)),
        "high": float(np.quantile(shares, 0.95)), "thirds": thirds.mean().tolist(),
        "visits": by_visits.mean().reindex(range(1, VISITS)).tolist(),
        "smallest": [_smallest(rules, n) for n in (1, VISITS - 1)],
    }  # fmt: skip


def powers(
    predictor: Predictor, persons: dict[float, Persons], rules: Sequence[ChangeRule]
) -> list[dict[str, Any]]:
    """Share of flagged last visits, and of intervals that hold the true change, by its size and n."""
    out = []
    for points, own in persons.items():
        true = own.true[:, -1] - own.true[:, 0]
        for n in range(1, VISITS):
            recordings = table(own.visits(slice(VISITS - 1 - n, None)), predictor)
            flagged, held = [], []
            for rule in rules:
                last = change_scores(recordings, rule)
                last = last[last["to"] == f"V{n + 1}"]
                flagged.append(last["changed"].mean())
                held.append(((last["low"] <= true) & (true <= last["high"])).mean())
            out.append({"points": points, "visits": n, "flagged": np.mean(flagged), "held": np.mean(held)})
    return out


def _by_third(changes: pd.DataFrame, group: NDArray[np.int_]) -> "pd.Series[float]":
    """Share of flagged comparisons by the group of each person."""
    person = changes["subject_id"].str[1:].astype(int).to_numpy()
    return changes["changed"].groupby(group[person]).mean()


def _smallest(rules: Sequence[ChangeRule], visits: int) -> float:
    return float(np.mean([rule.bound(visits) / rule.slope for rule in rules]))


if __name__ == "__main__":
    sys.exit(run(main))
