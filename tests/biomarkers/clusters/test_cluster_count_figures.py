"""Curves to choose by mark what they should."""

import numpy as np
import pandas as pd
import pytest

from biomarkers.clusters import cluster_count_figures
from biomarkers.clusters.stability import Stability

pytestmark = pytest.mark.slow  # seconds each


def test_the_line_stands_where_the_share_is_reached(drawn):
    axes = drawn(cluster_count_figures, "scree", np.array([0.5, 0.3, 0.16, 0.04])).axes[0]
    assert [bar.get_height() for bar in axes.patches] == [0.5, 0.3, 0.16, 0.04]
    kept = axes.lines[2]
    assert set(kept.get_xdata()) == {3}
    assert kept.get_label() == "3 components"


def test_the_best_number_is_marked_for_each_index(drawn):
    table = pd.DataFrame(
        {
            "k": [2, 3, 4, 5],
            "silhouette": [0.2, 0.5, 0.4, np.nan],
            "calinski_harabasz": [9.0, 20.0, 30.0, np.nan],
            "davies_bouldin": [0.9, 1.4, 1.1, np.nan],
        }
    )
    panels = drawn(cluster_count_figures, "indices_over_k", table).axes
    assert [axes.get_title(loc="left") for axes in panels] == [
        "Silhouette: best at 3",
        "Calinski-Harabasz: best at 4",
        "Davies-Bouldin: best at 2",
    ]
    assert [axes.collections[0].get_offsets()[0].tolist() for axes in panels] == [[3, 0.5], [4, 30], [2, 0.9]]


def test_stability_is_drawn_with_its_spread(drawn):
    found = {k: Stability(mean=1 / k, low=0.1, high=0.9) for k in (3, 2)}
    axes = drawn(cluster_count_figures, "stability_over_k", found).axes[0]
    assert axes.lines[0].get_xydata().tolist() == [[2, 0.5], [3, 1 / 3]]
    assert len(axes.collections[0].get_segments()) == 2
