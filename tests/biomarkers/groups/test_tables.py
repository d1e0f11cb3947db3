"""The tables of two papers: ours by hand, theirs as printed and recomputed."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from biomarkers.groups import published
from biomarkers.groups.persons import Persons
from biomarkers.groups.tables import parikh_table_3, standardized, sun_table_2
from datamodules.series.channel_schema import CHANNELS


def persons(*units, n=20):
    rng = np.random.default_rng(0)
    depressed = np.arange(n) % 2 == 0
    values = pd.DataFrame({f"au{u:02d}_mean": rng.random(n) + 0.5 * depressed for u in units})
    return Persons(values=values, depressed=depressed, left_out={"x": "no recording has a label"})


def test_parikh_means_are_standardized_over_the_persons():
    cohort = persons(1, 6, 15)
    table = parikh_table_3(cohort)
    z = stats.zscore(cohort.values["au06_mean"])
    own = table.cells["AU6", "here"]
    groups = z[cohort.depressed], z[~cohort.depressed]
    assert own["Depressed"] == pytest.approx(groups[0].mean())
    assert own["Depressed"] == pytest.approx(-own["Healthy"])  # equal groups
    interval = stats.ttest_ind(*groups, equal_var=False).confidence_interval()
    assert own["Difference, 95 % from"] == pytest.approx(interval.low)
    assert own["Difference, 95 % to"] == pytest.approx(interval.high)
    p = [table.cells[f"AU{u}", "here"]["p (Welch, Holm)"] for u in (1, 6, 15)]
    z_all = standardized(cohort).values
    raw = stats.ttest_ind(z_all[cohort.depressed], z_all[~cohort.depressed], equal_var=False).pvalue
    assert min(p) == pytest.approx(3 * min(raw))
    assert table.cells["AU15", "published"]["Difference"] == 0.192
    assert "1 persons without one group are left out." in table.notes


def test_a_unit_nobody_measured_is_empty_and_named():
    table = sun_table_2(persons(1, 4, 12))
    assert list(table.cells.index) == [f"AU{n}" for n in published.SUN_AUS]
    assert table.cells.loc["AU18", "here"].isna().all()
    assert table.cells.loc["AU18", ("published", "mean_depressed")] == 0.7720
    assert table.cells.loc["AU1", "published"].isna().all()  # a mean that was not printed
    assert "AU18, AU19, AU27 in no OpenFace output" in table.notes[0].replace("AU3, ", "")
    assert "AU7" in table.notes[0]


def test_sun_p_values_do_not_follow_from_the_printed_means():
    cells = sun_table_2(persons(4)).cells["published"]
    # by hand for AU18: t = 0.1601 / sqrt((0.4291^2 + 0.4269^2) / 15) = 1.024 with 28 degrees of freedom
    assert cells.loc["AU18", "recomputed_p"] == pytest.approx(2 * stats.t.sf(1.0244, 28), abs=1e-3)
    above = cells.index[cells["recomputed_p"] > 0.05].tolist()
    assert above == ["AU4", "AU9", "AU18"]
    assert (cells["p"].dropna() < 0.05).all()


def test_the_issues_of_parikh_are_those_of_the_printed_numbers():
    assert published.PARIKH_DEPRESSED + published.PARIKH_SUBCLINICAL == 55
    table = published.PARIKH_TABLE_3
    wrong = [u for u, v in table.items() if round(v.depressed - v.healthy, 3) != v.difference]
    assert wrong == ["au01"]
    ratios = [-v.healthy / v.depressed for v in table.values()]
    assert 0.915 < min(ratios) < max(ratios) < 0.935
    assert 55 / published.PARIKH_HEALTHY > 1.2


def test_units_said_not_to_be_in_openface_have_no_intensity_in_the_schema_or_are_no_output_of_it():
    units = {f"au{n:02d}" for n in published.SUN_AUS}
    assert units - set(CHANNELS) <= published.NOT_IN_OPENFACE <= units


def test_standardizing_leaves_out_what_does_not_vary():
    cohort = persons(1)
    flat = Persons(values=cohort.values.assign(au04_mean=2.0), depressed=cohort.depressed, left_out={})
    assert standardized(flat).values["au04_mean"].isna().all()
    assert sun_table_2(flat).cells.loc["AU4", ("here", "mean_depressed")] == 2.0
    assert np.isnan(sun_table_2(flat).cells.loc["AU4", ("here", "p")])
