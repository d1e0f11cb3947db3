"""What the table tells of the label: site, genre, traits, metadata and names, corrected for all questions.

Every kind has its share of the chance of a false alarm, and its questions share that alike (Bonferroni with
weights): whoever asks much about names does not make sites harder to see.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.stats import rankdata

from datamodules.xray.measured import Measured
from datamodules.xray.table_facts import Fact, category_facts, metadata, name_facts_of, names_of, traits_of
from engine.xray.alarm import Alarm, XRay
from engine.xray.target import Target
from evaluation.audit.alone import Alone, category_scores, measured_alone, regression_scores, text_scores
from evaluation.audit.leaking_facts import audit_facts

FAMILY = 0.01  # our choice: of a hundred corpora without a shortcut one has an alarm of these kinds
_WEIGHTS = {"site": 0.2, "genre": 0.15, "trait": 0.15, "metadata": 0.3, "file_name": 0.2}  # our choice
_ALIKE = 0.98  # rank correlation from which two facts are one question; our choice
_SHOWN = 4  # categories named in a sentence


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
        answer.cannot_tell |= dict.fromkeys(_WEIGHTS, target.reason)
        return
    table = table.iloc[target.rows].reset_index(drop=True)
    facts = [*category_facts(table), *metadata(table, root, measured), *name_facts_of(table)]
    asked = [*_categories(facts, target), *_traits(table, target), *_words(table, target)]
    for kind, weight in _WEIGHTS.items():
        own = [one for one in asked if one.kind == kind]
        numbers = _distinct([fact for fact in facts if fact.kind == kind and fact.is_number])
        questions = len(own) + 2 * len(numbers)
        answer.questions += questions
        answer.looked[kind] = len(own) + len(numbers)
        family = 2 * FAMILY * weight  # of two-sided intervals, whose upper ends nobody asks about
        for one in own:
            score = measured_alone(target.labels, one.scores, target.persons, tail=family / questions)
            if score.corrected > 0.5:
                answer.alarms.append(Alarm(kind=kind, where=one.where, text=one.text, score=score))
        answer.alarms += list(_numbers(answer, numbers, target, beside=len(own), family=family))


def _categories(facts: Iterable[Fact], target: Target) -> Iterator[_Asked]:
    """Categories, those that group the recordings alike in one question."""
    groups: dict[tuple[str, bytes], list[Fact]] = {}
    for fact in facts:
        if not fact.is_number:
            codes = pd.factorize(fact.values)[0].astype(np.int64)
            groups.setdefault((fact.kind, codes.tobytes()), []).append(fact)
    for alike in groups.values():
        first = alike[0]
        scores = category_scores(first.values, target.labels, target.persons)
        text = f"the label differs by {first.name}: {_shares(first.values, target.labels)}"
        yield _Asked(first.kind, _where(alike), text, scores)


def _where(facts: Iterable[Fact]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(name for fact in facts for name in fact.where))


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


def _words(table: pd.DataFrame, target: Target) -> Iterator[_Asked]:
    """Words anywhere in the names; digits are asked about as numbers."""
    seen: set[tuple[str, ...]] = set()
    for where, what, names in names_of(table):
        words = tuple(re.sub(r"\d", "#", name) for name in names)
        if words in seen or len(set(words)) < 2:
            continue
        seen.add(words)
        scores = text_scores(names, target.labels, target.persons)
        yield _Asked("file_name", (where,), f"words in the {what} predict the label", scores)


def _distinct(facts: Sequence[Fact]) -> list[Fact]:
    """Facts that do not order the recordings nearly as an earlier one does, which names their columns too."""
    groups: list[tuple[NDArray[np.float64], list[Fact]]] = []
    for fact in facts:
        ranks = rankdata(np.where(np.isnan(fact.values), -np.inf, fact.values))
        unit = (ranks - ranks.mean()) / max(float(np.linalg.norm(ranks - ranks.mean())), 1e-12)
        for known, own in groups:
            if abs(float(known @ unit)) >= _ALIKE:
                own.append(fact)
                break
        else:
            groups.append((unit, [fact]))
    return [
        Fact(kind=own[0].kind, name=own[0].name, where=_where(own), values=own[0].values) for _, own in groups
    ]


def _numbers(
    answer: XRay, facts: Sequence[Fact], target: Target, *, beside: int, family: float
) -> Iterator[Alarm]:
    """Alarms of numbers, which the leak audit asks about by order and by look-up."""
    if not facts:
        return
    about = pd.DataFrame({str(number): fact.values for number, fact in enumerate(facts)})
    nothing = pd.DataFrame(index=about.index)
    found = audit_facts(nothing, about, target.labels, target.persons, None, beside=beside, family=family)
    persons = len(np.unique(target.persons))
    for one in found["found"]:
        fact = facts[int(one["fact"])]
        if one["verdict"] == "cannot tell":
            told = f"{fact.name} is almost the label, but too few persons to tell it from chance"
            answer.cannot_tell.setdefault(fact.kind, told)
        if one["corrected"] > 0.5:
            score = Alone(one["value"], one["low"], one["high"], persons, one["corrected"])
            by = "by look-up" if one["question"] == "look-up" else f"{one['question']} with the label"
            yield Alarm(
                kind=fact.kind, where=fact.where, text=f"{fact.name} predicts the label ({by})", score=score
            )
