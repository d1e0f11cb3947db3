"""Permuted answers that keep totals and answer frequencies, and randomize which symptoms are combined.

A move takes two persons and two items whose answers have the same sum in both persons, and exchanges these
answers between them. Every person keeps the total, every item keeps how often each answer was given. Moves
are their own inverse and proposed without looking at the answers, so all tables that can be reached are
equally likely in the long run (the swaps of Ponocny 2001, carried over to answers of more than two levels).

Pairs of persons are drawn `within="total"` or from the whole `sample`:

`total`   keeps how common each answer is at every total as well. What is left to chance is independence of
          the items given the total, whatever the items' curves; unequal discrimination hardly matters.
`sample`  keeps the frequencies of the whole sample only: the partial credit model (Masters 1982), in which
          totals and frequencies are all there is to know, and items of unequal discrimination contradict it.

Permuting the answers of each person would destroy how common each symptom is, permuting each item would
destroy the totals; either makes every real questionnaire look special.
"""

from collections.abc import Iterator
from typing import Literal

import numpy as np
from numpy.typing import NDArray

Answers = NDArray[np.int16]

Within = Literal["total", "sample"]


def shuffles(answers: Answers, *, within: Within, sweeps: int, rng: np.random.Generator) -> Iterator[Answers]:
    """Endless chain of shuffled copies of answers (J, N), each `sweeps` sweeps after the one before.

    A sweep pairs all persons and, for each pair, all items. The yielded array is overwritten by the next.
    Memory is a few copies of the answers.
    """
    table = answers.copy()
    total = table.sum(axis=0).astype(np.int16)
    while True:
        for _ in range(sweeps):
            _sweep(table, total if within == "total" else None, rng)
        yield table


def _sweep(table: Answers, total: Answers | None, rng: np.random.Generator) -> None:
    items, persons = table.shape
    order = rng.permutation(persons)
    if total is not None:
        order = order[np.argsort(total[order], kind="stable")]  # a radix sort: linear in persons
    one, other = order[: persons - 1 : 2], order[1::2]
    if total is not None:
        same = total[one] == total[other]
        one, other = one[same], other[same]
    order = rng.permutation(items)
    j, k = order[: items - 1 : 2], order[1::2]
    a, b = table[:, one], table[:, other]
    step = b[j] - a[j]
    step *= (a[k] - b[k] == step) & (rng.integers(0, 2, size=step.shape, dtype=np.int8) == 1)
    a[j] += step
    b[j] -= step
    a[k] -= step
    b[k] += step
    table[:, one], table[:, other] = a, b
