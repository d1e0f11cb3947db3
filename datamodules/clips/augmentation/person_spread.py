"""How far persons lie apart, beyond what the recordings of one person do: components of variance."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from datamodules.schema import UNKNOWN

_FEWEST = 10  # repeated recordings, below which the spread within a person is not known: our choice


def person_spread(values: Tensor, persons: Sequence[str]) -> Tensor:
    r"""Standard deviation between persons (F,), by the moments of a one-way analysis of variance.

        sigma^2 = max(0, (MSB - MSW) / n_0),   n_0 = (N - \sum_p n_p^2 / N) / (P - 1)

    with n_p recordings of person p (Searle, Casella and McCulloch 1992, Variance Components, 3.6). Where
    fewer than ten recordings are repeated ones, persons and visits cannot be told apart, and all spread
    counts as that of persons. It is 0 where fewer than two persons are known.

    Args:
        values: (N, F), a row a recording.
        persons: Of each row; those of unknown persons do not count.

    Examples:
        >>> person_spread(torch.tensor([[0.0]] * 6 + [[2.0]] * 6), ["a"] * 6 + ["b"] * 6)
        tensor([1.4142])
    """
    names = np.array(persons, dtype=object)
    known = names != UNKNOWN
    own = values[torch.from_numpy(known)].double()
    code = torch.from_numpy(pd.factorize(names[known])[0])
    total, people = len(own), int(code.max()) + 1 if len(code) else 0
    if people < 2:
        return values.new_zeros(values.shape[1])
    count = torch.bincount(code, minlength=people).double()
    mean = own.new_zeros(people, own.shape[1]).index_add_(0, code, own) / count[:, None]
    between = (count[:, None] * (mean - own.mean(0)) ** 2).sum(0) / (people - 1)
    if total - people < _FEWEST:
        return between.sqrt().to(values.dtype)
    within = ((own - mean[code]) ** 2).sum(0) / (total - people)
    size = (total - (count**2).sum() / total) / (people - 1)
    return ((between - within) / size).clamp(min=0.0).sqrt().to(values.dtype)
