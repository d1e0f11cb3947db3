"""What the table tells of the label: site, genre, traits, metadata and names, corrected for all questions."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from datamodules.xray.measured import Measured
from datamodules.xray.table_facts import (
    Fact,
    category_facts,
    metadata,
    name_facts_of,
    names_of,
    traits_of,
)
from engine.xray.alarm import Alarm, XRay
from engine.xray.target import Target
from evaluation.audit.alone import Alone, category_scores, measured_alone, regression_scores, text_scores
from evaluation.audit.leaking_facts import audit_facts

FAMILY = 0.01  # our choice: of a hundred corpora without a shortcut one has an alarm of these kinds
_SHOWN = 4  # categories named in a sentence
_TOLD = ("site", "genre", "trait", "metadata", "file_name")


@dataclass(frozen=True, eq=False)
class _Asked:
    """A question whose answer are scores of unseen persons (N,)."""

    kind: str
    where: tuple[str, ...]
    text: str
    scores: NDArray[np.float64]


def telling_alarms(
    answer: XRay, table: pd.DataFrame, target: Target, *, root: Path, measured: Sequence[Measured]
) -> None:
    """Add the alarms of what tells the label to an answer.

    Args:
        answer: What is added to.
        table: The rows.
        target: The label.
        root: Folder of the paths.
        measured: Facts of the arrays.
    """
    if target.reason:
        answer.cannot_tell |= dict.fromkeys(_TOLD, target.reason)
        return
    table = table.iloc[target.rows].reset_index(drop=True)
    single = _distinct([*metadata(table, root, measured), *name_facts_of(table)])
    asked = [*_categories(table, target), *_traits(table, target), *_names(table, target)]
    answer.questions = len(asked) + 2 * len(single)
    for kind in _TOLD:
        answer.looked[kind] = sum(one.kind == kind for one in (*asked, *single))
    tail = 2 * FAMILY / max(answer.questions, 1)
    for one in asked:
        score = measured_alone(target.labels, one.scores, target.persons, tail=tail)
        if score.corrected > 0.5:
            answer.alarms.append(Alarm(kind=one.kind, where=one.where, text=one.text, score=score))
    answer.alarms += list(_facts(answer, single, target, beside=len(asked)))


def _categories(table: pd.DataFrame, target: Target) -> Iterator[_Asked]:
    for fact in category_facts(table):
        scores = category_scores(fact.values, target.labels, target.persons)
        text = f"the label differs by '{fact.name}': {_shares(fact.values, target.labels)}"
        yield _Asked(fact.kind, fact.where, text, scores)


def _shares(values: NDArray[Any], labels: NDArray[np.float64]) -> str:
    groups = pd.Series(labels).groupby(pd.Series(values.astype(str))).agg(["sum", "count"])
    largest = groups.sort_values("count", ascending=False, kind="stable").head(_SHOWN)
    told = [
        f"{row['sum']:.0f} of {row['count']:.0f} positive in {name!r}" for name, row in largest.iterrows()
    ]
    more = f" and {len(groups) - len(told)} more" if len(groups) > len(told) else ""
    return ", ".join(told) + more


def _traits(table: pd.DataFrame, target: Target) -> Iterator[_Asked]:
    names, values = traits_of(table)
    if names:
        scores = regression_scores(values, target.labels, target.persons)
        yield _Asked("trait", names, f"traits predict the label alone ({', '.join(names)})", scores)


def _names(table: pd.DataFrame, target: Target) -> Iterator[_Asked]:
    seen: set[tuple[str, ...]] = set()
    for where, what, names in names_of(table):
        words = tuple(re.sub(r"\d", "#", name) for name in names)
        if words in seen or len(set(words)) < 2:
            continue
        seen.add(words)
        scores = text_scores(names, target.labels, target.persons)
        yield _Asked("file_name", (where,), f"words of the {what} predict the label", scores)


def _distinct(facts: Sequence[Fact]) -> list[Fact]:
    """Facts that do not order or group the recordings as an earlier one does; that one names them too."""
    found: dict[bytes, Fact] = {}
    for fact in facts:
        for key in _keys(fact):
            if key in found:
                known = found[key]
                where = tuple(dict.fromkeys([*known.where, *fact.where]))
                both = Fact(kind=known.kind, name=known.name, where=where, values=known.values)
                found |= {own: both for own, one in found.items() if one is known}
                break
        else:
            found |= dict.fromkeys(_keys(fact)[:1], fact)
    return list(dict.fromkeys(found.values()))


def _keys(fact: Fact) -> list[bytes]:
    """How a fact orders recordings, in both directions; of a category how it groups them."""
    if not fact.is_number:
        return [b"category" + pd.factorize(fact.values)[0].astype(np.int64).tobytes()]
    values = np.where(np.isnan(fact.values), -np.inf, fact.values)
    ranks = np.unique(values, return_inverse=True)[1].astype(np.int64)
    keys = [ranks.tobytes()]
    return keys if np.isinf(values).any() else [*keys, (ranks.max() - ranks).tobytes()]


def _facts(answer: XRay, facts: Sequence[Fact], target: Target, *, beside: int) -> Iterator[Alarm]:
    """Alarms of single facts, asked by the leak audit by order and by look-up."""
    if not facts:
        return
    columns = [fact.values for fact in facts]
    about = pd.DataFrame({str(number): values for number, values in enumerate(columns)})
    nothing = pd.DataFrame(index=about.index)
    found = audit_facts(nothing, about, target.labels, target.persons, None, beside=beside, family=2 * FAMILY)
    persons = len(np.unique(target.persons))
    for one in found["found"]:
        fact = facts[int(one["fact"])]
        if one["verdict"] == "cannot tell":
            told = f"{fact.name} is almost the label, but too few persons to tell it from chance"
            answer.cannot_tell.setdefault(fact.kind, told)
        if one["corrected"] <= 0.5:
            continue
        score = Alone(one["value"], one["low"], one["high"], persons, one["corrected"])
        by = "by look-up" if one["question"] == "look-up" else f"{one['question']} with the label"
        yield Alarm(
            kind=fact.kind, where=fact.where, text=f"{fact.name} predicts the label ({by})", score=score
        )
