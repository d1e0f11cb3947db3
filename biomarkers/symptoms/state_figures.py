"""Figures of emotional states: pairs of totals, cluster profiles, dendrogram; each returns a data URI."""

from itertools import combinations

import numpy as np
import pandas as pd
from matplotlib.colors import LinearSegmentedColormap, LogNorm
from numpy.typing import NDArray
from scipy.cluster.hierarchy import dendrogram, linkage
from sklearn.preprocessing import StandardScaler

from biomarkers.clusters.clustering_figures import cut_height, draw_branches
from datamodules.manifests.scales import SCALES
from evaluation.report.style import BLUE, GRAY, GREEN, INK, ORANGE, PURPLE, VERMILION, canvas, svg

Array = NDArray[np.float64]

_WIDE, _HALF = 9.8, (4.7, 3.4)  # inches: the page, and half of it
_COLORS = (BLUE, ORANGE, VERMILION, GREEN, PURPLE)
_BRANCHES = 40  # lowest branches that a tree shows
_CELLS = 22  # along an axis: the values that a total of seven items has
_DENSITY = LinearSegmentedColormap.from_list("density", ["#dbe9f3", BLUE, INK])


def total_pairs(totals: pd.DataFrame) -> str:
    """Persons on every two totals, as counts in cells of a raw point of the DASS-21, on a logarithmic scale.

    Args:
        totals: One row a person, one column a scale (S, D), D of 2 or 3; columns name scales.

    Raises:
        ValueError: There are other numbers of scales.
    """
    pairs = list(combinations(totals, 2))
    if len(pairs) not in (1, 3):
        raise ValueError(f"{totals.shape[1]} scales: pairs are drawn of two or three")
    edges = {name: np.linspace(-1 / 42, 1 + 1 / 42, _CELLS + 1) * SCALES[str(name)].high for name in totals}
    counts = [np.histogram2d(totals[a], totals[b], bins=[edges[a], edges[b]])[0] for a, b in pairs]
    norm = LogNorm(1, max(2.0, *(float(cells.max()) for cells in counts)))
    with canvas(_WIDE, 3.2) as figure:
        panels = figure.subplots(1, len(pairs), squeeze=False)[0]
        for axes, cells, (a, b) in zip(panels, counts, pairs, strict=True):
            shown = np.where(cells.T > 0, cells.T, np.nan)
            drawn = axes.pcolormesh(edges[a], edges[b], shown, norm=norm, cmap=_DENSITY)
            axes.set(xlabel=a, ylabel=b)
        figure.colorbar(drawn, ax=panels.tolist(), label="persons", shrink=0.9)
        return svg(figure)


def cluster_profiles(means: pd.DataFrame) -> str:
    """Mean total of every cluster on every scale with its interval, the mildest first.

    Args:
        means: Of `states.cluster_means`.
    """
    scales, clusters = list(dict.fromkeys(means["scale"])), sorted(means["cluster"].unique())
    with canvas(*_HALF) as figure:
        axes = figure.add_subplot()
        for number, color in zip(clusters, _COLORS, strict=False):
            own = means[means["cluster"] == number].set_index("scale").loc[scales]
            place = np.arange(len(scales)) + 0.08 * (number - (len(clusters) - 1) / 2)
            error = np.stack([own["mean"] - own["low"], own["high"] - own["mean"]])
            name = f"cluster {number + 1}: {own['persons'].iloc[0]:,} persons"
            axes.errorbar(place, own["mean"], yerr=error, fmt="o-", color=color, capsize=2, label=name)
        axes.set_xticks(range(len(scales)), scales)
        axes.set(xlim=(-0.4, len(scales) - 0.6), ylabel="mean total, 95 % interval")
        axes.set_ylim(bottom=0)
        figure.legend(loc="outside upper left", ncols=2, columnspacing=1.0)
        return svg(figure)


def treetop(totals: Array, *, k: int, at_most: int, seed: int = 0) -> str:
    """The upper branches of Ward's tree of standardized totals (S, D), and the cut into `k` clusters, dashed.

    A tree of all persons has more leaves than a page has dots: of larger tables a subsample is drawn.
    """
    rows = np.random.default_rng(seed).permutation(len(totals))[:at_most]
    links = linkage(StandardScaler().fit_transform(totals[rows]), method="ward")
    drawn = dendrogram(links, truncate_mode="lastp", p=min(_BRANCHES, len(rows)), no_plot=True)
    with canvas(*_HALF) as figure:
        axes = figure.add_subplot()
        draw_branches(axes, drawn, INK)
        cut = cut_height(links, k)
        axes.axhline(cut, color=VERMILION, linewidth=1, linestyle=(0, (4, 3)), label=f"cut into {k} clusters")
        axes.set_ylim(0, 1.05 * float(links[-1, 2]))
        axes.set_xlabel(f"{len(rows):,} persons in {len(drawn['leaves'])} branches")
        axes.axhline(0, color=GRAY, linewidth=0.8)
        figure.legend(loc="outside upper left")
        return svg(figure)
