"""What our training loop costs beside a bare one: `python -m benchmarks.step`.

The same network, objective, augmentation, optimizer and clipping of gradients on the same batches, which are
in memory. Ours is a training as `train.py` has it (Lightning, the task, seeds of steps, history, log, CSV
logger); bare is a loop of torch. CPU time of this process; best pinned to one core: `taskset -c 1`.
"""

import logging
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from copy import copy, deepcopy
from pathlib import Path
from typing import Any, Literal

import pytorch_lightning as pl
import torch

from benchmarks.speed.paired import in_turn, ratio, table, written
from benchmarks.speed.resident import Batch, Resident, drawn_batch, drawn_task, resident
from datamodules.command_line import run
from engine.config.build import build, build_all
from engine.runs.quiet_warnings import quiet
from engine.training.callbacks import History, StepSeed
from engine.training.epoch_log import EpochLog
from engine.training.prepare import compose_training
from models.task import Task

EXPERIMENTS = {"pixels": "mpdrm", "series": "mpdrm_series"}
WARM = 1  # steps of each training that do not count


def main(
    *,
    rounds: int = 15,
    steps: int = 11,
    only: tuple[Literal["pixels", "series"], ...] = ("pixels", "series"),
    overrides: tuple[str, ...] = (),
    out: Path = Path("outputs/benchmarks"),
) -> None:
    """Measure, write `step.json`, and show the tables.

    Args:
        rounds: In which each way trains once.
        steps: Of an epoch, as the default cohort has them.
        only: Pixels or series.
        overrides: Further settings of both trainings.
        out: Folder of the file.
    """
    quiet()
    torch.set_num_threads(1)
    logging.disable(logging.INFO)
    found: dict[str, Any] = {}
    for name in only:
        with tempfile.TemporaryDirectory() as folder:
            seconds = measured(name, rounds=rounds, steps=steps, overrides=overrides, folder=Path(folder))
        found[name] = {"seconds": seconds, "steps": steps}
        found[name] |= {way: ratio(own, seconds["bare"])._asdict() for way, own in seconds.items()}
        sys.stdout.write(f"\n{name}, {steps} steps an epoch, {rounds} rounds\n\n")
        sys.stdout.write(table(seconds, per=steps, to="bare", unit="step"))
    written(out, "step", found)


def measured(
    name: str, *, rounds: int, steps: int, overrides: Sequence[str], folder: Path
) -> dict[str, list[float]]:
    """CPU seconds of an epoch of each way, round by round."""
    given = [f"experiment={EXPERIMENTS[name]}", "callbacks=none", "epochs=1", "logger=csv", *overrides]
    config = compose_training(given, output=folder)
    module = config["data"]["module"]
    sizes = {"persons": module["subjects"], "visits": module["visits"]}
    batches = [drawn_batch(config, **sizes, seed=seed) for seed in range(2)]
    epoch = [batches[place % 2] for place in range(WARM + steps)]
    task, data = drawn_task(config), resident(config, epoch)
    ways = {
        "bare": lambda: bare(deepcopy(task), data, epoch, clip=config["trainer"]["gradient_clip_val"]),
        "ours": lambda: ours(config, deepcopy(task), copy(data), folder),
    }
    return in_turn(ways, rounds=rounds)


class Clock(pl.Callback):
    """CPU seconds from the start of a step to the end of the epoch, logging of the epoch included."""

    def __init__(self) -> None:
        self.begun, self.seconds = 0.0, 0.0

    def on_train_batch_start(
        self, trainer: pl.Trainer, pl_module: pl.LightningModule, batch: Any, batch_idx: int
    ) -> None:
        """Begin after the steps that warm up."""
        if batch_idx == WARM:
            self.begun = time.process_time()

    def on_train_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Stop."""
        self.seconds = time.process_time() - self.begun


def ours(config: Mapping[str, Any], task: Task, data: Resident, folder: Path) -> float:
    """CPU seconds of an epoch without its first steps, trained as `train.py` does."""
    clock, history = Clock(), History(path=folder / "history.csv")
    selection = config["selection"]
    callbacks = [
        clock,
        StepSeed(seed=config["seed"]),
        history,
        EpochLog(monitor=selection["monitor"], mode=selection["mode"], history=history),
    ]
    trainer: pl.Trainer = build(
        config["trainer"] | {"enable_progress_bar": False, "limit_val_batches": 0},
        key="trainer",
        callbacks=callbacks,
        logger=build_all(config["logger"], key="logger"),
        enable_checkpointing=False,
    )
    trainer.fit(task, datamodule=data)
    return clock.seconds


def bare(task: Task, data: Resident, epoch: Sequence[Batch], *, clip: float) -> float:
    """CPU seconds of the same steps in a loop that does nothing else."""
    network: Any = task.network  # a module as well, which its protocol does not say
    network.train()
    objective = task.objective
    optimizer = torch.optim.AdamW(task.parameters(), lr=1.5e-3, weight_decay=0.01)
    parameters = list(task.parameters())
    torch.use_deterministic_algorithms(True)
    begun = 0.0
    for number, batch in enumerate(epoch):
        if number == WARM:
            begun = time.process_time()
        batch = prepared(data, batch)
        optimizer.zero_grad()
        loss = objective(network.heads, network(batch), batch)["loss"]
        loss.backward()
        torch.nn.utils.clip_grad_norm_(parameters, clip)
        optimizer.step()
    seconds = time.process_time() - begun
    torch.use_deterministic_algorithms(False)
    return seconds


def prepared(data: Resident, batch: Batch) -> Batch:
    """Augmented and normalized, by calls and nothing around them."""
    if "series" in batch:
        if data._augment is None:
            return batch
        series, mask = data._augment(batch["series"], batch["mask"], batch["seed"], batch["subject"])
        return batch | {"series": series, "mask": mask}
    frames = batch["frames"] if data._augment is None else data._augment(batch["frames"], batch["seed"])
    if data._normalize is not None:
        frames = data._normalize(frames)
    return batch | {"frames": frames * batch["mask"][:, :, None, None, None]}


if __name__ == "__main__":
    sys.exit(run(main))
