"""Folds x seeds x learning rates of one small network, trained at once; validation chooses among them."""

from collections.abc import Callable, Collection, Mapping, Sequence
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
from datamodules.splits.partition import Split, faults_of
from engine.config.compose import ConfigError
from engine.probing.windows import Windows
from evaluation.baselines.reference import training_mean
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
    each = [(fold, seed) for fold in range(len(splits)) for seed in plan.seeds]
    trials = pd.DataFrame(
        [(rate, *one) for rate in plan.rates for one in each], columns=["rate", "fold", "seed"]
    )
    heads = stack([network(*one) for _ in plan.rates for one in each], rates=plan.rates)
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


def check_labels(manifest: Manifest, splits: Sequence[Split], heads: Collection[str]) -> None:
    """Stop, before a token is read, where a fold lacks the labels or classes by which its heads are chosen.

    Args:
        manifest: The recordings.
        splits: The folds.
        heads: Names of the network's heads.

    Raises:
        ConfigError: Names the fold and the remedy.
    """
    head = _choosing(heads)
    for split in splits:
        _labeled(manifest.table, split, head)
        faults = faults_of(manifest.table, split, ("train", "val")) if head == "binary" else []
        if faults:
            scores = "score" in manifest.table and manifest.table["score"].notna().any()
            raise ConfigError(
                f"{manifest}: {'; '.join(faults)}. The log loss of one class chooses nothing: move persons "
                "of the other one there in the column 'split', or take protocol=kfold"
                + (", or model/heads=score" if scores else "")
            )


def _choosing(heads: Collection[str]) -> str:
    """The head whose loss of validation chooses."""
    return "binary" if "binary" in heads else "score"


def chosen(
    trained: Trained, table: pd.DataFrame, splits: Sequence[Split]
) -> tuple[pd.DataFrame, list[pd.DataFrame]]:
    """What validation made of every trial, and of each seed the predictions for everybody tested.

    In each fold and for each seed the rate and the step are those of the lowest loss of validation: log loss
    where there is a binary head, else absolute error; that of a head which predicts no finite number is
    infinite. Nothing else of a trial is looked at.

    Returns:
        A row a trial and look, with `step`, `loss` and `chosen`; and a recording table a seed.

    Raises:
        ConfigError: Nobody of validation has a label to choose by, or all heads of a seed diverged.
    """
    head = _choosing(trained.predictions)
    val = [_labeled(table, split, head) for split in splits]
    found = pd.DataFrame(
        {**trial, "step": step, "look": look, "place": place}
        for place, trial in enumerate(trained.trials.to_dict("records"))
        for look, step in enumerate(trained.looks)
    )
    predicted, target = trained.predictions[head], table[head].to_numpy(np.float64)
    found["loss"] = [
        _loss(target[val[fold]], predicted[look, place, val[fold]], head)
        for fold, look, place in zip(found["fold"], found["look"], found["place"], strict=True)
    ]
    best = found.loc[found.groupby(["fold", "seed"])["loss"].idxmin()]
    if lost := sorted({splits[int(fold)].name for fold in best.loc[best["loss"] == np.inf, "fold"]}):
        raise ConfigError(
            f"{', '.join(lost)}: no head of a seed predicts finite numbers for validation; give lower rates="
        )
    tables = [
        pd.concat([_tested(trained, table, splits[int(one["fold"])], one) for one in own.to_dict("records")])
        for _, own in best.groupby("seed")
    ]
    trials = found.assign(chosen=found.index.isin(best.index)).drop(columns=["look", "place"])
    return trials, [one.reset_index(drop=True) for one in tables]


def constants(
    tables: Sequence[pd.DataFrame], table: pd.DataFrame, splits: Sequence[Split]
) -> list[pd.DataFrame]:
    """What is answered where nothing is read, for everybody tested: the training means of each fold.

    Args:
        tables: As `chosen` returns them, one a seed; the constant is the same for all.
        table: Rows of the manifest.
        splits: The folds.
    """
    found = []
    for own in tables:
        heads = [head for head in HEADS if f"{head}_prediction" in own]
        means = {
            (fold, head): training_mean(table[table["recording_id"].isin(set(split.train))], head)
            for fold, split in enumerate(splits)
            for head in heads
        }
        answers = {f"{head}_prediction": [means[fold, head] for fold in own["fold"]] for head in heads}
        found.append(own.assign(**answers))
    return found


def _labeled(table: pd.DataFrame, split: Split, head: str) -> NDArray[np.intp]:
    own = table["recording_id"].isin(set(split.val)) & table[head].notna()
    if not own.any():
        raise ConfigError(
            f"split '{split.name}': nobody of validation has a '{head}', which chooses the rate; fill the "
            "column for some of its part 'val', or take another protocol"
        )
    return np.flatnonzero(own)


def _loss(target: NDArray[np.float64], predicted: NDArray[np.float64], head: str) -> float:
    if not np.isfinite(predicted).all():
        return np.inf
    if head == "score":
        return float(mean_absolute_error(target, predicted))
    return float(log_loss(target, predicted, labels=[0.0, 1.0]))


def _tested(trained: Trained, table: pd.DataFrame, split: Split, trial: Mapping[Any, Any]) -> pd.DataFrame:
    """Recording table of the test part of a fold, as the chosen trial predicts it."""
    rows = np.flatnonzero(table["recording_id"].isin(set(split.test)))
    kept = table.iloc[rows][[*IDS]].assign(split="test", fold=trial["fold"], seed=trial["seed"])
    for head, values in trained.predictions.items():
        kept[f"{head}_target"] = table[head].to_numpy(np.float64)[rows]
        kept[f"{head}_prediction"] = values[trial["look"], trial["place"], rows]
    return kept
