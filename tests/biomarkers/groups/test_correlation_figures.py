import numpy as np
import pandas as pd
import pytest
from matplotlib.collections import PathCollection
from matplotlib.colors import to_hex

from biomarkers.groups import correlation_figures
from evaluation.report.style import BLUE, GRAY, VERMILION


def test_the_forest_colors_what_is_significant_and_leaves_untested_places_empty(drawn):
    found = pd.DataFrame(
        {
            "feature": ["gaze_vertical", "gaze_vertical", "blink_rate", "blink_rate", "fixation_duration"],
            "score": ["DASS-21-D", "DASS-21-S", "DASS-21-D", "DASS-21-S", "DASS-21-D"],
            "rho": [-0.5, 0.1, 0.3, np.nan, np.nan],
            "low": [-0.6, -0.1, 0.1, np.nan, np.nan],
            "high": [-0.3, 0.25, 0.45, np.nan, np.nan],
            "p_holm": [0.001, 0.4, 0.02, np.nan, np.nan],
        }
    )
    figure = drawn(correlation_figures, "correlation_forest", found)
    points = [[c for c in axes.collections if isinstance(c, PathCollection)] for axes in figure.axes]
    assert [[float(c.get_offsets()[0][0]) for c in own] for own in points] == [[-0.5, 0.3], [0.1]]
    colors = [to_hex(c.get_facecolor()[0]).upper() for own in points for c in own]
    assert colors == [name.upper() for name in (BLUE, VERMILION, GRAY)]
    assert [t.get_text() for t in figure.axes[0].get_yticklabels()] == ["gaze vertical", "blink rate"]


def test_nothing_tested_is_an_error():
    nothing = pd.DataFrame({"feature": ["a"], "score": ["b"], "rho": [np.nan]})
    with pytest.raises(ValueError, match="none of 1 correlations"):
        correlation_figures.correlation_forest(nothing)
