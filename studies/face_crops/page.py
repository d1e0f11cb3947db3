"""The page docs/results/face_crops.md, and the intervals on it."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.metrics import roc_auc_score

from engine.runs.environment import hardware
from evaluation.uncertainty.confidence_intervals import limits, t_interval
from studies.face_crops.plan import ARMS, COHORT, PIXELS

Array = NDArray[np.float64]

_DRAWS = 2000
_REFERENCE = "frame"

_HEAD = """# Does cutting out the face pay?

{persons} drawn persons of {visits} visits each, filmed in rooms of 640 x 480 pixels
([cohort.md](../guide/cohort.md#rooms)) for up to {duration:g} s at {fps:g} frames/s, and preprocessed by
`preprocess.py` with its defaults ({kept:,} recordings kept). MPDRM is then trained from scratch on each
input: the same persons, splits, initializations, {pixels} x {pixels} pixels into the network, {epochs}
epochs, learning rate. Habits are switched off (`confound=0`), so that the question is only whether the
face is seen. Depression is a BDI-II of 14 or more.

    {command}

{seconds:.0f} CPU seconds of training in all on {hardware}; filming and preprocessing come before, once.

| input | test AUC, mean of {seeds} seeds | by seed | minus frame | interval over persons | over seeds |
|---|---|---|---|---|---|
{rows}

{legend}

Recordings that not all inputs predict, because too few of their frames can be used: {left_out}; they
count in no row. *Over persons*: percentiles of 2,000 draws of the tested persons, all of whose recordings
go with them in all arms and seeds (paired). *Over seeds*: Student's t of the {seeds} paired differences.
A seed is a split and an initialization of the one cohort, so that tested persons overlap between seeds.
Drawn faces: this says that the face must be found, not how well depression is seen in people.
"""


def write_page(results: Sequence[dict[str, Any]], path: Path, *, command: str, kept: int) -> str:
    """Write the page and return its text."""
    seeds = sorted({result["seed"] for result in results})
    tables, left_out = paired({(r["arm"], r["seed"]): pd.read_csv(r["predictions"]) for r in results})
    arms = [arm for arm in ARMS if arm in {result["arm"] for result in results}]
    rows = "\n".join(_row(arm, tables, seeds) for arm in arms)
    epochs = next(
        word.partition("=")[2] for word in results[0]["overrides"] if word.startswith("trainer.max_epochs")
    )
    machine = hardware()
    text = _HEAD.format(
        persons=kept // COHORT["n_visits"],
        visits=COHORT["n_visits"],
        duration=COHORT["duration_s"],
        fps=COHORT["fps"],
        kept=kept,
        pixels=PIXELS,
        epochs=epochs,
        command=command,
        seconds=sum(result["seconds"] for result in results),
        hardware=f"one thread of {machine['cores']} {machine['machine']} cores",
        seeds=len(seeds),
        rows=rows,
        legend="\n".join(f"- *{arm}*: {ARMS[arm]}." for arm in arms),
        left_out=left_out,
    )
    path.write_text(text, encoding="utf-8")
    return text


def _row(
    arm: str,
    tables: dict[tuple[str, int], pd.DataFrame],
    seeds: Sequence[int],
) -> str:
    cells = [arm, *reached([tables[arm, seed] for seed in seeds])]
    pairs = [(tables[arm, seed], tables[_REFERENCE, seed]) for seed in seeds]
    return f"| {' | '.join([*cells, *(['', '', ''] if arm == _REFERENCE else compared(pairs))])} |"


def reached(tables: Sequence[pd.DataFrame]) -> list[str]:
    """Cells of a row: the mean AUC of the predictions of each seed, and that of each."""
    values = [_auc(table) for table in tables]
    return [f"{np.mean(values):.3f}", ", ".join(f"{value:.3f}" for value in values)]


def compared(pairs: Sequence[tuple[pd.DataFrame, pd.DataFrame]]) -> list[str]:
    """Cells of a row: mean difference in AUC, first minus second, its interval over persons, and over seeds.

    Args:
        pairs: Of each seed, see `paired_interval`.
    """
    mean = np.mean([_auc(first) - _auc(second) for first, second in pairs])
    low, high = paired_interval(pairs)
    seeds = seeds_interval(pairs)
    over_seeds = "-" if seeds is None else f"[{seeds[0]:.3f}, {seeds[1]:.3f}]"
    return [f"{mean:+.3f}", f"[{low:.3f}, {high:.3f}]", over_seeds]


def seeds_interval(pairs: Sequence[tuple[pd.DataFrame, pd.DataFrame]]) -> tuple[float, float] | None:
    """95 % interval of the mean difference in AUC by Student's t over seeds; None for a single seed.

    Args:
        pairs: Of each seed, see `paired_interval`.
    """
    differences = [_auc(first) - _auc(second) for first, second in pairs]
    _, low, high = t_interval(differences, limits=limits("auc", difference=True))
    return None if low is None or high is None else (low, high)


def _auc(table: pd.DataFrame) -> float:
    return float(roc_auc_score(table["binary_target"], table["binary_prediction"]))


def paired_interval(pairs: Sequence[tuple[pd.DataFrame, pd.DataFrame]]) -> tuple[float, float]:
    """95 % interval of the mean difference in AUC over seeds, tested persons drawn anew.

    Args:
        pairs: Of each seed the predictions of both arms, with `subject_id`, `recording_id`, `binary_target`
            and `binary_prediction`.
    """
    persons = sorted(set().union(*(set(first["subject_id"]) for first, _ in pairs)))
    share = np.full(len(persons), 1 / len(persons))
    counts = np.random.default_rng(0).multinomial(len(persons), share, size=_DRAWS).astype(np.float64)
    differences = []
    for first, second in pairs:
        joined = first.merge(second, on="recording_id", suffixes=("", "_2"))
        weights = counts[:, pd.Index(persons).get_indexer(joined["subject_id"])]
        one, two = (
            _weighted_auc(joined["binary_target"].to_numpy(), joined[name].to_numpy(), weights)
            for name in ("binary_prediction", "binary_prediction_2")
        )
        differences.append(one - two)
    low, high = np.nanpercentile(np.mean(differences, axis=0), [2.5, 97.5])
    return float(low), float(high)


def _weighted_auc(target: Array, score: Array, weights: Array) -> Array:
    """AUC under each row of weights ``(D, N)``: the weighted share of pairs in the right order, ties half."""
    ill, well = target == 1, target == 0
    above = np.sign(score[ill][:, None] - score[well][None]) / 2 + 0.5
    ordered = ((weights[:, ill] @ above) * weights[:, well]).sum(axis=1)
    with np.errstate(invalid="ignore"):
        return np.asarray(ordered / (weights[:, ill].sum(axis=1) * weights[:, well].sum(axis=1)))


def paired(
    tables: dict[tuple[str, int], pd.DataFrame],
) -> tuple[dict[tuple[str, int], pd.DataFrame], int]:
    """The predictions of the recordings that all arms of a seed predict, and how many others there are.

    A recording in which too few frames can be used is predicted from whole frames only.
    """
    left_out, kept = set(), {}
    for seed in {seed for _, seed in tables}:
        predicted = {arm: set(table["recording_id"]) for (arm, s), table in tables.items() if s == seed}
        common = set.intersection(*predicted.values())
        left_out |= set().union(*predicted.values()) - common
        for arm in predicted:
            table = tables[arm, seed]
            kept[arm, seed] = table[table["recording_id"].isin(common)].reset_index(drop=True)
    return kept, len(left_out)
