"""What is drawn is what was computed, and no label lies on another."""

import numpy as np
import pytest
from matplotlib.colors import to_hex

from biomarkers.groups import group_figures
from biomarkers.groups.comparison import compare_groups
from biomarkers.groups.profiles import Profile
from biomarkers.groups.subject_means import person_means
from evaluation.report.style import GRAY, VERMILION
from evaluation.uncertainty.bootstrap import Resampling

pytestmark = pytest.mark.slow  # seconds each


def profile(level, *, channels=("au01", "au12", "au15", "pose_yaw"), bins=10):
    mean = np.full((bins, len(channels)), float(level))
    return Profile(channels=channels, mean=mean, low=mean - 1, high=mean + 1, persons=np.full(bins, 5))


def test_each_panel_has_the_course_and_the_mean_of_each_group(drawn):
    courses = {"control": profile(1), "depressed": profile(3)}
    figure = drawn(group_figures, "means_over_time", courses)
    panels = [axes for axes in figure.axes if axes.axison]
    assert [axes.get_title(loc="left") for axes in panels] == ["AU1", "AU12", "AU15", "pose yaw"]
    for axes in panels:
        assert [set(np.ravel(line.get_ydata())) for line in axes.lines] == [{1.0}, {1.0}, {3.0}, {3.0}]
        assert [axes.collections[1].get_datalim(axes.transData).y0] == [2.0]


def test_labels_on_each_other_are_noticed(drawn, monkeypatch):
    monkeypatch.setattr(group_figures, "label", lambda name: name * 14)
    with pytest.raises(AssertionError, match="au01au01"):
        drawn(group_figures, "means_over_time", {"all": profile(1)})


def test_bins_that_nobody_fills_are_gaps(drawn):
    gap = profile(1, channels=("au01",))
    gap.mean[3], gap.low[3], gap.high[3], gap.persons[3] = np.nan, np.nan, np.nan, 0
    axes = drawn(group_figures, "means_over_time", {"all": gap}).axes[0]
    assert np.isnan(axes.lines[0].get_ydata()).tolist() == [False] * 3 + [True] + [False] * 6
    assert axes.lines[1].get_ydata()[0] == 1.0


def test_no_group_is_refused():
    with pytest.raises(ValueError, match="0 groups"):
        group_figures.means_over_time({})


def test_rows_carry_means_intervals_and_p_values(drawn, latent_tables):
    table = compare_groups(person_means(*latent_tables(persons=60)), Resampling(1000))
    axes = drawn(group_figures, "group_means", table).axes[0]
    np.testing.assert_allclose(axes.containers[1][0].get_xdata(), table["mean_depressed"])
    assert [t.get_text() for t in axes.get_yticklabels()][:2] == ["AU1 mean", "AU2 mean"]
    printed = [t.get_text() for t in axes.texts]
    expected = ["p < 0.001" if p < 0.001 else f"p = {p:.3f}" for p in table["welch_p_holm"]]
    assert printed == expected


def test_effects_are_sorted_and_colored_by_the_corrected_test(drawn, latent_tables):
    table = compare_groups(person_means(*latent_tables(persons=60)), Resampling(1000))
    axes = drawn(group_figures, "effect_sizes", table).axes[0]
    dots = [c for c in axes.collections if len(c.get_offsets()) == 1 and len(c.get_facecolor())]
    values = [float(d.get_offsets()[0][0]) for d in dots]
    assert values == sorted(table["hedges_g"], reverse=True)
    best = table.loc[table["hedges_g"].idxmax()]
    expected = VERMILION if best["welch_p_holm"] < 0.05 else GRAY
    assert to_hex(dots[0].get_facecolor()[0]).upper() == expected.upper()
    with pytest.raises(ValueError, match="none of 17 features was tested"):
        group_figures.effect_sizes(table.assign(welch_p_holm=np.nan))
