"""Plots of the attribution page; each returns a data URI."""

from collections.abc import Mapping

import numpy as np
import pandas as pd
from matplotlib.ticker import MaxNLocator
from numpy.typing import NDArray

from evaluation.report.style import BLUE, GRAY, GREEN, INK, ORANGE, PURPLE, VERMILION, canvas, png, svg

_WIDE = 9.8  # inches: the width of the page
_COLORS = (BLUE, VERMILION, GREEN, ORANGE, PURPLE, GRAY)
_DASHES = ("-", "--", ":")


def over_time(curves: Mapping[str, NDArray[np.float64]], unit: str) -> str:
    """Mean attribution of each region at each step of a clip, and their sum; thin lines part the thirds."""
    steps = len(next(iter(curves.values())))
    with canvas(_WIDE, 3.4) as figure:
        axes = figure.add_subplot()
        for edge in (1 / 3, 2 / 3):
            axes.axvline(edge * steps + 0.5, color=GRAY, linewidth=0.8, linestyle=(0, (2, 2)))
        axes.axhline(0, color=GRAY, linewidth=0.8)
        places = np.arange(1, steps + 1)
        for number, (name, curve) in enumerate(curves.items()):
            style = _DASHES[number // len(_COLORS) % len(_DASHES)]
            color = _COLORS[number % len(_COLORS)]
            axes.plot(places, curve, color=color, linestyle=style, marker=".", markersize=4, label=name)
        if len(curves) > 1:
            axes.plot(places, sum(curves.values()), color=INK, linewidth=2.2, label="sum")
        axes.set(xlabel="step of the clip", ylabel=f"mean attribution ({unit})", xlim=(0.5, steps + 0.5))
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
        figure.legend(loc="outside right upper")
        return svg(figure)


def picture(table: pd.DataFrame, unit: str) -> str:
    """Mean and size of the attribution of each cell of the picture."""
    cells = table[(table["scope"] == "channel") & (table["third"] == "all")]
    place = cells["name"].str.extract(r"_(\d+)_(\d+)$").astype(int).to_numpy()
    with canvas(_WIDE, 4.0) as figure:
        grid = figure.subplots(1, 2)
        for axes, column, title in zip(grid, ("value", "strength"), ("mean", "size"), strict=True):
            values = np.zeros(place.max(0) + 1)
            values[place[:, 0], place[:, 1]] = cells[column]
            top = float(np.abs(values).max()) or 1.0
            signed = column == "value"
            drawn = axes.imshow(
                values, cmap="RdBu_r" if signed else "Blues", vmin=-top if signed else 0, vmax=top
            )
            axes.set(title=title, xticks=[], yticks=[])
            axes.grid(visible=False)
            figure.colorbar(drawn, ax=axes, shrink=0.8, label=unit)
        return png(figure)
