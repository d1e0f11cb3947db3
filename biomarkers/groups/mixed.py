"""Mixed models for repeated visits: a feature by group or score, with a random intercept per person."""

import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import stats
from statsmodels.regression.mixed_linear_model import MixedLM

from biomarkers.groups.comparison import SAME, benjamini_hochberg
from biomarkers.groups.subject_means import feature_names, with_labels
from datamodules.schema import UNKNOWN
from evaluation.uncertainty.bootstrap import LEVEL
from evaluation.uncertainty.holm import holm

Array = NDArray[np.float64]

BOUNDARY = 1e-4  # our choice: a person's share of the variance below this is on its boundary, zero
_NUMBERS = ("estimate", "se", "low", "high", "p", "var_person", "var_residual")


def mixed_models(
    features: pd.DataFrame, labels: pd.DataFrame, *, exposure: str, covariates: Sequence[str] = ()
) -> pd.DataFrame:
    """Fit `feature = b0 + b1 exposure + covariates + u_person + e` by REML, one row a feature.

    `estimate` is b1 in units of the feature per unit of the exposure. Its t-distribution has persons minus
    fixed effects degrees of freedom: exact for a balanced comparison of groups, careful where the exposure
    changes within persons. `p_holm` and `p_bh` are corrected over the features. A fit that fails or does not
    converge has no numbers, `converged` False and a `reason`; a person variance of zero is said in `reason`.

    Args:
        features: `recording_id, subject_id` and features.
        labels: `recording_id`, the exposure and the covariates, as numbers (code sex as 0 and 1).
        exposure: Column of the labels whose effect is asked for, such as `binary` or `score`.
        covariates: Further columns of the labels.

    Raises:
        ValueError: See `persons.with_labels`; columns that are missing, no numbers, constant or collinear;
            recordings of unknown subjects.
    """
    names = feature_names(features)
    columns = [exposure, *covariates]
    absent = sorted(set(columns) - set(labels))
    if absent:
        raise ValueError(f"the table of labels has no {absent}: it has {sorted(map(str, labels))}")
    table = with_labels(features, labels, columns)
    if (table["subject_id"].astype(str) == UNKNOWN).any():
        raise ValueError("a random intercept needs to know the persons: leave recordings of 'unknown' out")
    design = _design(table, columns)
    rows = [_fit(table[name].to_numpy(np.float64, na_value=np.nan), design, table) for name in names]
    fits = pd.DataFrame({"feature": names}).join(pd.DataFrame(rows))
    fits["p_holm"] = holm(fits["p"])
    fits["p_bh"] = benjamini_hochberg(fits["p"].to_numpy(dtype=np.float64))
    return fits


def _design(table: pd.DataFrame, columns: Sequence[str]) -> Array:
    text = [name for name in columns if not pd.api.types.is_numeric_dtype(table[name])]
    if text:
        raise ValueError(f"{text} are not numbers: code them, such as sex as 0 and 1")
    return np.column_stack([np.ones(len(table)), table[list(columns)].to_numpy(np.float64, na_value=np.nan)])


def _fit(y: Array, design: Array, table: pd.DataFrame) -> dict[str, float | int | bool | str]:
    known = np.isfinite(y) & np.isfinite(design).all(axis=1)
    x, y = design[known], y[known]
    persons = table.loc[known, "subject_id"].to_numpy(dtype=np.str_)
    row: dict[str, float | int | bool | str] = dict.fromkeys(_NUMBERS, np.nan)
    row |= {"n_persons": len(set(persons)), "n_recordings": len(y), "n_missing": int((~known).sum())}
    if reason := _unfit(x, y, persons):
        return row | {"converged": False, "reason": reason}
    scale = y.std()  # the optimizer's steps and tolerances suit values of about one
    fit = _reml(MixedLM(y / scale, x, groups=persons))
    if fit is None:
        return row | {"converged": False, "reason": "the fit did not converge"}
    estimate, se = float(fit.fe_params[1]) * scale, float(fit.bse_fe[1]) * scale
    # persons, not recordings: a group does not change within a person, so visits add nothing to its test
    free = len(set(persons)) - x.shape[1]
    half = float(stats.t.ppf((1 + LEVEL) / 2, free)) * se
    row |= {"estimate": estimate, "se": se, "low": estimate - half, "high": estimate + half}
    row["p"] = float(2 * stats.t.sf(abs(estimate / se), free))
    person, residual = float(fit.cov_re[0, 0]), float(fit.scale)
    row |= {"var_person": person * scale**2, "var_residual": residual * scale**2}
    # at zero the model is a plain regression, which takes the visits of a person for independent
    reason = "the person's variance is zero" if person / (person + residual) < BOUNDARY else ""
    return row | {"converged": True, "reason": reason}


def _reml(model: MixedLM) -> Any:
    """The converged fit, or None; without gradients where they fail, as near a person variance of zero."""
    for method in (["bfgs", "lbfgs", "cg"], "powell"):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # what they say is read off the result
            try:
                fit = model.fit(reml=True, method=method)
            except np.linalg.LinAlgError:
                continue
        if fit.converged and np.isfinite([*fit.fe_params, *fit.bse_fe]).all():
            return fit
    return None


def _unfit(x: Array, y: Array, persons: NDArray[np.str_]) -> str:
    count = len(set(persons))
    if count <= x.shape[1] + 1:
        return f"{count} persons for {x.shape[1]} fixed effects: more are needed"
    if len(persons) == count:
        return "one recording a person: the intercept of the person is the residual, compare persons instead"
    if np.ptp(y) <= SAME * np.abs(y).max():
        return "constant"
    if np.linalg.matrix_rank(x) < x.shape[1]:
        return "exposure and covariates are constant or collinear among these recordings"
    return ""
