"""Comparison of two groups of persons, per feature: means, corrected tests, effect sizes.

Letters: `S` persons, `F` features, `R` resamples.
"""

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import stats
from statsmodels.stats.meta_analysis import effectsize_smd

from biomarkers.groups.subject_means import Persons
from evaluation.metrics import resampled as weighted
from evaluation.uncertainty.bootstrap import LEVEL, Resampling, percentile_interval
from evaluation.uncertainty.holm import holm

Array = NDArray[np.float64]
Flags = NDArray[np.bool_]

MIN_PERSONS = 3  # our choice: with two persons a group's spread rests on one difference
SAME = 1e-6  # relative spread below which a feature counts as constant: the rounding of float32 (our choice)
NO_OVERLAP = "the groups do not overlap: resampling gives Cliff's delta no interval"


def compare_groups(persons: Persons, resampling: Resampling) -> pd.DataFrame:
    """Compare the depressed with the other persons on every feature, differences being depressed minus other.

    Per feature `n`, `mean`, `sd` of both groups; Welch's t and the Mann-Whitney U with p-values, each also
    after Holm and after Benjamini-Hochberg over the features; Hedges' g with its large-sample interval
    g +- 1.96 sqrt(n / (n1 n2) + g^2 / (2 (n - 3.94))); Cliff's delta (Cliff, 1993), P(X > Y) - P(X < Y) for a
    depressed X and another Y, with the percentile interval of resampled persons. Features that cannot be
    tested stay in the table, with the `reason`.

    Args:
        persons: Both groups.
        resampling: Of the persons within their groups.

    Raises:
        ValueError: One group is empty.
    """
    values, depressed = persons.values.to_numpy(dtype=np.float64), persons.depressed
    if depressed.all() or not depressed.any():
        raise ValueError(
            f"{int(depressed.sum())} of {depressed.size} persons are depressed ({len(persons.left_out)} left "
            "out): two groups are needed"
        )
    table = pd.DataFrame({"feature": persons.values.columns.astype(str)})
    for name, rows in (("depressed", depressed), ("control", ~depressed)):
        own = persons.values.loc[rows]
        table[f"n_{name}"] = own.count().to_numpy()
        table[f"mean_{name}"] = own.mean().to_numpy()
        table[f"sd_{name}"] = own.std(ddof=1).to_numpy()
    table["difference"] = table["mean_depressed"] - table["mean_control"]
    table = table.join(group_tests(values, depressed)).join(_hedges(table))
    table = table.join(_cliff(values, depressed, resampling))
    table["reason"] = [_untestable(column, depressed) for column in values.T]
    tested = (table["reason"] == "").to_numpy()
    effects = [name + end for name in ("hedges_g", "cliffs_delta") for end in ("", "_low", "_high")]
    table.loc[~tested, effects] = np.nan
    table.loc[tested & (table["cliffs_delta"].abs() == 1), "reason"] = NO_OVERLAP
    return table


def group_tests(values: Array, depressed: Flags) -> pd.DataFrame:
    """Welch's t-test and the Mann-Whitney U test (F rows), two-sided, raw and corrected over the features.

    Features that cannot be tested (too few persons, no spread) are NaN and do not count in the corrections.
    """
    rows = pd.DataFrame(np.nan, index=range(values.shape[1]), columns=["welch_t", "welch_p", "u", "u_p"])
    tested = np.array([not _untestable(column, depressed) for column in values.T])
    if tested.any():
        a, b = values[depressed][:, tested], values[~depressed][:, tested]
        welch = stats.ttest_ind(a, b, equal_var=False, nan_policy="omit")
        whitney = stats.mannwhitneyu(a, b, nan_policy="omit")
        rows.loc[tested] = np.stack(
            [welch.statistic, welch.pvalue, whitney.statistic, whitney.pvalue], axis=1
        )
    for name in ("welch_p", "u_p"):
        rows[f"{name}_holm"] = holm(rows[name])
        rows[f"{name}_bh"] = benjamini_hochberg(rows[name].to_numpy())
    return rows


def benjamini_hochberg(p: Array) -> Array:
    """P-values (F,) that control the false discovery rate; NaN stays NaN and is not counted."""
    adjusted, known = np.full(p.shape, np.nan), np.isfinite(p)
    if known.any():
        adjusted[known] = stats.false_discovery_control(p[known], method="bh")
    return adjusted


def _untestable(column: Array, depressed: Flags) -> str:
    groups = {"depressed": column[depressed], "control": column[~depressed]}
    present = {name: own[np.isfinite(own)] for name, own in groups.items()}
    for name, own in present.items():
        if own.size < MIN_PERSONS:
            return f"{own.size} {name} persons have it: {MIN_PERSONS} are needed"
    largest = max(np.abs(own).max() for own in present.values())
    if all(np.ptp(own) <= SAME * largest for own in present.values()):
        return "constant within each group"
    return ""


def _hedges(table: pd.DataFrame) -> pd.DataFrame:
    columns = [f"{kind}_{name}" for name in ("depressed", "control") for kind in ("mean", "sd", "n")]
    with np.errstate(invalid="ignore", divide="ignore"):  # untestable features are blanked by the caller
        g, variance = effectsize_smd(*(table[name].to_numpy(dtype=np.float64) for name in columns))
        half = stats.norm.ppf((1 + LEVEL) / 2) * np.sqrt(variance)
    return pd.DataFrame({"hedges_g": g, "hedges_g_low": g - half, "hedges_g_high": g + half})


def _cliff(values: Array, depressed: Flags, resampling: Resampling) -> pd.DataFrame:
    """Cliff's delta is twice the area under the ROC curve, less one: a kernel of the metrics serves."""
    weights = _resampled_within(depressed, resampling)
    rows: list[tuple[float | None, float | None, float | None]] = []
    for column in values.T:
        known = np.isfinite(column)
        group = depressed[known].astype(np.float64)
        if np.unique(group).size < 2:
            rows.append((None, None, None))
            continue
        value = float(2 * weighted.auc(group, column[known], np.ones((1, group.size)))[0] - 1)
        low, high, _ = percentile_interval(2 * weighted.auc(group, column[known], weights[:, known]) - 1)
        # groups apart stay apart in every resample: an interval without width would claim certainty
        rows.append((value, None, None) if abs(value) == 1 else (value, low, high))
    return pd.DataFrame(rows, columns=["cliffs_delta", "cliffs_delta_low", "cliffs_delta_high"], dtype=float)


def _resampled_within(depressed: Flags, resampling: Resampling) -> Array:
    """How often each person is drawn (R, S), the sizes of both groups being those of the design."""
    rng, count = np.random.default_rng(resampling.seed), resampling.n_boot
    weights = np.zeros((count, depressed.size))
    for rows in (np.flatnonzero(depressed), np.flatnonzero(~depressed)):
        weights[:, rows] = rng.multinomial(rows.size, np.full(rows.size, 1 / rows.size), size=count)
    return weights
