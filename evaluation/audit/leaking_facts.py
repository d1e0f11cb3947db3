"""Leak audit: how well single facts of a recording predict its label, by order and by look-up.

Of every fact two things are asked. *Order*: do its values rank the label, in either direction? *Look-up*: do
the recordings of other persons with the nearest values have the same label? The second finds what is not
monotone, and is the only question for categories, whose neighbors are recordings of the same category. A
missing value counts as the lowest.

A fact that the network can read stops a run where it orders persons as no behavior does; a fact about the
file (length, name, site) is told. Both are asked of everybody, and within each site.
"""

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from evaluation.metrics.definitions import auc_of_many
from evaluation.uncertainty.clustered_auc import clustered_auc

Array = NDArray[np.float64]
Codes = NDArray[np.int64]

STOP_AUC, STOP_LOW = 0.98, 0.90  # our choice: far above what a single measure of behavior is known to reach
LEVEL = 0.95
_NEIGHBORS = 8  # on either side; our choice
_MEASURED = 25  # facts of each kind that get an interval, the most telling ones (our choice)
_MIN_PERSONS = 5  # in each class: fewer say nothing (our choice)
_MAX_SITES = 20  # more are no sites (our choice)

Question = Literal["higher", "lower", "look-up"]


@dataclass(frozen=True)
class Found:
    """How well one fact predicts the label.

    `reads` tells whether the network reads the fact, `site` within which site it was asked ("" is everybody),
    `low` to `high` is the interval, `corrected` its lower end after correction for all questions asked.
    `verdict` is "stops", "cannot tell" (as good, of too few persons), "tells", or "".
    """

    fact: str
    reads: bool
    site: str
    question: Question
    value: float
    low: float
    high: float
    corrected: float
    verdict: str


def audit_facts(
    reads: pd.DataFrame,
    about: pd.DataFrame,
    labels: Array,
    persons: Codes,
    sites: "pd.Series[Any] | None",
    *,
    beside: int = 0,
    family: float = 1 - LEVEL,
) -> dict[str, Any]:
    """Measure how well every fact predicts the label, by order and by look-up.

    Args:
        reads: Facts of the network's input (N, F), numbers.
        about: Facts about the files (N, G), numbers or categories.
        labels: 0 or 1 (N,).
        persons: Code of the person of each recording (N,).
        sites: Where each was recorded, or None.
        beside: Questions of the same family that are asked elsewhere.
        family: Chance that any interval, corrected for all questions, leaves out the truth.

    Returns:
        `{"recordings", "persons", "positives", "facts": how many, "found": [Found as dict, the most telling
        first]}`, or a `reason` why nothing can be said.
    """
    counts = {"recordings": len(labels), "persons": len(np.unique(persons)), "positives": int(labels.sum())}
    if not _enough(labels, persons):
        return counts | {
            "reason": f"cannot tell: fewer than {_MIN_PERSONS} persons with, or without, the label among "
            "training and validation"
        }
    scopes = [("", np.ones(len(labels), dtype=bool)), *_scopes(labels, persons, sites)]
    tables = [(True, reads), (False, about)]
    varying = {
        (which, site): [str(name) for name in table if table[name][rows].nunique(dropna=False) > 1]
        for which, table in tables
        for site, rows in scopes
    }
    asked = 2 * sum(len(names) for names in varying.values())
    found = [
        one
        for which, table in tables
        for site, rows in scopes
        for one in _ask(
            table.loc[rows, varying[which, site]], labels[rows], persons[rows], which, site,
            family / max(asked + beside, 1),
        )
    ]  # fmt: skip
    found.sort(key=lambda one: (one.verdict != "stops", one.verdict != "cannot tell", -one.value))
    return counts | {"facts": len(varying[True, ""]) + len(varying[False, ""])} | {
        "found": [asdict(one) for one in found]
    }  # fmt: skip


