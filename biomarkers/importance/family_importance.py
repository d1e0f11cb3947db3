"""Importance of feature families over cross-validation folds, with intervals over persons and over folds."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from biomarkers.features.families import families, identity
from biomarkers.importance.family_permutation import lost_placements, permuted_predictions
from biomarkers.importance.shap_values import shap_values
from evaluation.uncertainty.bootstrap import Resampling, interval_of, subject_weights

Array = NDArray[np.float64]

ALL = "all features"


@dataclass(frozen=True, eq=False, kw_only=True)
class FoldImportance:
    """Predictions under permutation and SHAP values of one fold's model, on the persons of its test part.

    Attributes:
        families: (by, name) -> columns, of the G families.
        target: Labels (N,), 0 or 1.
        persons: Who is shown (N,).
        plain: Probabilities (N,).
        permuted: Probabilities (G,P,N), each family permuted.
        attributions: Sum of the SHAP values of each family (N,G), NaN for those who were not drawn.
    """

    families: Mapping[tuple[str, str], Sequence[str]]
    target: Array
    persons: NDArray[Any]
    plain: Array
    permuted: Array
    attributions: Array


def explain_fold(
    model: Any,
    x: pd.DataFrame,
    *,
    target: NDArray[Any],
    persons: NDArray[Any],
    repeats: int,
    shap_persons: int,
    seed: int,
) -> FoldImportance:
    """Permute feature families and compute SHAP values on persons that the model was not fitted on.

    Args:
        model: Fitted model of trees, see `biomarkers.importance.shap_values.shap_values`.
        x: Features of the N recordings of the test part.
        target: Labels (N,), 0 or 1.
        persons: Persons (N,).
        repeats: Permutations of each family.
        shap_persons: At most so many persons are drawn for SHAP values, with all their recordings.
        seed: Of permutations and of the draw.
    """
    own = {("all", ALL): x.columns.tolist()}
    own |= {
        (by, name): columns for by, found in families(x.columns).items() for name, columns in found.items()
    }
    drawn = np.random.default_rng(seed).permutation(np.unique(persons))[:shap_persons]
    rows = np.isin(persons, drawn)
    values = pd.DataFrame(shap_values(model, x[rows])[0], columns=list(x))
    attributions = np.full((len(x), len(own)), np.nan)
    attributions[rows] = np.stack([values[list(columns)].sum(axis=1) for columns in own.values()], axis=1)
    return FoldImportance(
        families=own,
        target=np.asarray(target, dtype=np.float64),
        persons=persons,
        plain=np.asarray(model.predict_proba(x), dtype=np.float64)[:, 1],
        permuted=permuted_predictions(model, x, own.values(), repeats=repeats, seed=seed),
        attributions=attributions,
    )


def importance_table(folds: Sequence[FoldImportance], resampling: Resampling) -> pd.DataFrame:
    """One row per family: AUC lost, its interval over persons and its range over folds; mean |SHAP|.

    The interval resamples persons and keeps models and permutations. The AUC of a resample is taken to first
    order, the weighted mean placements of both classes: exact up to the square of the resampling noise, and
    thousands of times cheaper than ranking every resample for every family.

    Args:
        folds: Of `explain_fold`, over the same features.
        resampling: Of persons.

    Returns:
        Table with `by`, `family`, `features`, `identity`, `auc_lost`, `auc_lost_low`, `auc_lost_high`,
        `fold_low`, `fold_high` (NaN where no fold tests both classes), `shap`, `shap_low`, `shap_high`.
    """
    target, persons, plain = (
        np.concatenate([getattr(fold, name) for fold in folds]) for name in ("target", "persons", "plain")
    )
    permuted = np.concatenate([fold.permuted for fold in folds], axis=2)
    sizes = np.abs(np.concatenate([fold.attributions for fold in folds]))
    lost = lost_placements(target, plain, permuted).T
    by_fold = np.stack([_mean_lost(fold) for fold in folds])
    explained = np.isfinite(sizes[:, 0])
    draws, shap_draws = [], []
    for weights in subject_weights(persons, resampling):
        positive, negative = (_weighted(weights[:, rows], lost[rows]) for rows in (target == 1, target == 0))
        draws.append(positive + negative - lost[target == 1].mean(axis=0))
        shap_draws.append(_weighted(weights[:, explained], sizes[explained]))
    rows: list[dict[str, Any]] = []
    for g, ((by, name), columns) in enumerate(folds[0].families.items()):
        auc = interval_of(float(lost[target == 1, g].mean()), np.concatenate(draws)[:, g])
        shap = interval_of(float(sizes[explained, g].mean()), np.concatenate(shap_draws)[:, g])
        row = {"by": by, "family": name, "features": len(columns)}
        row |= {"identity": all(identity(column) for column in columns)}
        row |= {"auc_lost": auc["value"], "auc_lost_low": auc["low"], "auc_lost_high": auc["high"]}
        row |= {"fold_low": np.fmin.reduce(by_fold[:, g]), "fold_high": np.fmax.reduce(by_fold[:, g])}
        rows.append(row | {"shap": shap["value"], "shap_low": shap["low"], "shap_high": shap["high"]})
    return pd.DataFrame(rows)


def _mean_lost(fold: FoldImportance) -> Array:
    """AUC lost (G,) within one fold; NaN in a fold that tests one class, as leaving one person out does."""
    if not 0 < fold.target.mean() < 1:
        return np.full(len(fold.families), np.nan)
    lost = lost_placements(fold.target, fold.plain, fold.permuted)
    return np.asarray(lost[:, fold.target == 1].mean(axis=1))


def _weighted(weights: Array, values: Array) -> Array:
    """Weighted means (R,G) of values (N,G); NaN where nobody was drawn."""
    total = weights.sum(axis=1, keepdims=True)
    means: Array = np.full((len(weights), values.shape[1]), np.nan)
    np.divide(weights @ values, total, out=means, where=total > 0)
    return means
