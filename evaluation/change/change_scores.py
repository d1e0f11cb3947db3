"""Change scores of tested persons: predicted change, interval, the smallest change that is not noise."""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from evaluation.change.change_rule import ChangeRule, NoRule, learn_rule
from evaluation.change.visit_pairs import KNOWN, Pairs, all_pairs, visit_table
from evaluation.metrics.visit_changes import order_unknown

COLUMNS = (
    "subject_id", "from", "to", "visits", "baseline", "baseline_of", "change", "low", "high",
    "smallest_change", "changed", "target",
)  # fmt: skip
NO_VISITS = "no validation person has two labeled visits whose order is known"
NO_SCORE = "change is told in points of a score, and the network predicts none"
NOT_MEASURED = (
    "scores of earlier visits stand behind the predictions, and how far they move them was not measured"
)
NOBODY = "no tested person has two visits whose order is known"
FEWER_KNOWN = (
    "no tested person has {} or more earlier visits whose scores are known, as validation persons had"
)


@dataclass(frozen=True)
class Learned:
    """What validation taught about changes: a rule, or the reason why there is none.

    Attributes:
        rule: See `change_rule`.
        reason: Why there is none.
        noise: Error variance of a total of the questionnaire; None where it is not known.
    """

    rule: ChangeRule | None = None
    reason: str | None = None
    noise: float | None = None


def learn_change(validation: pd.DataFrame, *, noise: float | None) -> Learned:
    """Learn from validation persons how far predictions move without a change.

    Args:
        validation: recording table; where its protocol makes scores known, with what
            `visit_pairs.with_known_scores` adds and `score_moved`, the predictions if all known scores were a
            point higher.
        noise: error variance of a total, see `questionnaire_noise`.
    """
    if not {"score_prediction", "score_target"} <= set(validation):
        return Learned(reason=NO_SCORE)
    if KNOWN in validation and "score_moved" not in validation:
        return Learned(reason=NOT_MEASURED)
    if (why := order_unknown(validation)) is not None:
        return Learned(reason=f"in validation {why}")
    pairs = list(all_pairs(visit_table(validation.dropna(subset=["score_target"]))))
    if not pairs:
        return Learned(reason=NO_VISITS)
    try:
        return Learned(learn_rule(pairs, noise=noise or 0.0), noise=noise)
    except NoRule as fault:
        return Learned(reason=str(fault))


def within_scale(learned: Learned, most: float, *, words: str) -> Learned:
    """The rule for those numbers of visits after which a change of at most `most` points can be told at all.

    Args:
        learned: With a rule.
        most: The largest change that persons may be expected to show; ours is half of a scale.
        words: What that is, for the reason.
    """
    rule = learned.rule
    assert rule is not None
    smallest = {n: rule.bound(n) / rule.slope for n in rule.visits}
    kept = [place for place, n in enumerate(rule.visits) if smallest[n] <= most]
    if not kept:
        least = min(smallest.values())
        reason = (
            f"the smallest change that is not noise is {least:.0f} points, more than {words} ({most:g}): "
            f"predictions follow changes too little ({rule.slope:.2f} points for one) or are too noisy"
        )
        return replace(learned, rule=None, reason=reason)
    noise, df = (tuple(own[k] for k in kept) for own in (rule.noise, rule.df))
    visits = tuple(rule.visits[k] for k in kept)
    return replace(learned, rule=replace(rule, visits=visits, noise=noise, df=df))


def change_scores(recordings: pd.DataFrame, rule: ChangeRule) -> pd.DataFrame:
    """A row for every visit of a person that has a visit before it, with the columns `COLUMNS`.

    The baseline is all visits before it; of predictions the last n where the rule was learned on no more than
    n. `baseline` is its mean in points and `baseline_of` says of what, `target` is the change of the
    questionnaire where it is known. A person is `changed` (1) if the interval from `low` to `high` excludes
    0. Visits that the rule says nothing of have no row.

    Args:
        recordings: recording table of tested persons; labels are read for `target` only.
        rule: of `learn_change`.
    """
    visits = visit_table(recordings)
    parts = [_table(pairs, rule) for pairs in _tested(visits, rule) if len(pairs)]
    if not parts:
        return pd.DataFrame(columns=list(COLUMNS))
    table = pd.concat(parts, ignore_index=True)
    keys = list(zip(visits["subject_id"], visits["session_id"], strict=True))
    order = {key: place for place, key in enumerate(keys)}
    rank = [order[key] for key in zip(table["subject_id"], table["to"], strict=True)]
    return table.iloc[np.argsort(rank)].reset_index(drop=True)


def _tested(visits: pd.DataFrame, rule: ChangeRule) -> list[Pairs]:
    """The baseline of every visit, as far as the rule reaches."""
    if rule.known:
        found = all_pairs(visits) if "known_scores" in visits else ()
        return [pairs for pairs in found if rule.reach(pairs.visits) is not None]
    place = visits.groupby("subject_id").cumcount().to_numpy()
    out = []
    for pairs in all_pairs(visits.drop(columns="known_scores", errors="ignore")):
        if pairs.visits in rule.visits:
            earlier = place[place >= pairs.visits]
            reach = np.array([rule.reach(int(own)) for own in earlier])
            out.append(pairs.rows(reach == pairs.visits))
    return out


def _table(pairs: Pairs, rule: ChangeRule) -> pd.DataFrame:
    change, low, high, smallest = rule.changes(pairs)
    values = {
        "subject_id": pairs.subject, "from": pairs.begin, "to": pairs.end, "visits": pairs.visits,
        "baseline": pairs.baseline, "baseline_of": _kind(rule),
        "change": change, "low": low, "high": high, "smallest_change": smallest,
        "changed": ((low > 0) | (high < 0)).astype(np.int64),
        "target": pairs.scores[:, 0] - pairs.scores[:, 1:].mean(axis=1),
    }  # fmt: skip
    return pd.DataFrame(values)[list(COLUMNS)]


def _kind(rule: ChangeRule) -> str:
    return "known scores" if rule.known else "predictions"


def summary(learned: Learned, changes: pd.DataFrame) -> dict[str, Any]:
    """The entry `change` of `metrics.json`: what validation taught, how many changed; or why not."""
    rule = learned.rule
    if rule is None:
        return {"reason": learned.reason}
    out: dict[str, Any] = {
        "baseline": _kind(rule),
        "smallest_change": {str(n): rule.bound(n) / rule.slope for n in rule.visits},
        "slope": rule.slope,
        "questionnaire_noise": None if learned.noise is None else learned.noise**0.5,
        "validation_persons": rule.persons,
    }
    if changes.empty:
        return out | {"reason": FEWER_KNOWN.format(rule.visits[0]) if rule.known else NOBODY}
    counts = {"changes": len(changes), "changed": int(changes["changed"].sum())}
    return out | counts | {"persons": int(changes["subject_id"].nunique())}
