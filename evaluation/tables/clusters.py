"""What intervals are computed over: persons, or groups in which persons are nested, such as schools.

Pupils of one school resemble each other, so that intervals over persons are too narrow for a statement about
other schools (Cameron and Miller, Journal of Human Resources 2015). A recording table with a column
`cluster_<name>` has intervals over the values of that column, one without has them over persons.
"""

import pandas as pd

from datamodules.schema import UNKNOWN

PREFIX = "cluster_"
PERSONS = "persons"


def with_clusters(table: pd.DataFrame, column: str | None) -> pd.DataFrame:
    """The table with the column `cluster_<column>`, a copy of the column; the table itself for None.

    Raises:
        ValueError: No such column, an empty cell, or a person in two groups.
    """
    if column is None:
        return table
    if column not in table:
        raise ValueError(
            f"evaluation.cluster={column}: the recordings have no such column; they have "
            f"{', '.join(map(str, table.columns))}"
        )
    groups = table[column].astype(str)
    if (empty := (groups == "") | (groups == "nan")).any():
        names = table["recording_id"][empty].tolist()
        raise ValueError(f"evaluation.cluster={column}: empty for {names[:5]}; fill the column")
    torn = groups.groupby(table["subject_id"]).nunique() > 1
    if torn.any() and (persons := [name for name in torn.index[torn] if name != UNKNOWN]):
        raise ValueError(
            f"evaluation.cluster={column}: {persons[:5]} are in several groups, and must be nested in them"
        )
    return table.assign(**{f"{PREFIX}{column}": groups})


def cluster_column(table: pd.DataFrame) -> str | None:
    """The column that intervals are computed over, None for persons."""
    return next((name for name in map(str, table) if name.startswith(PREFIX)), None)


def unit_of(table: pd.DataFrame) -> str:
    """What intervals are computed over, in words.

    Examples:
        >>> unit_of(pd.DataFrame({"cluster_school": ["a"]})), unit_of(pd.DataFrame({"subject_id": ["p"]}))
        ("groups of 'school'", 'persons')
    """
    column = cluster_column(table)
    return PERSONS if column is None else f"groups of '{column.removeprefix(PREFIX)}'"


def same_clusters(table: pd.DataFrame, other: pd.DataFrame) -> pd.DataFrame:
    """The table with the groups of another one that holds the same recordings in the same order."""
    table = table.drop(columns=[name for name in table if str(name).startswith(PREFIX)])
    column = cluster_column(other)
    return table if column is None else table.assign(**{column: other[column].to_numpy()})


def units(table: pd.DataFrame) -> "pd.Series[str]":
    """What each row (N,) belongs to: its group, or its person."""
    return table[cluster_column(table) or "subject_id"]
