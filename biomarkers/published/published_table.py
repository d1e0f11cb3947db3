"""A published table beside ours: its type, the group tests of our persons, and the notes below it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy import stats

from biomarkers.groups.comparison import group_tests
from biomarkers.groups.subject_means import Persons
from biomarkers.naming import label
from evaluation.uncertainty.bootstrap import LEVEL

NOT_IN_OPENFACE = frozenset({"au03", "au18", "au19", "au27"})  # among the units that papers name
_MEAN = "_mean"  # what follows the unit in the name of its mean, `au01_mean`


@dataclass(frozen=True, eq=False, kw_only=True)
class PublishedTable:
    """A table with columns of two levels (what, here or published), and notes to print below it."""

    title: str
    cells: pd.DataFrame
    notes: tuple[str, ...]


def tested_units(
    persons: Persons, units: Sequence[str]
) -> tuple[Mapping[str, Mapping[str, float]], list[str]]:
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


def unit_notes(persons: Persons, lost: Sequence[str]) -> list[str]:
    """Which units our persons lack, and how many persons are in neither group."""
    notes = []
    if lost:
        never = [label(unit) for unit in lost if unit in NOT_IN_OPENFACE]
        named = ", ".join(label(unit) for unit in lost)
        notes.append(
            f"Not measured here: {named}"
            + (f" ({', '.join(never)} in no OpenFace output)." if never else ".")
        )
    if persons.left_out:
        notes.append(f"{len(persons.left_out)} persons without one group are left out.")
    return notes
