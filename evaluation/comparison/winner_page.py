"""What a page says of the winner of a sweep: a sentence, a table of rows and a figure."""

import pandas as pd

from evaluation.comparison.winner import Winner
from evaluation.metrics.catalog import METRICS
from evaluation.report.forest import mark_estimate, name_rows
from evaluation.report.style import BLUE, GRAY, canvas, svg

_SHOWN = 25  # trials in the figure: our choice, the rest would never win
_NAMED = 6  # trials in the sentence


def winner_sentence(found: Winner) -> str:
    """The result in words.

    Examples:
        >>> winner_sentence(Winner("auc", (), {}, reason="no trial has a value: all targets are equal"))
        'Which trial is the best is not known: no trial has a value: all targets are equal.'
    """
    first, label = found.winner, METRICS[found.metric].label
    if first is None or first.probability is None:
        return f"Which trial is the best is not known: {found.reason}."
    if len(found.trials) == 1:
        return f"Trial {first.trial} is the only one with a value of {label}."
    sure = f"Trial {first.trial} ({label} {first.value:.3f}) is the best with probability "
    sure += f"{first.probability:.2f}"
    rival = max(found.trials, key=lambda one: one.probability or 0.0)
    if (rival.probability or 0.0) > first.probability + 0.01:
        sure += f", trial {rival.trial} with {rival.probability:.2f}"
    cost = f"choosing it is expected to cost {first.regret:.3f} {label} against the best"
    again = f"with other persons and seeds expect {first.expected:.3f}"
    parts = [f"{sure}; {_together(found)}; {cost}; {again}."]
    if not found.seeds_seen:
        parts.append("Every trial has one seed: how far seeds spread is a guess; train the first ones again.")
    return " ".join(parts)


def winner_rows(found: Winner) -> pd.DataFrame:
    """A row a trial, best value first, those without a value last with the reason.

    Columns: `trial, seeds, value, low, high, expected, probability, regret, together, reason`.
    """
    rows = [vars(one) | {"reason": None} for one in found.trials]
    rows += [{"trial": trial, "together": False, "reason": why} for trial, why in found.absent.items()]
    columns = ["trial", "seeds", "value", "low", "high", "expected", "probability", "regret", "together"]
    return pd.DataFrame(rows, columns=[*columns, "reason"])


def winner_figure(found: Winner) -> str | None:
    """Values with intervals beside the probabilities of rank 1, as a data URI; None without a value.

    Blue are the winner and the trials that cannot be told apart from it; a small mark is the expected value.
    """
    trials = found.trials[:_SHOWN]
    if not trials:
        return None
    with canvas(9.8, 0.9 + 0.28 * len(trials)) as figure:
        left, right = figure.subplots(1, 2, sharey=True, width_ratios=(3, 2))
        for place, one in enumerate(trials):
            color = BLUE if one.together else GRAY
            mark_estimate(left, place, {"value": one.value, "low": one.low, "high": one.high}, color=color)
            if one.expected is not None:
                left.scatter([one.expected], [place], s=30, color=color, marker="|", zorder=5)
            if one.probability is not None:
                right.barh(place, one.probability, height=0.6, color=color)
                right.annotate(f" {one.probability:.2f}", (one.probability, place), va="center", fontsize=7)
        name_rows(left, [f"trial {one.trial}" for one in trials])
        left.set_xlabel(f"{METRICS[found.metric].label} with 95 % interval; | expected again")
        right.set_xlabel("probability of rank 1")
        right.set_xlim(0, 1.05)
        for axes in (left, right):
            axes.grid(axis="y", visible=False)
        return svg(figure)


def _together(found: Winner) -> str:
    together = found.together
    if len(together) == 1:
        return "all others can be told apart from it"
    if len(together) == len(found.trials):
        return f"none of the {len(found.trials)} trials can be told apart from it"
    names = [str(one.trial) for one in together[:_NAMED]]
    more = len(together) - len(names)
    last = f"{more} more" if more else names.pop()
    return f"trials {', '.join(names)} and {last} cannot be told apart"
