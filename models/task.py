"""The LightningModule: steps, logging, optimizers; the network knows nothing of Lightning."""

from collections.abc import Callable
from math import ceil
from typing import Any, NoReturn, Self

import pytorch_lightning as pl
import torch
from torch import Tensor, nn
from torchmetrics import Metric

from models.blocks import trunks
from models.objective import Objective
from models.optim import WarmupCosine, fused, parameter_groups, rate_scales, scale_rates, weight_names
from models.predictions import predicted_names, predictions
from models.running_means import RunningMeans
from models.sharding import shard
from models.standardize import Statistics, set_statistics
from models.tuning import settle
from models.types import Batch, Network, Output

_EXTRAS = ("attention", "context_available", "embedding", "plain", "relieved", "personality_feature")


class Task(pl.LightningModule):
    """Trains a network with an objective; metrics are computed on recordings, never averaged over batches.

    Args:
        network: `network(batch) -> Output`, with `heads`.
        objective: `objective(heads, output, batch) -> {"loss", ...}`.
        metrics: prototype of the recording metrics; validation and test get clones of their own.
        optimizer: partial, called with the parameter groups.
        scheduler: partial, called with the optimizer and stepped every epoch, or a `WarmupCosine`, stepped
            every step; None keeps the learning rate.
        tuning: how much of each trunk is trained, see `models.tuning`; None trains all of it.
        layer_decay: learning rate of a block of a trunk by that of the next one, see `rate_scales`.

    Raises:
        ValueError: what is to be tuned has no trunk.
    """

    def __init__(
        self,
        *,
        network: Network,
        objective: Objective,
        metrics: Metric,
        optimizer: Callable[..., torch.optim.Optimizer],
        scheduler: Callable[..., Any] | None = None,
        tuning: Callable[[nn.Module], None] | None = None,
        layer_decay: float = 1.0,
    ) -> None:
        super().__init__()
        self.network = network
        if tuning is not None:
            self._tune(tuning)
        self.objective = objective
        # A clone each: counts of validation, which also runs inside training, must not reach the test.
        self.val_metrics = metrics.clone()
        self.test_metrics = metrics.clone()
        self.means = {stage: RunningMeans() for stage in ("train", "val", "test")}
        self._optimizer = optimizer
        self._decayed = weight_names(self)  # before a strategy wraps and flattens anything
        self._scales = rate_scales(self, layer_decay)
        self._scheduler = scheduler

    @classmethod
    def load_from_checkpoint(cls, *_args: Any, **_settings: Any) -> NoReturn:
        """Refuse, and name the call that does it: the parts of a task are built from the checkpoint's config.

        Raises:
            TypeError: always.
        """
        raise TypeError(
            "a task is made of built parts, which Lightning cannot make again from a checkpoint; call "
            "engine.inference.trained_network.load_network(path) for its network"
        )

    def _tune(self, tuning: Callable[[nn.Module], None]) -> None:
        """Apply it before optimizer and weights: a checkpoint opens with the parts it was saved with."""
        if not (found := trunks(self)):
            raise ValueError("model/tuning: this network has no part named `trunk`: use model/tuning=full")
        for trunk in found:
            tuning(trunk)
        self.train()

    def train(self, mode: bool = True) -> Self:
        """Switch to training, all but the parts that are frozen: those stay in evaluation."""
        super().train(mode)
        settle(self)
        return self

    def forward(self, batch: Batch) -> Output:
        """Run the network."""
        return self.network(batch)

    def training_step(self, batch: Batch, batch_idx: int) -> Tensor:
        """Return the loss, and count every term for the epoch."""
        return self._losses(self(batch), batch, "train")["loss"]

    def on_train_batch_end(self, outputs: Any, batch: Batch, batch_idx: int) -> None:
        """Log `train/<term>` after the last step of an epoch, wherever that is.

        Lightning takes a tenth of a short step for the five terms of one; nobody reads them before the end.
        """
        loop = self.trainer.fit_loop.epoch_loop
        if loop.batch_progress.is_last_batch or loop.done:  # not `done` alone: it is late after a restart
            self._log_losses("train")

    def on_train_epoch_end(self) -> None:
        """Log what is left where a validation in the middle of an epoch ended it."""
        self._log_losses("train")

    def validation_step(self, batch: Batch, batch_idx: int) -> None:
        """Count losses and feed the recording metrics."""
        self._evaluate(batch, "val", self.val_metrics)

    def observe(self, batch: Batch) -> None:
        """Feed the metrics of validation without logging anything, as for a copy of the task."""
        self._feed(self.val_metrics, self(batch), batch)

    def test_step(self, batch: Batch, batch_idx: int) -> None:
        """Count losses and feed the recording metrics."""
        self._evaluate(batch, "test", self.test_metrics)

    def on_validation_epoch_end(self) -> None:
        """Log `val/<term>` and `val/<metric>`."""
        self._log_losses("val")
        self._log_metrics("val", self.val_metrics)

    def on_test_epoch_end(self) -> None:
        """Log `test/<term>` and `test/<metric>`."""
        self._log_losses("test")
        self._log_metrics("test", self.test_metrics)

    def predict_step(self, batch: Batch, batch_idx: int = 0) -> dict[str, Any]:
        """Return ids, predictions, attention and features of the scored rows as CPU tensors and lists."""
        output: Output = self(batch)
        scored = batch["scored"].cpu()  # the other rows came along as context; chosen behind the device
        tensors = {"row": batch["row"], "clip": batch["clip"], **self._predictions(output)}
        tensors |= {name: value for name in _EXTRAS if (value := getattr(output, name)) is not None}
        if "history" in batch:
            tensors["known_visits"] = _known_visits(batch)
            tensors |= self._moved(batch)
        result: dict[str, Any] = {}
        for name, value in tensors.items():
            value = value.detach().cpu()[scored]
            result[name] = value.float() if value.is_floating_point() else value  # NumPy knows no bfloat16
        names = {name: batch[name] for name in ("recording_id", "subject_id", "session_id")}
        if "history" in batch:
            names["known_names"] = _known_names(batch)
        for name, entries in names.items():
            result[name] = [entry for entry, kept in zip(entries, scored.tolist(), strict=True) if kept]
        return result

    def set_statistics(self, stats: Statistics) -> None:
        """Store the training statistics wherever network and objective keep some."""
        set_statistics(self, stats)

    def configure_model(self) -> None:
        """Deal the parameters out to the ranks where the strategy has made a mesh of them."""
        if self.device_mesh is not None:
            shard(self, self.device_mesh["data_parallel"])

    def configure_optimizers(self) -> Any:
        """Build optimizer and scheduler from their partials; biases and norms get no weight decay."""
        groups = parameter_groups(self, decayed=self._decayed, scales=self._scales)
        # a scaler of float16 cannot clip gradients that a fused step unscales itself
        scaled = self._trainer is not None and self.trainer.scaler is not None
        kernels = {} if scaled else fused(self._optimizer, groups)
        optimizer = scale_rates(self._optimizer(groups, **kernels))
        if self._scheduler is None:
            return optimizer
        by_steps = isinstance(self._scheduler, WarmupCosine)
        given = {"steps_per_epoch": self._steps_per_epoch()} if by_steps else {}
        schedule = {
            "scheduler": self._scheduler(optimizer, **given),
            "interval": "step" if by_steps else "epoch",
        }
        return {"optimizer": optimizer, "lr_scheduler": schedule}

    @property
    def warmup_epochs(self) -> float:
        """Epochs in which the learning rate still rises; 0 without a warm-up."""
        return self._scheduler.warmup_epochs if isinstance(self._scheduler, WarmupCosine) else 0.0

    def _steps_per_epoch(self) -> int:
        """Steps of the optimizer in an epoch, on each device; makes the training loader if need be."""
        self.trainer.fit_loop.setup_data()
        return ceil(self.trainer.num_training_batches / self.trainer.accumulate_grad_batches)

    def logged_names(self, stage: str) -> set[str]:
        """Names of everything that an epoch of `stage` (train, val or test) logs: what can be monitored.

        Metrics are logged where the recordings have the labels that they need.
        """
        heads = list(self.network.heads)
        names = [*self.objective.names(heads)]
        if stage != "train":
            names += self.val_metrics.names(predicted_names(self.network.heads))  # type: ignore[operator]  # of RecordingMetrics
        return {f"{stage}/{name}" for name in names}

    def _predictions(self, output: Output) -> dict[str, Tensor]:
        return predictions(self.network.heads, output.logits)

    def _moved(self, batch: Batch) -> dict[str, Tensor]:
        """`score_moved`, the predicted scores if all known ones were a point higher; of networks with scores.

        A change between visits is told beyond what a prediction took over from the scores before it.
        """
        if "score" not in predicted_names(self.network.heads):
            return {}
        higher = {**batch["history"], "score": batch["history"]["score"] + 1.0}
        return {"score_moved": self._predictions(self(batch | {"history": higher}))["score"]}

    def _losses(self, output: Output, batch: Batch, stage: str) -> dict[str, Tensor]:
        losses = self.objective(self.network.heads, output, batch)
        self.means[stage].add(losses, count=len(batch["row"]))
        return dict(losses)

    def _log_losses(self, stage: str) -> None:
        means, count = self.means[stage].take()
        for name, value in means.items():
            given: Any = {"on_step": False, "on_epoch": True, "batch_size": count, "sync_dist": True}
            self.log(f"{stage}/{name}", value, prog_bar=name == "loss", **given)

    def _evaluate(self, batch: Batch, stage: str, metrics: Metric) -> None:
        output: Output = self(batch)
        self._losses(output, batch, stage)
        self._feed(metrics, output, batch)

    def _feed(self, metrics: Metric, output: Output, batch: Batch) -> None:
        metrics.update(
            row=batch["row"],
            clip=batch["clip"],
            predictions=self._predictions(output),
            targets=batch["targets"],
            target_mask=batch["target_mask"],
            scored=batch["scored"],
        )

    def _log_metrics(self, stage: str, metrics: Metric) -> None:
        try:
            values = metrics.compute()
        except ValueError as error:  # which epoch went wrong is not known where it is noticed
            raise type(error)(f"epoch {self.current_epoch}, {stage}: {error}") from error
        metrics.reset()
        # already synchronized by the metric: every rank logs the same number
        self.log_dict({f"{stage}/{name}": value for name, value in values.items()}, prog_bar=False)


def _known_names(batch: Batch) -> list[tuple[str, ...]]:
    """The earlier visits whose scores each row of a batch knows, in order: what was read, not what exists."""
    known = batch["history"]["earlier"] & ~batch["history"]["score"].isnan()
    order = batch["visit"].argsort(stable=True)
    sessions = batch["session_id"]
    return [tuple(dict.fromkeys(sessions[j] for j in order.tolist() if row[j])) for row in known.tolist()]


def _known_visits(batch: Batch) -> Tensor:
    """How many earlier visits each row of a batch may know, with or without a score, (B,) int64."""
    visit: Tensor = batch["visit"]
    clips = (visit[:, None] == visit[None, :]).sum(1)  # of a visit, which is known as a whole or not at all
    earlier: Tensor = batch["history"]["earlier"]
    return (earlier / clips).sum(1).round().long()
