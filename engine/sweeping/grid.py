"""Sampler of a grid whose points are counted: trial k has the k-th, whoever trains it and whenever."""

from typing import Any

from optuna import Study
from optuna.distributions import BaseDistribution, CategoricalDistribution
from optuna.samplers import BaseSampler
from optuna.trial import FrozenTrial

from engine.sweeping.trials import number_of


class GridPoints(BaseSampler):  # type: ignore[misc]
    """Takes the points of a grid in their order, the last key varying fastest, as Hydra's own sweeps do.

    Optuna's `GridSampler` draws one of the points that are left, so that what a trial gets depends on the
    others that run at that time.

    Args:
        dimensions: The values of each key.
    """

    def __init__(self, *, dimensions: dict[str, CategoricalDistribution]) -> None:
        self._choices = {name: one.choices for name, one in dimensions.items()}

    def infer_relative_search_space(self, study: Study, trial: FrozenTrial) -> dict[str, BaseDistribution]:
        """Nothing: each key is looked up by itself."""
        del study, trial
        return {}

    def sample_relative(
        self, study: Study, trial: FrozenTrial, search_space: dict[str, BaseDistribution]
    ) -> dict[str, Any]:
        """Nothing, see above."""
        del study, trial, search_space
        return {}

    def sample_independent(
        self, study: Study, trial: FrozenTrial, param_name: str, param_distribution: BaseDistribution
    ) -> Any:
        """The value of a key at the point of a trial."""
        del study, param_distribution
        rest = number_of(trial)
        for name in reversed(self._choices):
            rest, place = divmod(rest, len(self._choices[name]))
            if name == param_name:
                return self._choices[name][place]
        raise KeyError(param_name)
