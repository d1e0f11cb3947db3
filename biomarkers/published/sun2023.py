"""Table 2 of Sun, Zhang and Men (2023): group means of action units as printed, and ours beside them.

IEIE Transactions on Smart Processing and Computing 12(6), 511.
"""

import pandas as pd
from scipy import stats

from biomarkers.groups.subject_means import Persons
from biomarkers.naming import label
from biomarkers.published.published_table import PublishedTable, tested_units, unit_notes

PERSONS = 15  # a group, section 3.1
UNITS = tuple(f"au{number:02d}" for number in (1, 2, 3, 4, 5, 7, 9, 12, 15, 18, 19, 27))  # section 3.4
_COLUMNS = ["mean_depressed", "sd_depressed", "mean_control", "sd_control", "p"]
TABLE_2 = {
    unit: dict(zip(_COLUMNS, printed, strict=True))
    for unit, printed in {
        "au04": (0.5724, 0.3157, 0.3918, 0.1573, 0.037),
        "au07": (0.6812, 0.4218, 0.2431, 0.0954, 0.024),
        "au09": (0.8107, 0.5034, 0.5301, 0.3451, 0.022),
        "au12": (0.9233, 0.5127, 0.5617, 0.3683, 0.018),
        "au18": (0.7720, 0.4291, 0.6119, 0.4269, 0.043),
        "au27": (0.3712, 0.2167, 0.1109, 0.0726, 0.029),
    }.items()
}
ISSUES = (
    "AU18, AU19 and AU27 are no output of OpenFace, which the paper names as its extractor; AU3 is no action "
    "unit of adults.",
    "Twelve units are compared and six printed; with no correction for twelve tests.",
    "The unit of the tests is not stated. With 15 persons a group the printed means and standard deviations "
    "give other p-values, above 0.05 for AU4, AU9 and AU18: see the column recomputed_p.",
    "Healthy students are said to have a HAMD-17 of at least 7; at most 7 must be meant.",
    "AU4 and AU12 are both higher in depression; Parikh et al. report less happiness (AU6 + AU12).",
)


def table_2(persons: Persons) -> PublishedTable:
    """Table 2 of Sun et al.: means, standard deviations and p-values of their twelve action units.

    Units are rows here, as twelve are too many for columns. Ours are in the units of the features; theirs
    were normalized by a rule that is not stated. `recomputed_p` is Welch's p from the printed numbers.

    Args:
        persons: Both groups, features as measured.
    """
    here, lost = tested_units(persons, UNITS)
    rows = {}
    for unit in UNITS:
        row = {("here", name): value for name, value in here[unit].items()}
        if unit in TABLE_2:
            row |= {("published", name): value for name, value in TABLE_2[unit].items()}
            row["published", "recomputed_p"] = _recomputed_p(TABLE_2[unit])
        rows[label(unit)] = row
    order = [("here", name) for name in [*_COLUMNS, "p_holm", "n_depressed", "n_control"]]
    order += [("published", name) for name in [*_COLUMNS, "recomputed_p"]]
    cells = pd.DataFrame(rows).T.reindex(index=list(rows), columns=pd.MultiIndex.from_tuples(order))
    return PublishedTable(
        title="Averages of action units in two groups (Sun, Zhang and Men 2023, Table 2)",
        cells=cells,
        notes=(*unit_notes(persons, lost), *ISSUES),
    )


def _recomputed_p(printed: dict[str, float]) -> float:
    depressed, control = (
        (printed[f"mean_{group}"], printed[f"sd_{group}"], PERSONS) for group in ("depressed", "control")
    )
    return float(stats.ttest_ind_from_stats(*depressed, *control, equal_var=False).pvalue)
