"""A reference line: predictions of something simpler than the model, in the form of a recording table."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from evaluation.tables.clusters import cluster_column
from evaluation.tables.predictions import HEADS

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Reference:
    """A baseline: predictions for the recordings asked for, or the reason why there is none.

    `told` is what its summary says beside the metrics: `prediction`, the one answer of the constant line in
    points, `note` or `columns`. Without `by_subject` a person's mean prediction says nothing.
    """

    name: str
    predictions: pd.DataFrame | None = None
    reason: str | None = None
    told: Mapping[str, Any] = field(default_factory=dict)
    by_subject: bool = True


Line = Callable[..., Reference]
"""`line(train, rows, *, heads)`: manifest rows to learn from, manifest rows to predict, targets."""


def training_mean(train: pd.DataFrame, head: str) -> float:
    """What is answered where nothing else is known."""
    return float(train[head].mean())


def labels_of(rows: pd.DataFrame, head: str) -> Array:
    """Targets (N,), NaN where unknown."""
    return rows[head].to_numpy(dtype=np.float64, na_value=np.nan)


def recording_table(rows: pd.DataFrame, values: Mapping[str, Array]) -> pd.DataFrame:
    """Recording table of a reference line.

    Args:
        rows: manifest rows.
        values: predictions of each head.
    """
    out = pd.DataFrame({name: rows[name].astype(str).to_numpy() for name in ("recording_id", "subject_id")})
    out["session_id"] = rows["session_id"].astype(str).to_numpy() if "session_id" in rows else ""
    out["split"] = "reference"
    if (cluster := cluster_column(rows)) is not None:
        out[cluster] = rows[cluster].to_numpy()
    for head in HEADS:
        if head in rows:
            out[f"{head}_target"] = labels_of(rows, head)
        if head in values:
            out[f"{head}_prediction"] = values[head]
    return out
