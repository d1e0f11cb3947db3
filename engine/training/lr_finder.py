"""Learning-rate range test (Smith 2017, arXiv 1506.01186) on training persons, before a run begins."""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytorch_lightning as pl
from numpy.typing import ArrayLike
from pytorch_lightning.tuner import lr_finder
from pytorch_lightning.tuner.tuning import Tuner

from datamodules.manifests.manifest import Manifest
from datamodules.progress import Progress
from datamodules.splits.partition import Split
from engine.config.build import build
from engine.config.compose import ConfigError
from engine.runs.seed import seed_run, seed_step
from engine.runs.terminal import with_progress_bar
from models.standardize import Statistics

_log = logging.getLogger(__name__)

LOWEST, HIGHEST, STEPS = 1e-6, 1.0, 100  # our choice
_SKIPPED = 10  # first steps: the running mean of the loss has not settled (Lightning skips as many)
_NEVER = 10**9  # epochs between validations: the finder overrides a limit of 0 batches


@dataclass(frozen=True)
class FoundRate:
    """The rate where the loss falls fastest, with the curve: rates and running means of the loss."""

    rate: float
    rates: Sequence[float]
    losses: Sequence[float]


def find_rate(
    config: Mapping[str, Any], manifest: Manifest, split: Split, *, statistics: Statistics, folder: Path
) -> FoundRate:
    """Raise the rate from batch to batch, from `LOWEST` to `HIGHEST`, and see where the loss falls fastest.

    The test trains a network of its own with Lightning's finder, from the run's seed, on a split that holds
    training persons alone: validation and test take no part in the choice.

    Args:
        config: Resolved config of the run.
        manifest: The recordings.
        split: Whose training part is read.
        statistics: Of the training part.
        folder: Where Lightning keeps the weights while it tests.

    Raises:
        ConfigError: The trainer has several devices, or the test was too short to tell.
    """
    if config["trainer"].get("devices") not in (1, "1"):
        raise ConfigError("find_lr=true takes one device: find the rate with trainer=gpu, then train with it")
    seed_run(config["seed"])
    alone = replace(split, val=(), test=())
    datamodule = build(config["data"]["module"], key="data.module", manifest=manifest, split=alone)
    datamodule.accept_leaks = tuple(config["accept_leaks"])
    task = build(config["model"], key="model")
    task.set_statistics(statistics)
    node = config["trainer"] | {"max_epochs": -1, "check_val_every_n_epoch": _NEVER, "profiler": None}
    node |= {"logger": False, "enable_checkpointing": False, "default_root_dir": str(folder)}
    trainer: pl.Trainer = build(with_progress_bar(node), key="trainer")
    _log.info(
        "find_lr: %d steps on the training part, with rates from %g to %g, on weights of their own",
        STEPS,
        LOWEST,
        HIGHEST,
    )
    _seed_steps(task, trainer, seed=config["seed"])
    # its own bar is drawn into files, too, and cannot be switched off
    setattr(lr_finder, "tqdm", Progress)  # noqa: B010 - the module does not export it
    found = Tuner(trainer).lr_find(
        task,
        datamodule=datamodule,
        min_lr=LOWEST,
        max_lr=HIGHEST,
        num_training=STEPS,
        update_attr=False,
    )
    if found is None:
        raise ConfigError("find_lr=true with trainer.fast_dev_run: nothing is tried out; leave one of them")
    rates, losses = ([float(value) for value in found.results[name]] for name in ("lr", "loss"))
    rate = steepest(rates, losses)
    _log.info("find_lr: learning rate %.3g, where the training loss falls fastest; training begins", rate)
    return FoundRate(rate, rates, losses)


def _seed_steps(task: pl.LightningModule, trainer: pl.Trainer, *, seed: int) -> None:
    """Seed every step by the module's own hook, as `StepSeed` does: the finder puts all callbacks aside."""

    def on_train_batch_start(batch: Any, batch_idx: int) -> None:
        del batch, batch_idx
        seed_step(seed, trainer.fit_loop.epoch_loop.total_batch_idx, trainer.global_rank)

    task.on_train_batch_start = on_train_batch_start  # type: ignore[method-assign]


def steepest(rates: ArrayLike, losses: ArrayLike, *, skipped: int = _SKIPPED) -> float:
    """The rate at the steepest descent of the loss over the logarithm of the rate.

    Lightning 2.5.3 and later take the derivative by the rate itself, which finds the noise at the lowest
    rates (its issue 21141); the finder's curve is read here instead.

    Args:
        rates: Tested rates (N,), geometric.
        losses: Running mean of the loss at each (N,).
        skipped: First points, left out.

    Raises:
        ConfigError: The loss is finite at fewer than two of the others, or falls nowhere.
    """
    x, y = (np.asarray(values, dtype=np.float64)[skipped:] for values in (rates, losses))
    x, y = x[np.isfinite(y)], y[np.isfinite(y)]
    slope = np.gradient(y, np.log(x)) if x.size > 1 else np.zeros(1)
    if slope.min() >= 0:
        raise ConfigError(
            f"find_lr=true: the training loss falls at none of {x.size} rates up to {HIGHEST:g}; "
            "set model.optimizer.lr yourself"
        )
    return float(x[slope.argmin()])
