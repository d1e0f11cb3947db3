"""Nuisance audit: how technical properties of the video relate to label, prediction and error.

Four questions per technical column of the manifest, each with its interval over persons:

    label_auc        how well the column alone ranks the binary label (0.5 is nothing)
    label            Spearman correlation with the label
    prediction       Spearman correlation with the prediction, partial on the label: what the model takes from
                     the column beyond what the label explains
    error            Spearman correlation with the absolute error: where the model fails

Within a question the columns are one family: p values (from the bootstrap of persons) and intervals are
corrected by Holm (Scandinavian Journal of Statistics, 1979), and a column is flagged where its corrected
interval excludes "nothing".
"""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from evaluation.baselines.reference_lines import NUISANCE
from evaluation.metrics import resampled as weighted
from evaluation.metrics.applicable import subject_codes, usable
from evaluation.metrics.rank_correlation import partial_spearman, spearman
from evaluation.tables.clusters import units
from evaluation.tables.predictions import HEADS
from evaluation.uncertainty.bootstrap import (
    LEVEL,
    MIN_DEFINED,
    Resampling,
    interval_of,
    percentile_interval,
    subject_weights,
)
from evaluation.uncertainty.holm import holm

Array = NDArray[np.float64]

QUESTIONS = {"label_auc": 0.5, "label": 0.0, "prediction": 0.0, "error": 0.0}
"""Question -> the value that means "nothing"."""

MIN_PERSONS = 5  # our choice: below, an interval over persons says nothing
_ALPHA = 1 - LEVEL


def audit_nuisance(recordings: pd.DataFrame, facts: pd.DataFrame, resampling: Resampling) -> dict[str, Any]:
    """Answer the four questions for every column of `reference_lines.NUISANCE`.

    Args:
        recordings: recording table of the test split; its first labeled head is read.
        facts: manifest rows with `recording_id` and the technical columns.
        resampling: of persons.

    Returns:
        `{"head", "columns": {column: {question: estimate with "p", "p_holm", "corrected": [low, high],
        "flagged"}}, "reasons": {column: why it is not audited}, "flagged": {question: [columns]}}`, or a
        `reason`.
    """
    head = next((h for h in HEADS if usable(recordings, f"{h}_target", f"{h}_prediction")), None)
    if head is None:
        return {"reason": "no recording has a label and a prediction of one head"}
    rows = recordings[recordings[f"{head}_target"].notna()].reset_index(drop=True)
    known = facts.assign(recording_id=facts["recording_id"].astype(str)).set_index("recording_id")
    known = known.reindex(rows["recording_id"])
    columns: dict[str, Array] = {}
    reasons: dict[str, str] = {}
    for name in NUISANCE:
        if name not in known:
            reasons[name] = "not in the manifest"
            continue
        values = pd.to_numeric(known[name], errors="coerce").to_numpy(dtype=np.float64)
        if (reason := _unfit(values, rows["subject_id"])) is None:
            columns[name] = values
        else:
            reasons[name] = reason
    weights = np.concatenate(list(subject_weights(units(rows), resampling)))
    answers = {name: _answers(values, rows, head, weights) for name, values in columns.items()}
    found: dict[str, dict[str, Any]] = {name: {} for name in columns}
    flagged: dict[str, list[str]] = {}
    for question, nothing in QUESTIONS.items():
        family = {name: answer[question] for name, answer in answers.items() if question in answer}
        estimates = _corrected(family, nothing)
        flagged[question] = [name for name, estimate in estimates.items() if estimate["flagged"]]
        for name, estimate in estimates.items():
            found[name][question] = estimate
    return {"head": head, "columns": found, "reasons": reasons, "flagged": flagged}


def _answers(x: Array, rows: pd.DataFrame, head: str, weights: Array) -> dict[str, tuple[float, Array]]:
    """Value and resampled values (R,) of each question that these recordings can answer."""
    present = np.isfinite(x)
    x, w = x[present], weights[:, present]
    target, prediction = (
        rows[f"{head}_{side}"].to_numpy(dtype=np.float64)[present] for side in ("target", "prediction")
    )
    out = {
        "label": _measured(lambda v: spearman(x, target, v), w),
        "prediction": _measured(lambda v: partial_spearman(x, prediction, target, v), w),
        "error": _measured(lambda v: spearman(x, np.abs(prediction - target), v), w),
    }
    if "binary_target" in rows:
        binary = rows["binary_target"].to_numpy(dtype=np.float64)[present]
        both = np.isfinite(binary)
        out["label_auc"] = _measured(lambda v: weighted.auc(binary[both], x[both], v[:, both]), w)
    return {name: (value, draws) for name, (value, draws) in out.items() if np.isfinite(value)}


def _measured(metric: Callable[[Array], Array], weights: Array) -> tuple[float, Array]:
    return float(metric(np.ones((1, weights.shape[1])))[0]), metric(weights)


def _corrected(family: Mapping[str, tuple[float, Array]], nothing: float) -> dict[str, dict[str, Any]]:
    p = {name: _p_value(draws, nothing) for name, (_, draws) in family.items()}
    rising = sorted(p, key=lambda name: p[name])
    adjusted = dict(zip(rising, holm([p[name] for name in rising]).tolist(), strict=True))
    rejected = [name for name in adjusted if adjusted[name] < _ALPHA]
    out: dict[str, dict[str, Any]] = {}
    for name, (value, draws) in family.items():
        # those that are not rejected share the level at which the procedure stopped
        step = rejected.index(name) if name in rejected else len(rejected)
        low, high, _ = percentile_interval(draws, level=1 - _ALPHA / (len(family) - step))
        out[name] = {
            **interval_of(value, draws),
            "p": p[name],
            "p_holm": adjusted[name],
            "corrected": [low, high],
            "flagged": name in rejected,
        }
    return out


def _p_value(draws: Array, nothing: float) -> float:
    """Two-sided p value: the level at which the percentile interval would just reach "nothing"."""
    defined = draws[np.isfinite(draws)]
    if defined.size < MIN_DEFINED * draws.size:
        return 1.0
    below, above = np.sum(defined <= nothing), np.sum(defined >= nothing)
    return float(min(1.0, 2 * (min(below, above) + 1) / (defined.size + 1)))


def _unfit(values: Array, subjects: "pd.Series[Any]") -> str | None:
    present = np.isfinite(values)
    if not present.any():
        return "empty for the tested recordings"
    if np.ptp(values[present]) == 0:
        return "the same for all tested recordings"
    if np.unique(subject_codes(subjects)[present]).size < MIN_PERSONS:
        return f"known for fewer than {MIN_PERSONS} persons"
    return None
