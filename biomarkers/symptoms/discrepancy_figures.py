"""Figures of the symptom discrepancy; each returns a data URI."""

from collections.abc import Mapping, Sequence

import pandas as pd

from evaluation.report.style import BLUE, GRAY, VERMILION, canvas, svg

_WIDE = 9.8  # inches, the width of a page


def discrepancy_by_total(curves: Mapping[str, pd.DataFrame], published: Mapping[str, Sequence[float]]) -> str:
    """Mean discrepancy at every raw total beside what shuffled answers give, a panel a scale.

    Groups of one person are not drawn: their distance is 0 whatever they answer.

    Args:
        curves: scale -> groups of a `biomarkers.symptoms.discrepancy_uncertainty.Null`.
        published: scale -> means at the totals 0, 1, 2, ..., drawn where there are some.

    Raises:
        ValueError: There is nothing to draw.
    """
    if not curves:
        raise ValueError("no scale to draw")
    with canvas(_WIDE, 3.1) as figure:
        row = figure.subplots(1, len(curves), sharey=True, squeeze=False)[0]
        for axes, (name, curve) in zip(row, curves.items(), strict=True):
            groups = curve[curve["n"] > 1]
            axes.fill_between(groups["group"], groups["low"], groups["high"], color=GRAY, alpha=0.3, lw=0)
            axes.plot(groups["group"], groups["expected"], color=GRAY, ls="--", label="shuffled (95 % band)")
            axes.plot(groups["group"], groups["observed"], color=BLUE, marker="o", ms=3, label="observed")
            if name in published:
                totals = range(len(published[name]))
                axes.plot(totals, published[name], color=VERMILION, ls=":", label="published, other persons")
            axes.set_title(name)
            axes.set_xlabel("raw total")
            axes.set_ylim(bottom=0)
        row[0].set_ylabel("mean discrepancy")
        handles = {
            label: handle
            for axes in row
            for handle, label in zip(*axes.get_legend_handles_labels(), strict=True)
        }
        figure.legend(handles.values(), handles, loc="outside upper left", ncols=3)
        return svg(figure)
