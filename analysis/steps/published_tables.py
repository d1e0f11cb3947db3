"""Section of the page with a published table beside ours."""

import numpy as np
import pandas as pd

from biomarkers.published.published_table import PublishedTable
from evaluation.report.page import Section

_COLUMNS = 8  # that fit beside each other on a page
_SMALL = 0.001


def published_section(table: PublishedTable) -> Section:
    """Both tables, cell by cell."""
    found = flat(_narrow(table.cells))
    rows = [tuple(_cell(value) for value in row) for row in found.itertuples(index=False)]
    return Section(
        "published",
        table.title,
        "Ours beside what is printed.",
        columns=[str(name) for name in found],
        rows=rows,
        remarks=table.notes,
    )


def _narrow(cells: pd.DataFrame) -> pd.DataFrame:
    """Ours and printed as rows below each other, without empty ones, where there are too many columns."""
    if len(cells.columns) <= _COLUMNS or cells.columns.nlevels < 2:
        return cells
    names = cells.columns.get_level_values(1).unique()
    rows = {
        f"{name}, {source}": own.reindex(names)
        for name in cells.index
        for source in cells.columns.get_level_values(0).unique()
        if not (own := cells.loc[name, source].dropna()).empty
    }
    return pd.DataFrame(rows).T.rename(columns=lambda name: str(name).replace("_", " "))


def flat(cells: pd.DataFrame) -> pd.DataFrame:
    """Columns of several levels joined to one, and the index a column."""
    joined = cells.copy()
    joined.columns = pd.Index([" ".join(map(str, np.atleast_1d(name))) for name in cells.columns.tolist()])
    return joined.rename_axis("").reset_index()


def _cell(value: object) -> str:
    if not isinstance(value, float):
        return str(value)
    if np.isnan(value):
        return ""
    if 0 < value < _SMALL:
        return f"< {_SMALL:g}"
    return f"{value:.0f}" if value.is_integer() else f"{value:.3f}"
