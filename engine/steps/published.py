"""A published table beside ours, as a section of the page."""

import numpy as np
import pandas as pd

from biomarkers.groups.tables import PublishedTable
from evaluation.page import Section


def published_section(table: PublishedTable) -> Section:
    """Both tables, cell by cell."""
    found = flat(table.cells)
    rows = [tuple(_cell(value) for value in row) for row in found.itertuples(index=False)]
    return Section(
        "published",
        table.title,
        "Ours beside what is printed.",
        columns=[str(name) for name in found],
        rows=rows,
        remarks=table.notes,
    )


def flat(cells: pd.DataFrame) -> pd.DataFrame:
    """Columns of several levels joined to one, and the index a column."""
    joined = cells.copy()
    joined.columns = pd.Index([" ".join(map(str, np.atleast_1d(name))) for name in cells.columns.tolist()])
    return joined.rename_axis("").reset_index()


def _cell(value: object) -> str:
    if isinstance(value, float):
        return "" if np.isnan(value) else f"{value:.0f}" if value.is_integer() else f"{value:.3f}"
    return str(value)
