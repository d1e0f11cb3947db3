"""Permutation importance of families of features (Breiman, Machine Learning 45:5, 2001).

`sklearn.inspection.permutation_importance` permutes one column at a time; here the columns of a family move
together, so that what they tell in common is lost. Letters: `N` recordings, `G` families, `P` repeats.
"""

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from scipy.stats import rankdata

Array = NDArray[np.float64]


def permuted_predictions(
    model: Any, x: pd.DataFrame, families: Iterable[Sequence[str]], *, repeats: int, seed: int
) -> Array:
    """Probabilities (G,P,N) of a fitted model where each family takes its columns from another recording.

    Args:
        model: Fitted classifier of two labels, on persons of whom it has seen none.
        x: Features (N rows) of those persons.
        families: Columns of each of the G families, which is permuted alone.
        repeats: Permutations of each.
        seed: Of the permutations.
    """
    rng = np.random.default_rng(seed)
    out = []
    for columns in families:
        own = list(columns)
        order = np.concatenate([rng.permutation(len(x)) for _ in range(repeats)])
        moved = pd.concat([x] * repeats, ignore_index=True)  # all repeats in one call, as calls cost most
        moved[own] = x[own].to_numpy()[order]
        out.append(model.predict_proba(moved)[:, 1].reshape(repeats, len(x)))
    return np.stack(out).astype(np.float64)


def placements(target: ArrayLike, prediction: ArrayLike) -> Array:
    """Contribution of each recording to the AUC (DeLong et al., Biometrics 44:837, 1988), (N,).

    Of a positive the share of negatives below it, of a negative the share of positives above it; ties count
    half, and the mean over either class is the AUC.

    Raises:
        ValueError: The targets hold one class only.
    """
    y, p = np.asarray(target, dtype=bool), np.asarray(prediction, dtype=np.float64)
    if y.all() or not y.any():
        raise ValueError("an AUC needs both classes among the targets")
    ranks, out = rankdata(p), np.empty(len(p))
    out[y] = (ranks[y] - rankdata(p[y])) / (~y).sum()
    out[~y] = 1 - (ranks[~y] - rankdata(p[~y])) / y.sum()
    return out


def lost_placements(target: ArrayLike, plain: ArrayLike, permuted: Array) -> Array:
    """Contribution of each recording to the AUC lost by permutation (G,P,N), averaged over repeats: (G,N)."""
    before = placements(target, plain)
    return np.stack([before - np.mean([placements(target, p) for p in own], axis=0) for own in permuted])
