"""Whether an entry can fit 16 recordings: one that cannot know these by heart learns nothing from more.

Eight recordings of each class, of several persons, one clip of each; network, losses and optimizer are those
of the training, the loop is plain torch, and nothing is augmented. It ends as soon as the AUC is reached.
"""

import time
from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd
import torch
from torch import Tensor, nn
from torch.nn.utils import clip_grad_norm_

from benchmarks.zoo.plan import RATES
from datamodules.manifests.identity import person_keys
from datamodules.manifests.manifest import Manifest
from datamodules.splits.partition import Split
from engine.config.build import build
from engine.inference.recordings import targets
from engine.runs.seed import seed_run
from evaluation.metrics.definitions import auc
from models.optim import parameter_groups

ENOUGH = 0.95  # training AUC, our choice as all four
STEPS = 200  # of each learning rate, at most
_EACH = 8  # recordings of a class
_OF_PERSON = 2  # of them: a network that compares visits finds some, and no class is one person
_EVERY = 5  # steps between two looks


def fit_sixteen(config: Mapping[str, Any], manifest: Manifest, split: Split) -> dict[str, Any]:
    """Train on 16 recordings of the training part, at one rate after another until one fits.

    Args:
        config: Resolved config of a training.
        manifest: The recordings.
        split: Whose training part they are of.

    Returns:
        `fits`, the highest training `auc`, its `rate`, the `steps` of all rates together, and their `seconds`
        of CPU, reading left out.

    Raises:
        ValueError: The training part has too few recordings of a class, or of too few persons.
    """
    ids = sixteen(manifest, split)
    seed_run(config["seed"])
    persons = len(set(person_keys(manifest.table.iloc[manifest.rows(ids)])))
    sizes = {"subjects": persons, "visits": _OF_PERSON, "clips": 1}
    alone = Split(name="sixteen", train=ids, val=(), test=(), subject_disjoint=split.subject_disjoint)
    node = {**config["data"]["module"], **sizes, "balance": None}
    datamodule = build(node, key="data.module", manifest=manifest, split=alone)
    datamodule.accept_leaks = tuple(config["accept_leaks"])
    batches = [_shown(datamodule, batch) for batch in datamodule.train_dataloader()]
    best, steps, begun = (-1.0, RATES[0]), 0, time.process_time()
    for rate in sorted(RATES, reverse=True):
        seed_run(config["seed"])
        task = build(config["model"], key="model")
        task.set_statistics(datamodule.train_statistics())
        optimizer = build(config["model"]["optimizer"], key="model.optimizer")
        found, taken = _fitted(task, optimizer(parameter_groups(task), lr=rate), batches)
        best, steps = max(best, (found, rate)), steps + taken
        if found >= ENOUGH:
            break
    seconds = round(time.process_time() - begun, 1)
    return {"fits": best[0] >= ENOUGH, "auc": best[0], "rate": best[1], "steps": steps, "seconds": seconds}


def sixteen(manifest: Manifest, split: Split) -> tuple[str, ...]:
    """Ids of 8 recordings of each class, at most 2 of a person in each, in the order of the manifest.

    Raises:
        ValueError: There are not as many.
    """
    table = targets(manifest)
    table = table.assign(person=person_keys(table))
    table = table[table["recording_id"].isin(set(split.train)) & table["binary"].notna()]
    few = table.groupby(["binary", "person"], sort=False).head(_OF_PERSON)
    chosen = few.groupby("binary").head(_EACH)
    counts = chosen["binary"].value_counts()
    if len(counts) < 2 or counts.min() < _EACH:
        raise ValueError(
            f"{manifest.name}: {counts.to_dict()} training recordings by class, at most {_OF_PERSON} of a "
            f"person; {_EACH} of each are fitted before an entry is trained: give a larger corpus, or a "
            "larger training part (protocol.test=...)"
        )
    return tuple(chosen["recording_id"])


def _shown(datamodule: Any, batch: dict[str, Any]) -> dict[str, Any]:
    """A batch as a training shows it, not augmented, for no trainer says that it is one."""
    moved = datamodule.transfer_batch_to_device(
        datamodule.on_before_batch_transfer(batch, 0), torch.device("cpu"), 0
    )
    shown: dict[str, Any] = datamodule.on_after_batch_transfer(moved, 0)
    return shown


def _fitted(
    task: Any, optimizer: torch.optim.Optimizer, batches: Sequence[dict[str, Any]]
) -> tuple[float, int]:
    """The highest training AUC, and after how many steps the loop ended."""
    best = 0.0
    for step in range(1, STEPS + 1):
        batch = batches[step % len(batches)]
        task.train()
        loss = task.objective(task.network.heads, task(batch), batch)["loss"]
        optimizer.zero_grad()
        loss.backward()
        clip_grad_norm_(task.parameters(), 1.0)
        optimizer.step()
        if step % _EVERY == 0:
            best = max(best, _training_auc(task, batches))
            if best >= ENOUGH:
                return best, step
    return best, STEPS


@torch.no_grad()
def _training_auc(task: nn.Module, batches: Sequence[dict[str, Any]]) -> float:
    """AUC of the recordings, clips of one combined by their mean; of a network that diverged 0."""
    task.eval()
    head: Any = task.get_submodule("network.heads.binary")
    rows = []
    for batch in batches:
        answer: Tensor = head.predict(task(batch).logits["binary"])
        known = batch["targets"]["binary"].tolist()
        rows += list(zip(batch["recording_id"], known, answer.tolist(), strict=True))
    found = pd.DataFrame(rows, columns=["id", "target", "prediction"]).groupby("id").mean()
    if found["prediction"].isna().any():
        return 0.0
    return float(auc(found["target"], found["prediction"]).value or 0.0)
