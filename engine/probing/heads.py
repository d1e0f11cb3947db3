"""Folds x seeds x learning rates of one small network, trained at once; validation chooses among them."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray
from sklearn.metrics import log_loss, mean_absolute_error
from torch import nn

from datamodules.manifests.manifest import Manifest
from datamodules.progress import Progress
from datamodules.schema import IDS
from datamodules.splits.partition import Split
from engine.config.compose import ConfigError
from engine.probing.windows import Windows
from models.stacked import StackedNetworks
from models.types import Batch

HEADS = ("score", "binary")
_AT_ONCE = 256  # windows that are evaluated at once, our choice


@dataclass(frozen=True, kw_only=True)
class Plan:
    """What is trained at once, and for how long.

    Attributes:
        seeds: Of the weights; the windows of a step are the same for all.
        rates: Learning rates that validation chooses among.
        steps: Each reads one window of every recording.
        checks: How often, evenly over the steps, validation looks.
    """

    seeds: Sequence[int]
    rates: Sequence[float]
    steps: int
    checks: int

    def looks(self) -> list[int]:
        """Steps after which validation looks; the last one is among them."""
        return sorted({round(self.steps * (place + 1) / self.checks) for place in range(self.checks)} - {0})


@dataclass(frozen=True, eq=False)
class Trained:
    """What all heads predicted for all recordings whenever validation looked.

    Attributes:
        trials: A row a rate, fold and seed: `rate`, `fold`, `seed`, in the order of the predictions.
        looks: Steps.
        predictions: Head -> (looks, K, R).
    """

    trials: pd.DataFrame
    looks: Sequence[int]
    predictions: Mapping[str, NDArray[np.float64]]


def train_heads(
    network: Callable[[int, int], nn.Module],
    stack: Callable[..., StackedNetworks],
    windows: Windows,
    manifest: Manifest,
    splits: Sequence[Split],
    plan: Plan,
) -> Trained:
    """Train all heads at once; nobody learns from other recordings than those that train in its fold.

    Args:
        network: Builds the network of a fold and a seed, with the statistics of the fold's training part.
        stack: Called with all networks and `rates`.
        windows: Of the manifest's recordings.
        manifest: The recordings.
        splits: The folds.
        plan: Seeds, rates, steps.
    """
    trials = pd.DataFrame(
        [(rate, fold, seed) for rate in plan.rates for fold in range(len(splits)) for seed in plan.seeds],
        columns=["rate", "fold", "seed"],
    )
    heads = stack([network(row.fold, row.seed) for row in trials.itertuples()], rates=plan.rates)
    member = np.stack([manifest.table["recording_id"].isin(set(split.train)) for split in splits])
    scored = torch.from_numpy(member[trials["fold"]])
    known, looks, found = _labels(manifest.table), plan.looks(), []
    for step in Progress(range(plan.steps), desc=f"{len(trials)} heads", unit="step"):
        heads.step(windows.drawn(0, step) | known, scored)
        if step + 1 in looks:
            found.append(_predicted(heads, windows))
    return Trained(trials, looks, {name: np.stack([one[name] for one in found]) for name in found[0]})


def _labels(table: pd.DataFrame) -> Batch:
    values = {name: torch.tensor(table[name].to_numpy(np.float32)) for name in HEADS if name in table}
    masks = {name: value.isfinite() for name, value in values.items()}
    return {"targets": {name: value.nan_to_num() for name, value in values.items()}, "target_mask": masks}


def _predicted(heads: StackedNetworks, windows: Windows) -> dict[str, NDArray[np.float64]]:
    parts = [heads.predict(batch) for batch in windows.batches(_AT_ONCE)]
    whole = {name: torch.cat([part[name] for part in parts], 1).double().numpy() for name in parts[0]}
    return {name: windows.mean(values) for name, values in whole.items()}


def chosen(
    trained: Trained, table: pd.DataFrame, splits: Sequence[Split]
) -> tuple[pd.DataFrame, list[pd.DataFrame]]:
    """What validation made of every trial, and of each seed the predictions for everybody tested.

    In each fold and for each seed the rate and the step are those of the lowest loss of validation: log loss
    where there is a binary head, else absolute error. Nothing else of a trial is looked at.

    Returns:
        A row a trial and look, with `step`, `loss` and `chosen`; and a recording table a seed.
    """
    head = "binary" if "binary" in trained.predictions else "score"
    rows = {name: row for row, name in enumerate(table["recording_id"])}
    looked = [
        {**trial, "step": step, "loss": _loss(trained.predictions[head][look, place], table, rows, splits[int(trial["fold"])], head), "look": look, "place": place}
        for place, trial in enumerate(trained.trials.to_dict("records"))
        for look, step in enumerate(trained.looks)
    ]  # fmt: skip
    found = pd.DataFrame(looked)
    best = found.loc[found.groupby(["fold", "seed"])["loss"].idxmin()]
    found["chosen"] = found.index.isin(best.index)
    tables = [
        pd.concat([_tested(trained, table, rows, splits, one) for one in own.to_dict("records")], ignore_index=True)
        for _, own in best.groupby("seed")
    ]  # fmt: skip
    return found.drop(columns=["look", "place"]), tables


def _loss(
    predicted: NDArray[np.float64], table: pd.DataFrame, rows: Mapping[str, int], split: Split, head: str
) -> float:
    target = table[head].to_numpy(np.float64)
    own = [row for name in split.val if np.isfinite(target[row := rows[name]])]
    if not own:
        raise ConfigError(f"split {split.name}: nobody of validation has a '{head}', which chooses the rate")
    if head == "score":
        return float(mean_absolute_error(target[own], predicted[own]))
    return float(log_loss(target[own], predicted[own], labels=[0.0, 1.0]))


def _tested(
    trained: Trained, table: pd.DataFrame, rows: Mapping[str, int], splits: Sequence[Split], one: Mapping[Any, Any]
) -> pd.DataFrame:
    """Recording table of the test part of a fold, as the chosen trial predicts it."""
    own = [rows[name] for name in splits[int(one["fold"])].test]
    kept = table.iloc[own][[*IDS]].reset_index(drop=True).assign(split="test", fold=one["fold"], seed=one["seed"])
    for head, values in trained.predictions.items():
        kept[f"{head}_target"] = table[head].to_numpy(np.float64)[own]
        kept[f"{head}_prediction"] = values[one["look"], one["place"]][own]
    return kept
