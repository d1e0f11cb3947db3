"""The page docs/face_crops.md, and the intervals on it."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.metrics import roc_auc_score

from engine.runs.environment import hardware
from evaluation.uncertainty.confidence_intervals import t_interval
from studies.face_crops.plan import ARMS, COHORT, PIXELS

_DRAWS = 2000
_REFERENCE = "whole frame"

_HEAD = """# Does cutting out the face pay?

{persons} drawn persons of {visits} visits each, filmed in rooms of 640 x 480 pixels
([cohort.md](cohort.md#rooms)) for up to {duration:g} s at {fps:g} frames/s, and preprocessed by
`preprocess.py` with its defaults ({kept:,} recordings kept). MPDRM is then trained from scratch on each
input: the same persons, splits, initializations, {pixels} x {pixels} pixels into the network, {epochs}
epochs, learning rate. Habits are switched off (`confound=0`), so that the question is only whether the
face is seen. Depression is a BDI-II of 14 or more.

    {command}

{seconds:.0f} CPU seconds of training in all on {hardware}; filming and preprocessing come before, once.

| input | test AUC, mean of {seeds} seeds | by seed | minus whole frame | interval over persons | over seeds |
|---|---|---|---|---|---|
{rows}

{legend}

*Over persons*: percentiles of 2,000 draws of the tested persons, all of whose recordings go with them in
all arms and seeds (paired). *Over seeds*: Student's t of the {seeds} paired differences. A seed is a
split and an initialization of the one cohort, so that tested persons overlap between seeds. Drawn faces:
this says that the face must be found, not how well depression is seen in people.
"""


def write_page(results: Sequence[dict[str, Any]], path: Path, *, command: str, kept: int) -> str:
    """Write the page and return its text.

    Raises:
        ValueError: Arms of a seed were tested on different recordings.
    """
    seeds = sorted({result["seed"] for result in results})
    tables = {(r["arm"], r["seed"]): pd.read_csv(r["predictions"]) for r in results}
    _check_paired(tables, seeds)
    rows = "\n".join(_row(arm, results, tables, seeds) for arm in ARMS)
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
        legend="\n".join(f"- *{arm}*: {what}." for arm, what in ARMS.items()),
    )
    path.write_text(text, encoding="utf-8")
    return text


def _row(
    arm: str,
    results: Sequence[dict[str, Any]],
    tables: dict[tuple[str, int], pd.DataFrame],
    seeds: Sequence[int],
) -> str:
    values = {r["seed"]: r["test_auc"] for r in results if r["arm"] == arm}
    base = {r["seed"]: r["test_auc"] for r in results if r["arm"] == _REFERENCE}
    differences = [values[seed] - base[seed] for seed in seeds]
    single = ", ".join(f"{values[seed]:.3f}" for seed in seeds)
    cells = [arm, f"{np.mean(list(values.values())):.3f}", single]
    if arm == _REFERENCE:
        return f"| {' | '.join([*cells, '', '', ''])} |"
    low, high = paired_interval([(tables[arm, s], tables[_REFERENCE, s]) for s in seeds])
    over_seeds = "-"
    if len(seeds) > 1:
        _, seed_low, seed_high = t_interval(differences)
        over_seeds = f"[{seed_low:.3f}, {seed_high:.3f}]"
    return (
        f"| {' | '.join([*cells, f'{np.mean(differences):+.3f}', f'[{low:.3f}, {high:.3f}]', over_seeds])} |"
    )


def paired_interval(pairs: Sequence[tuple[pd.DataFrame, pd.DataFrame]]) -> tuple[float, float]:
    """95 % interval of the mean difference in AUC over seeds, tested persons drawn anew.

    Args:
        pairs: Of each seed the predictions of both arms, with `subject_id`, `recording_id`, `binary_target`
            and `binary_prediction`.
    """
    persons = sorted(set().union(*(set(first["subject_id"]) for first, _ in pairs)))
    rng = np.random.default_rng(0)
    joined = [first.merge(second, on="recording_id", suffixes=("", "_2")) for first, second in pairs]
    drawn = []
    for _ in range(_DRAWS):
        counts = pd.Series(rng.multinomial(len(persons), np.full(len(persons), 1 / len(persons))), persons)
        drawn.append(np.mean([_difference(table, counts) for table in joined]))
    low, high = np.nanpercentile(drawn, [2.5, 97.5])
    return float(low), float(high)


def _difference(table: pd.DataFrame, counts: "pd.Series[int]") -> float:
    weights: NDArray[np.float64] = table["subject_id"].map(counts).to_numpy(dtype=np.float64)
    target = table["binary_target"].to_numpy()
    if not all(weights[target == side].sum() > 0 for side in (0, 1)):
        return float("nan")
    first, second = (
        roc_auc_score(target, table[name], sample_weight=weights)
        for name in ("binary_prediction", "binary_prediction_2")
    )
    return float(first - second)


def _check_paired(tables: dict[tuple[str, int], pd.DataFrame], seeds: Sequence[int]) -> None:
    for seed in seeds:
        tested = {arm: set(table["recording_id"]) for (arm, s), table in tables.items() if s == seed}
        if len({frozenset(ids) for ids in tested.values()}) > 1:
            raise ValueError(f"seed {seed}: the arms were tested on different recordings, nothing is paired")
