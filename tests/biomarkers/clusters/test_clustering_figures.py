"""Clusters as drawn: every person once, in the color of the cluster."""

import numpy as np
import pytest
from matplotlib.colors import to_hex
from sklearn.datasets import make_blobs
from sklearn.metrics import silhouette_score

from biomarkers.clusters import clustering_figures
from biomarkers.clusters.agglomerative import NearestCentroidAgglomerative
from evaluation.report.style import BLUE, GREEN, VERMILION

pytestmark = pytest.mark.slow  # seconds each

X, _ = make_blobs([12, 9, 7], n_features=3, random_state=2)
CLUSTERS = NearestCentroidAgglomerative(n_clusters=3).fit(X).labels_
DEPRESSED = np.arange(len(X)) % 2 == 0


def hexes(colors):
    return [to_hex(color).upper() for color in colors]


def test_persons_are_colored_by_cluster_and_marked_by_group(drawn):
    figure = drawn(
        clustering_figures, "components", X, CLUSTERS, DEPRESSED, explained=np.array([0.6, 0.3, 0.1])
    )
    control, depressed = figure.axes[0].collections
    np.testing.assert_allclose(depressed.get_offsets(), X[DEPRESSED, :2])
    assert hexes(control.get_facecolor()) == [(BLUE, VERMILION, GREEN)[k] for k in CLUSTERS[~DEPRESSED]]
    assert "60 %" in figure.axes[0].get_xlabel()


def test_one_component_is_a_line(drawn):
    figure = drawn(
        clustering_figures, "components", X[:, :1], CLUSTERS, DEPRESSED, explained=np.array([0.97, 0.03])
    )
    assert "one component" in figure.axes[0].get_ylabel()


def test_every_person_has_a_silhouette(drawn):
    axes = drawn(clustering_figures, "silhouettes", X, CLUSTERS).axes[0]
    widths = [bar.get_width() for bar in axes.patches]
    assert len(widths) == len(X)
    assert np.mean(widths) == pytest.approx(silhouette_score(X, CLUSTERS))
    sizes = [int(t.get_text().split("\n")[1].split()[0]) for t in axes.get_yticklabels()]
    assert sorted(sizes) == [7, 9, 12]


@pytest.mark.parametrize("k", [2, 3, 6])
def test_the_branches_of_a_tree_have_the_colors_of_the_clusters(drawn, k):
    labels = NearestCentroidAgglomerative(n_clusters=k).fit(X).labels_
    axes = drawn(clustering_figures, "tree", X, labels, DEPRESSED).axes[0]
    branches = axes.collections[0]
    assert len(branches.get_segments()) == len(X) - 1
    inner = [color for color in hexes(branches.get_color()) if color != clustering_figures.INK.upper()]
    sizes = np.bincount(labels)
    for cluster, color in enumerate(clustering_figures._COLORS[:k]):
        assert inner.count(color.upper()) == sizes[cluster] - 1
    assert sum(len(c.get_offsets()) for c in axes.collections[1:]) == len(X)


def test_more_clusters_than_colors_are_refused():
    with pytest.raises(ValueError, match="7 clusters: 6 can be told apart"):
        clustering_figures.tree(X, np.arange(len(X)) % 7, DEPRESSED)