def _scopes(
    labels: Array, persons: Codes, sites: "pd.Series[Any] | None"
) -> Iterator[tuple[str, NDArray[np.bool_]]]:
    names = [] if sites is None else sorted(set(sites.astype(str)) - {""})
    for name in names if 1 < len(names) <= _MAX_SITES else []:
        rows = (sites.astype(str) == name).to_numpy()  # type: ignore[union-attr]
        if _enough(labels[rows], persons[rows]):
            yield name, rows


def _enough(labels: Array, persons: Codes) -> bool:
    return all(len(np.unique(persons[labels == own])) >= _MIN_PERSONS for own in (0, 1))


def _ask(
    table: pd.DataFrame, labels: Array, persons: Codes, reads: bool, site: str, tail: float
) -> Iterator[Found]:
    """The most telling facts of a table, each by its better question."""
    numeric = [name for name in table if pd.api.types.is_numeric_dtype(table[name])]
    named = [name for name in table if name not in numeric]
    numbers = table[numeric].to_numpy(dtype=np.float64, na_value=np.nan)
    numbers = np.where(np.isnan(numbers), -np.inf, numbers)
    categories = np.stack([pd.factorize(table[name])[0] for name in named], 1) if named else None
    looked = look_up(numbers, labels, persons)
    if categories is not None:
        looked = np.hstack([looked, look_up(categories.astype(np.float64), labels, persons, same=True)])
        numbers = np.hstack([numbers, np.zeros(categories.shape)])  # a category has no order
    order, near = auc_of_many(labels, numbers), auc_of_many(labels, looked)
    best = np.maximum(np.maximum(order, 1 - order), near)
    for place in np.argsort(-best, kind="stable")[:_MEASURED]:
        question: Question = "higher" if order[place] >= 0.5 else "lower"
        scores = numbers[:, place] if question == "higher" else -numbers[:, place]
        if near[place] > max(order[place], 1 - order[place]):
            question, scores = "look-up", looked[:, place]
        own = clustered_auc(labels, scores, persons, level=LEVEL)
        corrected = clustered_auc(labels, scores, persons, level=1 - tail).low
        yield Found(
            str([*numeric, *named][place]), reads, site, question, *own, corrected,
            _verdict(reads, own.value, own.low, corrected),
        )  # fmt: skip


def _verdict(reads: bool, value: float, low: float, corrected: float) -> str:
    if value >= STOP_AUC and reads:
        return "stops" if low > STOP_LOW and corrected > 0.5 else "cannot tell"
    if value >= STOP_AUC:
        return "tells" if corrected > 0.5 else "cannot tell"
    return "tells" if corrected > 0.5 and not reads else ""


def look_up(values: Array, labels: Array, persons: Codes, *, same: bool = False) -> Array:
    """Mean label (N, F) of the recordings of other persons whose value is next to that of each recording.

    Equal values are taken in a random but fixed order, so that the order of the table says nothing.

    Args:
        values: (N, F) without NaN.
        labels: 0 or 1 (N,).
        persons: codes (N,).
        same: Count neighbors with the very same value only, as for categories.
    """
    shuffled = np.random.default_rng(0).permutation(len(labels))
    order = shuffled[np.argsort(values[shuffled], axis=0, kind="stable")]
    sorted_values = np.take_along_axis(values, order, axis=0)
    label, person = labels[order], persons[order]
    total, weight = np.zeros(values.shape), np.zeros(values.shape)
    for step in range(1, min(_NEIGHBORS, len(labels) - 1) + 1):
        near = (person[step:] != person[:-step]) * (1 - step / (_NEIGHBORS + 1))
        if same:
            near = near * (sorted_values[step:] == sorted_values[:-step])
        for own, other in ((slice(step, None), slice(None, -step)), (slice(None, -step), slice(step, None))):
            total[own] += near * label[other]
            weight[own] += near
    found = np.where(weight > 0, total / np.maximum(weight, 1e-12), labels.mean())
    out = np.empty(values.shape)
    np.put_along_axis(out, order, found, axis=0)
    return out
