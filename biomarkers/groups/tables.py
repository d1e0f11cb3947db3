"""Two published tables of group means, recomputed from the user's persons beside the printed numbers."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from scipy import stats

from biomarkers.groups import published
from biomarkers.groups.comparison import group_tests
from biomarkers.groups.persons import Persons
from biomarkers.naming import label
from evaluation.uncertainty.bootstrap import LEVEL

_MEAN = "_mean"  # what follows the unit in the name of its mean, `au01_mean`


@dataclass(frozen=True, eq=False, kw_only=True)
class PublishedTable:
    """A table with columns of two levels (what, here or published), and notes to print below it."""

    title: str
    cells: pd.DataFrame
    notes: tuple[str, ...]


def standardized(persons: Persons) -> Persons:
    """Every feature with mean 0 and standard deviation 1 over all persons, both groups together.

    This uses every person and belongs in a description of groups, never before a split. A feature without
    spread becomes missing.
    """
    spread = persons.values.std(ddof=0)
    return replace(persons, values=(persons.values - persons.values.mean()) / spread.where(spread > 0))


def parikh_table_3(persons: Persons) -> PublishedTable:
    """Table III of Parikh et al.: means of standardized AU1, AU6, AU15, and the differences of the groups.

    Standardized over persons, our reading of the negative means. Added to the printed rows are the 95 %
    interval of the difference and Welch's p, after Holm over the units of the table.

    Args:
        persons: Both groups, features as measured.
    """
    columns = {}
    here, lost = _tested(standardized(persons), list(published.PARIKH_TABLE_3))
    for unit, printed in published.PARIKH_TABLE_3.items():
        columns[label(unit), "here"] = here[unit]
        columns[label(unit), "published"] = {
            "mean_depressed": printed.depressed,
            "mean_control": printed.healthy,
            "difference": printed.difference,
        }
    rows = {
        "mean_depressed": "Depressed",
        "mean_control": "Healthy",
        "difference": "Difference",
        "low": "Difference, 95 % from",
        "high": "Difference, 95 % to",
        "p_holm": "p (Welch, Holm)",
        "n_depressed": "Persons, depressed",
        "n_control": "Persons, healthy",
    }
    return PublishedTable(
        title="Overall mean intensity of dominant action units, standardized (Parikh et al. 2024, Table III)",
        cells=pd.DataFrame(columns).reindex(list(rows)).rename(index=rows),
        notes=(*_notes(persons, lost), *published.PARIKH_ISSUES),
    )


def sun_table_2(persons: Persons) -> PublishedTable:
    """Table 2 of Sun et al.: means, standard deviations and p-values of their twelve action units.

    Units are rows here, as twelve are too many for columns. Ours are in the units of the features; theirs
    were normalized by a rule that is not stated. `recomputed_p` is Welch's p from the printed numbers.

    Args:
        persons: Both groups, features as measured.
    """
    units = [f"au{number:02d}" for number in published.SUN_AUS]
    here, lost = _tested(persons, units)
    rows = {}
    for unit in units:
        row: dict[tuple[str, str], float] = {("here", name): value for name, value in here[unit].items()}
        printed = published.SUN_TABLE_2.get(unit)
        if printed is not None:
            row |= {("published", name): value for name, value in _printed(printed).items()}
        rows[label(unit)] = row
    names = ["mean_depressed", "sd_depressed", "mean_control", "sd_control", "p"]
    order = [("here", name) for name in [*names, "p_holm", "n_depressed", "n_control"]]
    order += [("published", name) for name in [*names, "recomputed_p"]]
    cells = pd.DataFrame(rows).T.reindex(index=list(rows), columns=pd.MultiIndex.from_tuples(order))
    return PublishedTable(
        title="Averages of action units in two groups (Sun, Zhang and Men 2023, Table 2)",
        cells=cells,
        notes=(*_notes(persons, lost), *published.SUN_ISSUES),
    )


def _tested(persons: Persons, units: Sequence[str]) -> tuple[Mapping[str, Mapping[str, float]], list[str]]:
    """Group means and Welch's test of each unit, empty where the persons lack it, and the units they lack."""
    present = [unit for unit in units if unit + _MEAN in persons.values]
    values = persons.values[[unit + _MEAN for unit in present]].to_numpy(dtype=np.float64)
    tests = group_tests(values, persons.depressed)
    found: dict[str, dict[str, float]] = {unit: {} for unit in units}
    for j, unit in enumerate(present):
        groups = (values[persons.depressed, j], values[~persons.depressed, j])
        own = [group[np.isfinite(group)] for group in groups]
        for name, group in zip(("depressed", "control"), own, strict=True):
            found[unit][f"n_{name}"] = float(group.size)
            found[unit][f"mean_{name}"] = float(group.mean()) if group.size else np.nan
            found[unit][f"sd_{name}"] = float(group.std(ddof=1)) if group.size > 1 else np.nan
        found[unit]["difference"] = found[unit]["mean_depressed"] - found[unit]["mean_control"]
        found[unit]["p"] = float(tests["welch_p"].iloc[j])
        found[unit]["p_holm"] = float(tests["welch_p_holm"].iloc[j])
        if np.isfinite(found[unit]["p"]):
            interval = stats.ttest_ind(*own, equal_var=False).confidence_interval(LEVEL)
            found[unit]["low"], found[unit]["high"] = float(interval.low), float(interval.high)
    return found, [unit for unit in units if unit not in present]


def _printed(printed: published.PrintedTest) -> dict[str, float]:
    experimental = (printed.depressed, printed.depressed_sd, published.SUN_PERSONS)
    control = (printed.healthy, printed.healthy_sd, published.SUN_PERSONS)
    return {
        "mean_depressed": printed.depressed,
        "sd_depressed": printed.depressed_sd,
        "mean_control": printed.healthy,
        "sd_control": printed.healthy_sd,
        "p": printed.p_value,
        "recomputed_p": float(stats.ttest_ind_from_stats(*experimental, *control, equal_var=False).pvalue),
    }


def _notes(persons: Persons, lost: Sequence[str]) -> list[str]:
    notes = []
    if lost:
        never = [label(unit) for unit in lost if unit in published.NOT_IN_OPENFACE]
        named = ", ".join(label(unit) for unit in lost)
        notes.append(
            f"Not measured here: {named}"
            + (f" ({', '.join(never)} in no OpenFace output)." if never else ".")
        )
    if persons.left_out:
        notes.append(f"{len(persons.left_out)} persons without one group are left out.")
    return notes
