"""Figures of a study: its history, which settings mattered, and trials as lines through their settings."""

import logging
from collections.abc import Sequence
from typing import Any

import numpy as np
import optuna
import pandas as pd
from optuna.distributions import CategoricalDistribution

from engine.config.selection import direction_of
from engine.sweeping.space import Space
from evaluation.report.style import BLUE, GRAY, INK, LIGHT, ORANGE, VERMILION, canvas, svg

_log = logging.getLogger(__name__)
_FEWEST = 4  # finished trials below which a forest of trees says nothing: our choice


def history(table: pd.DataFrame, objective: str) -> str | None:
    """Values by number of trial, with the best so far; trials without a value below, by their state."""
    done = table[table["state"] == "finished"]
    if done.empty:
        return None
    values = done[objective].astype(float)
    best = values.cummax() if direction_of(objective) == "maximize" else values.cummin()
    with canvas(6.5, 3.0) as figure:
        axes = figure.subplots()
        axes.step(done["trial"], best, where="post", color=VERMILION, label="best so far")
        axes.plot(done["trial"], values, "o", color=BLUE, ms=4, label="finished")
        low = float(values.min()) - 0.08 * (float(np.ptp(values)) or 1.0)
        for state, color, mark in (("pruned", ORANGE, "v"), ("failed", INK, "x")):
            others = table.loc[table["state"] == state, "trial"]
            if len(others):
                axes.plot(others, [low] * len(others), mark, color=color, ms=5, label=state)
        axes.set(xlabel="trial", ylabel=objective)
        axes.legend(loc="best")
        return svg(figure)


def importances(study: optuna.Study, place: int) -> dict[str, float]:
    """Share of each setting in the variance of an objective, by functional ANOVA of a forest.

    F. Hutter, H. Hoos, K. Leyton-Brown, "An efficient approach for assessing hyperparameter importance", ICML
    2014. Empty where too few trials are finished or nothing varies.

    Args:
        study: With its trials.
        place: Of the objective among those of the study.
    """
    done = study.get_trials(deepcopy=False, states=(optuna.trial.TrialState.COMPLETE,))
    if len(done) < _FEWEST or len({trial.values[place] for trial in done}) < 2:
        return {}
    evaluator = optuna.importance.FanovaImportanceEvaluator(seed=0)

    def value(trial: optuna.trial.FrozenTrial) -> float:
        return float(trial.values[place])

    try:
        found = optuna.importance.get_param_importances(study, evaluator=evaluator, target=value)
    except (RuntimeError, ValueError) as error:  # of a setting with one value, or ranges that changed
        _log.warning("no importance of the settings: %s", error)
        return {}
    return {str(name): float(share) for name, share in found.items()}


def bars(shares: dict[str, float]) -> str | None:
    """Importances as bars, the largest on top."""
    if not shares:
        return None
    names = list(shares)[::-1]
    with canvas(6.5, 0.6 + 0.32 * len(names)) as figure:
        axes = figure.subplots()
        axes.barh(names, [shares[name] for name in names], color=BLUE, height=0.6)
        axes.set(xlabel="share of the variance that the setting explains", xlim=(0, 1))
        return svg(figure)


def parallel(table: pd.DataFrame, objective: str, space: Space) -> str | None:
    """Each finished trial as a line through its settings to its value; the best tenth stands out."""
    done = table[table["state"] == "finished"].reset_index(drop=True)
    if len(done) < 2:
        return None
    axes_of = [*space.dimensions, objective]
    heights, ticks = zip(*(_heights(done[name], space.dimensions.get(name)) for name in axes_of), strict=True)
    rank = done[objective].astype(float).rank(ascending=direction_of(objective) == "minimize", method="first")
    top = rank <= max(1, round(len(done) / 10))
    with canvas(1.6 + 1.5 * len(axes_of), 3.4) as figure:
        axes = figure.subplots()
        for row in sorted(done.index, key=lambda row: bool(top[row])):
            color = VERMILION if top[row] else LIGHT
            axes.plot(range(len(axes_of)), [own[row] for own in heights], color=color, lw=1.2)
        for place, own in enumerate(ticks):
            axes.axvline(place, color=GRAY, lw=0.8)
            for height, label in own:
                axes.annotate(
                    label, (place, height), (3, 0), textcoords="offset points", fontsize=7, va="center"
                )
        axes.set_xticks(range(len(axes_of)), axes_of)
        axes.set_yticks([])
        axes.grid(visible=False)
        axes.set_xlim(-0.1, len(axes_of) - 0.5)
        return svg(figure)


def _heights(values: pd.Series, distribution: Any) -> tuple[list[float], list[tuple[float, str]]]:
    """Places of values on an axis from 0 to 1, and what is written beside it."""
    if isinstance(distribution, CategoricalDistribution):
        choices: Sequence[str] = [str(choice) for choice in distribution.choices]
        at = {choice: (n + 0.5) / len(choices) for n, choice in enumerate(choices)}
        return [at.get(str(value), 0.0) for value in values], [(height, name) for name, height in at.items()]
    log = bool(getattr(distribution, "log", False))
    numbers = np.asarray(values, dtype=np.float64)
    ends = [numbers.min(), numbers.max()]
    scaled, (low, high) = (np.log(one) if log else np.asarray(one) for one in (numbers, np.asarray(ends)))
    width = (high - low) or 1.0
    return ((scaled - low) / width).tolist(), [(0.0, f"{ends[0]:.3g}"), (1.0, f"{ends[1]:.3g}")]
