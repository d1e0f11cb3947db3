"""Figures of one clustering: components, silhouettes, dendrogram; each returns a data URI.

Letters: `S` persons, `D` components.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.collections import LineCollection
from matplotlib.lines import Line2D
from numpy.typing import NDArray
from scipy.cluster.hierarchy import dendrogram, linkage
from sklearn.metrics import silhouette_samples

from evaluation.report.style import BLUE, GRAY, GREEN, INK, ORANGE, PURPLE, VERMILION, canvas, svg

Array = NDArray[np.float64]
Labels = NDArray[np.int64]
Flags = NDArray[np.bool_]

_HALF = (4.7, 3.9)  # inches: half of the page's width
_WIDE = 9.8
_COLORS = (BLUE, VERMILION, GREEN, ORANGE, PURPLE, GRAY)
_MARKERS = {False: ("o", "control"), True: ("^", "depressed")}


def components(scores: Array, clusters: Labels, depressed: Flags, *, explained: Array) -> str:
    """Persons on the first two components, colored by cluster and marked by group.

    Args:
        scores: Component scores (S, D).
        clusters: Cluster of each person (S,), numbered from 0.
        depressed: Group of each person (S,).
        explained: Share of the variance of each component (>= D,).

    Raises:
        ValueError: There are more clusters than colors.
    """
    colors = _colors(clusters)
    second = scores[:, 1] if scores.shape[1] > 1 else np.zeros(len(scores))
    with canvas(*_HALF) as figure:
        axes = figure.add_subplot()
        for flag, (marker, _) in _MARKERS.items():
            rows = depressed == flag
            axes.scatter(
                scores[rows, 0], second[rows], c=[colors[k] for k in clusters[rows]], marker=marker, s=26,
                alpha=0.75, linewidths=0,
            )  # fmt: skip
        axes.set_xlabel(f"component 1 ({100 * explained[0]:.0f} % of the variance)")
        axes.set_ylabel(
            f"component 2 ({100 * explained[1]:.0f} %)" if scores.shape[1] > 1 else "one component was kept"
        )
        dots = [_dot(color, "s", f"cluster {k + 1}") for k, color in colors.items()]
        marks = [_dot(INK, marker, name) for marker, name in _MARKERS.values()]
        figure.legend(handles=dots + marks, loc="outside upper left", ncols=4, columnspacing=1.0)
        return svg(figure)


def silhouettes(scores: Array, clusters: Labels) -> str:
    """The silhouette of every person, sorted within clusters, and the mean.

    Args:
        scores: Component scores (S, D).
        clusters: Cluster of each person (S,), 2 to S - 1 of them, numbered from 0.

    Raises:
        ValueError: There are more clusters than colors.
    """
    width, colors = silhouette_samples(scores, clusters), _colors(clusters)
    with canvas(*_HALF) as figure:
        axes = figure.add_subplot()
        start, gap = 0, max(1, len(width) // 50)
        ticks = []
        for k, color in colors.items():
            own = np.sort(width[clusters == k])[::-1]
            axes.barh(np.arange(start, start + own.size), own, height=1, color=color, linewidth=0)
            ticks.append((start + (own.size - 1) / 2, f"cluster {k + 1}\n{own.size} persons"))
            start += own.size + gap
        mean = float(width.mean())
        axes.axvline(mean, color=INK, linewidth=1, linestyle=(0, (4, 3)), label=f"mean {mean:.2f}")
        axes.axvline(0, color=GRAY, linewidth=0.8)
        axes.set_yticks(*zip(*ticks, strict=True))
        axes.set(ylim=(start - gap + 0.5, -1.5), xlabel="silhouette")
        axes.grid(axis="y", visible=False)
        figure.legend(loc="outside upper left")
        return svg(figure)


def tree(scores: Array, clusters: Labels, depressed: Flags) -> str:
    """Ward's dendrogram of persons, its branches in the colors of the clusters, their groups as dots below.

    Args:
        scores: Component scores (S, D).
        clusters: Clusters (S,) of the same tree, numbered from 0.
        depressed: Group of each person (S,).

    Raises:
        ValueError: There are more clusters than colors.
    """
    colors, links = _colors(clusters), linkage(scores, method="ward")
    cut = cut_height(links, len(colors))
    drawn = dendrogram(links, color_threshold=cut, above_threshold_color="above", no_plot=True)
    # scipy colors branches by names of its own: those of the leaves tell which cluster each name stands for
    own = dict(
        zip(drawn["leaves_color_list"], (colors[clusters[leaf]] for leaf in drawn["leaves"]), strict=True)
    )
    with canvas(_WIDE, 3.6) as figure:
        axes = figure.add_subplot()
        draw_branches(axes, drawn, [own[name] if name != "above" else INK for name in drawn["color_list"]])
        place, group = 5 + 10 * np.arange(len(scores)), depressed[drawn["leaves"]]
        top = float(links[-1, 2])
        for flag, (marker, name) in _MARKERS.items():
            below = np.full(int((group == flag).sum()), -0.035 * top * (2 if flag else 1))
            color = INK if flag else GRAY
            axes.scatter(
                place[group == flag], below, s=11, color=color, marker=marker, linewidths=0, label=name
            )
        axes.set(ylim=(-0.11 * top, 1.05 * top), xlabel=f"{len(scores)} persons")
        figure.legend(loc="outside upper left", ncols=2)
        return svg(figure)


def cut_height(links: Array, k: int) -> float:
    """Where to cut a tree of merges (S - 1, 4) into `k` clusters: between the two merges it separates."""
    return float(links[-k:, 2][:2].mean()) if k > 1 else np.inf


def draw_branches(axes: Any, drawn: Mapping[str, Any], colors: str | Sequence[str]) -> None:
    """The branches that `scipy.cluster.hierarchy.dendrogram` laid out, ten units of x a leaf."""
    lines = [np.column_stack(pair) for pair in zip(drawn["icoord"], drawn["dcoord"], strict=True)]
    axes.add_collection(LineCollection(lines, colors=colors, linewidths=1.1))
    axes.set(xlim=(0, 10 * len(drawn["leaves"])), xticks=[], ylabel="distance (Ward)")
    axes.grid(axis="x", visible=False)


def _colors(clusters: Labels) -> dict[int, str]:
    names = np.unique(clusters).tolist()
    if len(names) > len(_COLORS):
        raise ValueError(f"{len(names)} clusters: {len(_COLORS)} can be told apart by color")
    return dict(zip(names, _COLORS, strict=False))


def _dot(color: str, marker: str, name: str) -> Any:
    return Line2D([], [], color=color, marker=marker, linestyle="", markersize=5.5, label=name)
