"""Principal components of channels: few movements in place of many channels that mostly move together."""

from collections.abc import Iterable
from dataclasses import replace
from typing import Self

import numpy as np

from datamodules.series import Series


class PrincipalChannels:
    """Channels of training recordings to the `count` components of largest variance, `component01`, ...

    Channels are standardized over all valid rows of the training recordings. Fewer channels give fewer
    components.

    Args:
        count: Components.
    """

    def __init__(self, *, count: int) -> None:
        if count < 1:
            raise ValueError(f"count={count} must be 1 or more")
        self.count = count

    def fit(self, recordings: Iterable[Series]) -> Self:
        """Learn means, spreads and components from recordings of the same channels.

        Raises:
            ValueError: They hold fewer than two valid rows.
        """
        # moments around the first recording's mean, so that large levels do not cancel
        rows, shift, total, products = 0, None, 0.0, 0.0
        for series in recordings:
            values = series.values[series.valid].astype(np.float64)
            if not len(values):
                continue
            shift = values.mean(axis=0) if shift is None else shift
            values = values - shift
            rows, total, products = (
                rows + len(values),
                total + values.sum(axis=0),
                products + values.T @ values,
            )
        if rows < 2 or shift is None:
            raise ValueError(f"{rows} valid row(s) in the training recordings: components need two or more")
        mean = total / rows
        covariance = products / rows - np.outer(mean, mean)
        variance = np.diag(covariance)
        # far below float32's grain a channel is constant
        spread = np.sqrt(np.where(variance > 1e-12 * (np.diag(products) / rows + shift**2), variance, np.inf))
        vectors = np.linalg.eigh(covariance / np.outer(spread, spread))[1]
        self.mean_ = mean + shift
        self.weights_ = vectors[:, ::-1][:, : self.count] / spread[:, None]
        self.names = tuple(f"component{number:02d}" for number in range(1, 1 + self.weights_.shape[1]))
        return self

    def transform(self, series: Series) -> Series:
        """The series of components; rows that are not valid are 0."""
        values = (series.values - self.mean_) @ self.weights_
        values = np.where(series.valid[:, None], values, 0.0).astype(np.float32)
        return replace(series, values=values, channels=self.names)
