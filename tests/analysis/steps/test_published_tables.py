"""Published tables fit a page: many columns become rows, small p-values say that they are small."""

import numpy as np
import pandas as pd

from analysis.steps.published_tables import published_section
from biomarkers.published.published_table import PublishedTable


def section(cells):
    return published_section(PublishedTable(title="t", cells=cells, notes=("n",)))


def test_few_columns_stay_and_numbers_of_persons_are_whole():
    cells = pd.DataFrame(
        {("AU1", "here"): [0.25, 28.0], ("AU1", "published"): [0.0004, np.nan]}, index=["mean", "persons"]
    )
    found = section(cells)
    assert found.columns == ["", "AU1 here", "AU1 published"]
    assert found.rows == [("mean", "0.250", "< 0.001"), ("persons", "28", "")]


def test_many_columns_become_rows_without_empty_ones():
    names = ["mean_depressed", "mean_control", "p", "a", "b"]
    columns = pd.MultiIndex.from_tuples([(source, n) for source in ("here", "published") for n in names])
    values = np.arange(20.0).reshape(2, 10) + 0.5
    values[1, :5] = np.nan
    found = section(pd.DataFrame(values, index=["AU4", "AU9"], columns=columns))
    assert found.columns == ["", "mean depressed", "mean control", "p", "a", "b"]
    assert [row[0] for row in found.rows] == ["AU4, here", "AU4, published", "AU9, published"]
    assert found.rows[1][1:] == ("5.500", "6.500", "7.500", "8.500", "9.500")
