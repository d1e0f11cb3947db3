"""Means over an epoch that stay on the device: what a step logs costs one addition."""

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor


class RunningMeans:
    """Weighted sums of the terms of an objective, in one tensor.

    A step adds one row and asks the device for nothing, so that it never waits for it. The mean over an epoch
    of batches b of n_b clips is sum_b n_b x_b / sum_b n_b.

    Examples:
        >>> means = RunningMeans()
        >>> means.add({"loss": torch.tensor(1.0)}, count=3)
        >>> means.add({"loss": torch.tensor(5.0)}, count=1)
        >>> means.take()
        ({'loss': tensor(2.)}, 4)
    """

    def __init__(self) -> None:
        self._names: tuple[str, ...] = ()
        self._sums: Tensor | None = None
        self._count = 0

    def add(self, values: Mapping[str, Tensor], *, count: int) -> None:
        """Add the scalars of a step over `count` clips.

        Raises:
            ValueError: they are not those of the steps before.
        """
        row = torch.stack([value.detach().float() for value in values.values()])
        if self._sums is None:
            self._names, self._sums = tuple(values), row * count
        elif self._names != tuple(values):
            raise ValueError(f"terms {list(values)} after {list(self._names)}: a step logs the same ones")
        else:
            self._sums.add_(row, alpha=count)
        self._count += count

    def take(self) -> tuple[dict[str, Tensor], int]:
        """The means and the number of clips behind them, and begin anew; nothing where nothing was added."""
        if self._sums is None:
            return {}, 0
        means, count = dict(zip(self._names, self._sums / self._count, strict=True)), self._count
        self.__init__()  # type: ignore[misc]
        return means, count

    def state(self) -> dict[str, Any]:
        """What was added so far, as plain values: for a checkpoint in the middle of an epoch."""
        sums = [] if self._sums is None else self._sums.tolist()
        return {"names": list(self._names), "sums": sums, "count": self._count}

    def restore(self, state: Mapping[str, Any], *, device: torch.device) -> None:
        """Go on from what `state` returned."""
        self._names, self._count = tuple(state["names"]), int(state["count"])
        self._sums = torch.tensor(state["sums"], device=device) if self._names else None
