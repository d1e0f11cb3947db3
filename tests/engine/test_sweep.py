"""What the command says of a choice between trials of the same value."""

from types import SimpleNamespace

import pytest
from optuna.trial import TrialState

from engine.sweep import _tie
from engine.sweeping.trials import Row


def row(number, value, state=TrialState.COMPLETE):
    return Row(number, SimpleNamespace(values=[value], state=state), restarts=0)


@pytest.mark.parametrize(
    ("others", "says"),
    [
        ([row(1, 0.5)], ""),
        ([row(1, 0.75), row(2, 0.75)], ", the first of 3 with the same value"),
        ([row(1, 0.75, TrialState.PRUNED)], ""),
    ],
)
def test_a_tie_of_finished_trials_is_told(others, says):
    best = row(0, 0.75)
    assert _tie([best, *others], best) == says
