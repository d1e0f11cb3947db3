"""Checks that the monitored validation value is defined, before training and after every epoch."""

import logging
import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
import pytorch_lightning as pl

from datamodules.manifests.manifest import Manifest
from datamodules.splits.protocols import Split
from engine.config.compose import ConfigError
from engine.config.selection import monitored
from engine.inference.results import targets
from evaluation.metrics.applicable import measurements
from evaluation.metrics.catalog import METRICS
from evaluation.tables.predictions import HEADS

_log = logging.getLogger(__name__)


def check_validation(config: Mapping[str, Any], manifest: Manifest, splits: Sequence[Split]) -> None:
    """Stop, before training, where the labels of a validation part leave a monitored value undefined.

    One class has no AUC and equal scores have no correlation, whatever is predicted; a loss over no label is
    0 in every epoch.

    Raises:
        ConfigError: Names the split, the value, the reason and what else could choose.
    """
    table = targets(manifest)
    for split in splits:
        rows = table[table["recording_id"].isin(set(split.val))]
        for monitor in monitored(config):
            if reason := undefined(monitor, rows):
                others = [name for name in _instead(config) if not undefined(name, rows)]
                advice = " or ".join(f"selection.monitor={name}" for name in others) or "labels for it"
                raise ConfigError(
                    f"split '{split.name}': {monitor} is undefined on the {len(rows)} validation recordings: "
                    f"{reason}. Nothing could be chosen by it; use {advice}, or another split"
                )


def undefined(monitor: str, rows: pd.DataFrame) -> str | None:
    """Why no prediction whatever can give a monitored value on these recordings, or None.

    Args:
        monitor: Name after `val/`: a metric, `loss` or the loss of a head; of others nothing is known.
        rows: Manifest rows of the validation part with `score`, `binary`, `band` where known.
    """
    name = monitor.partition("/")[2]
    labeled = [head for head in HEADS if head in rows and rows[head].notna().any()]
    if name not in METRICS:
        needed = {"loss": labeled, **{head: [head] if head in labeled else [] for head in HEADS}}
        return None if needed.get(name, [name]) else "none of them has a label that it needs"
    ramp = np.linspace(0.0, 1.0, len(rows))  # all differ: what is undefined lies in the labels
    table = pd.DataFrame(
        {f"{head}_target": rows[head].to_numpy(np.float64, na_value=np.nan) for head in labeled}
    ).assign(**{f"{head}_prediction": ramp for head in labeled})
    values = {m.name: m.value() for m in measurements(table, threshold=None)}
    return values[name].reason if name in values else "none of them has a label that it needs"


def _instead(config: Mapping[str, Any]) -> list[str]:
    """What else a run could be selected by, with the heads that it has."""
    heads = config["model"].get("network", {}).get("heads") or {}
    return [*(["val/mae"] if heads.get("score") is not None else []), "val/loss"]


class FiniteMonitor(pl.Callback):
    """Stops a run whose monitored value was a number in no epoch, and remembers the epochs without one.

    An epoch without a number (all predictions equal, so no correlation) is never chosen while another has
    one.

    Args:
        monitor: What chooses the checkpoint, or what another callback waits for.
    """

    def __init__(self, *, monitor: str) -> None:
        self._monitor = monitor
        self.missing: list[int] = []  # epochs in which the value was not finite
        self._finite = 0

    @property
    def state_key(self) -> str:
        """One state for each monitored value."""
        return f"FiniteMonitor({self._monitor})"

    def on_validation_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Note whether the value of this epoch is finite."""
        del pl_module
        if trainer.sanity_checking or trainer.state.fn != "fit":
            return
        value = trainer.callback_metrics.get(self._monitor)
        if value is not None and math.isfinite(float(value)):
            self._finite += 1
        elif trainer.current_epoch not in self.missing:
            self.missing.append(trainer.current_epoch)

    def on_train_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Stop, or say which epochs could not be chosen.

        Raises:
            ConfigError: The value was finite in no epoch.
        """
        del trainer, pl_module
        if self.missing and not self._finite:
            raise ConfigError(
                f"{self._monitor}, which is monitored, was a finite number in none of {len(self.missing)} "
                "epochs, so nothing can be chosen by it. The warnings above say why; use "
                "selection.monitor=val/loss or another metric"
            )
        if self.missing:
            _log.warning(
                "%s was no finite number in epochs %s: chosen among the others", self._monitor, self.missing
            )

    def state_dict(self) -> dict[str, Any]:
        """Epochs so far."""
        return {"missing": self.missing, "finite": self._finite}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Take over the epochs of the run that is resumed."""
        self.missing, self._finite = list(state_dict["missing"]), int(state_dict["finite"])
