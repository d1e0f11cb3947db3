"""Figure of the trial: increments of F1 by factor, a panel for each kind of cohort."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from evaluation.report.style import BLUE, INK, VERMILION, canvas


def draw_increments(
    found: Mapping[tuple[str, str], Any], factors: Sequence[Any], path: Path, *, labels: Mapping[str, str]
) -> None:
    """Draw the increments; red marks steps that need the answers of the person to be classified.

    Args:
        found: (setting, factor) -> interval with `mean, low, high`.
        factors: With `name` and `deployable`, from top to bottom.
        path: PNG.
        labels: Setting -> title of its panel, in their order.
    """
    with canvas(2.6 + 2.3 * len(labels), 0.9 + 0.3 * len(factors)) as figure:
        grid = figure.subplots(1, len(labels), sharex=True, sharey=True, squeeze=False)[0]
        for axes, (setting, label) in zip(grid, labels.items(), strict=True):
            for place, factor in enumerate(factors):
                interval = found[setting, factor.name]
                color = BLUE if factor.deployable else VERMILION
                if interval.low is not None:
                    axes.hlines(place, interval.low, interval.high, color=color, linewidth=2)
                axes.scatter([interval.mean], [place], s=26, color=color, zorder=4)
            axes.axvline(0, color=INK, linewidth=0.8, linestyle=(0, (2, 2)), zorder=1)
            axes.set_title(label)
            axes.set_xlabel("increment of F1")
            axes.grid(axis="y", visible=False)
        grid[0].set_yticks(range(len(factors)), [factor.name for factor in factors])
        grid[0].set_ylim(len(factors) - 0.4, -0.6)
        figure.savefig(path, dpi=150)
