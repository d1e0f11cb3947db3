"""Table 2 of Sun et al.: ours by hand, theirs as printed and recomputed."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from biomarkers.groups.subject_means import Persons
from biomarkers.naming import label
from biomarkers.published.parikh2024 import standardized
from biomarkers.published.published_table import NOT_IN_OPENFACE
from biomarkers.published.sun2023 import UNITS, table_2
from datamodules.series.channel_schema import CHANNELS


def persons(*units, n=20):
    rng = np.random.default_rng(0)
    depressed = np.arange(n) % 2 == 0
    values = pd.DataFrame({f"au{u:02d}_mean": rng.random(n) + 0.5 * depressed for u in units})
    return Persons(values=values, depressed=depressed, left_out={"x": "no recording has a label"})


def test_a_unit_nobody_measured_is_empty_and_named():
    table = table_2(persons(1, 4, 12))
    assert list(table.cells.index) == [label(unit) for unit in UNITS]
    assert table.cells.loc["AU18", "here"].isna().all()
    assert table.cells.loc["AU18", ("published", "mean_depressed")] == 0.7720
    assert table.cells.loc["AU1", "published"].isna().all()  # a mean that was not printed
    assert "AU18, AU19, AU27 in no OpenFace output" in table.notes[0].replace("AU3, ", "")
    assert "AU7" in table.notes[0]


def test_sun_p_values_do_not_follow_from_the_printed_means():
    cells = table_2(persons(4)).cells["published"]
    # by hand for AU18: t = 0.1601 / sqrt((0.4291^2 + 0.4269^2) / 15) = 1.024 with 28 degrees of freedom
    assert cells.loc["AU18", "recomputed_p"] == pytest.approx(2 * stats.t.sf(1.0244, 28), abs=1e-3)
    above = cells.index[cells["recomputed_p"] > 0.05].tolist()
    assert above == ["AU4", "AU9", "AU18"]
    assert (cells["p"].dropna() < 0.05).all()


def test_units_said_not_to_be_in_openface_have_no_intensity_in_the_schema_or_are_no_output_of_it():
    units = set(UNITS)
    assert units - set(CHANNELS) <= NOT_IN_OPENFACE <= units


def test_standardizing_leaves_out_what_does_not_vary():
    cohort = persons(1)
    flat = Persons(values=cohort.values.assign(au04_mean=2.0), depressed=cohort.depressed, left_out={})
    assert standardized(flat).values["au04_mean"].isna().all()
    assert table_2(flat).cells.loc["AU4", ("here", "mean_depressed")] == 2.0
    assert np.isnan(table_2(flat).cells.loc["AU4", ("here", "p")])
