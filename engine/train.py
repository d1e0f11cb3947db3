"""The command `train.py`: a training run, from a plain config to a folder of results."""

import logging
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from statistics import fmean
from typing import Any

import pandas as pd
import pytorch_lightning as pl

from datamodules.splits.partition import Split
from engine.cohort.data_facts import data_facts
from engine.cohort.leak_check import audit_leaks
from engine.cohort.splits import checked_splits, report_split
from engine.config.build import build
from engine.config.selection import check_run, reads_test, with_modes
from engine.config.set_widths import is_open, with_channel_widths
from engine.config.targets import check_targets, trusting
from engine.config.value_ranges import check_settings
from engine.encoding.seen import check_encoder
from engine.runs.provenance import RunManifest, read_manifest_json
from engine.runs.quiet_warnings import quiet
from engine.runs.ranks import is_main
from engine.runs.seed import seed_run
from engine.runs.terminal import after_training, conclude, shown
from engine.tracking.run_tracking import looks
from engine.training.checks import (
    check_batches,
    check_devices,
    check_model,
    check_scale,
    check_trainer,
    check_validation,
)
from engine.training.fit import train_split
from engine.training.resuming.earlier_run import earlier_run
from evaluation.report.learning_curves import remarks_on_training

_log = logging.getLogger(__name__)


@trusting
def train(
    config: Mapping[str, Any],
    *,
    folder: Path,
    check_data: Callable[[Mapping[str, Any], str, Sequence[Split]], None] | None = None,
    watching: Sequence[pl.Callback] = (),
) -> float | None:
    """Run the protocol of a config.

    Args:
        config: Resolved config, plain.
        folder: Where everything is written.
        check_data: Called with `data.manifest`, the digest of what was read and the splits, before training.
        watching: Further callbacks of the training, of several folds in the first.

    Returns:
        The validation metric of the chosen checkpoint (its mean over folds): what a sweep may search by.

    Raises:
        LeakageError: The split leaks, single facts of the input give the label away, or something other than
            validation would select.
        ForbiddenTarget: The config names a callable outside the allow-list.
        ValueError: `evaluation.n_boot` is too small for intervals.
    """
    quiet()
    check_targets(dict(config))
    check_settings(config)
    check_run(config)
    config = with_modes(config)
    check_devices(config["trainer"])
    earlier = earlier_run(config, folder)
    if earlier is not None and _nothing_left(earlier, config):
        _conclude("nothing to do: this training was finished earlier", earlier)
        return _objective(earlier)
    seed_run(config["seed"])
    config = dict(config) | {"resume": None if earlier is None else str(earlier)}
    with RunManifest(folder=folder, config=config, writes=is_main(), earlier=earlier) as record:
        check_trainer(config)  # all before the manifest: a cohort may take minutes to make
        check_batches(config)
        if not is_open(config):
            check_model(config)
        _log.info("reading the recordings of data.manifest, or making them")
        manifest = build(config["data"]["manifest"], key="data.manifest")
        check_scale(manifest, config)
        if is_open(config):
            source = build(config["data"]["module"]["source"], key="data.module.source")
            config = with_channel_widths(config, source.prepared(manifest.recordings()).channels)
            check_model(config)
        splits = checked_splits(config, manifest, needs=partial(check_validation, config, manifest))
        if check_data is not None:
            check_data(config["data"]["manifest"], manifest.digest(), splits)
        check_encoder(manifest, splits)
        for split in splits:
            report_split(manifest, split, record=record)
        record.record(
            experiment=config["experiment_name"],
            **data_facts(manifest, splits),
            splits=[split.name for split in splits],
            subject_disjoint=all(split.subject_disjoint for split in splits),
            deterministic=config["trainer"].get("deterministic"),
        )
        source = build(config["data"]["module"]["source"], key="data.module.source")
        source = source.prepared(manifest.recordings())
        audit_leaks(manifest, splits[0], source, accepted=config["accept_leaks"], record=record)
        given: Any = {"folder": folder, "record": record, "watching": watching}
        if len(splits) > 1:
            from engine.training.crossval import cross_validate  # with all that results of folds need

            value = cross_validate(config, manifest, splits, **given)
        else:
            value = train_split(config, manifest, splits[0], **given)
    _conclude("training is finished", folder)
    return value


def _conclude(title: str, folder: Path) -> None:
    """The last lines of a training: result, chosen epoch, folder, and what to type next."""
    chosen, rows = read_manifest_json(folder).get("chosen"), []
    if chosen:
        epoch = f"epoch {chosen['epoch'] + 1} of {chosen['of']}"
        rows = [("chosen", f"{epoch}, {chosen['monitor']} {chosen['value']:.4f}")]
        if (history := folder / "history.csv").is_file():
            found = remarks_on_training(pd.read_csv(history), chosen=chosen["epoch"])
            rows += [("note", remark) for remark in found]
    table = folder / "folds.csv"
    if table.is_file():
        rows.append(("table", shown(table)))
    rows += looks(folder)
    following = after_training(folder) if reads_test(read_manifest_json(folder).get("config") or {}) else []
    conclude(title, folder, rows=rows, following=following)


def _nothing_left(earlier: Path, config: Mapping[str, Any]) -> bool:
    """Whether a run has nothing left to do under this config; the log says so, or that it goes on."""
    content = read_manifest_json(earlier)
    if content.get("status") != "finished":
        return False
    if reads_test(config) and not reads_test(content.get("config") or {}):
        _log.info("%s is finished, and its test part was not read yet: that is what is left", earlier)
        return False
    if content.get("config", {}).get("trainer", {}).get("max_epochs") != config["trainer"].get("max_epochs"):
        _log.warning("%s is finished, and goes on to %s epochs", earlier, config["trainer"].get("max_epochs"))
        return False
    _log.warning(
        "%s is finished, under the same config: nothing to do. For a new run give another hydra.run.dir; a "
        "longer one is trained anew, with a larger epochs=.",
        earlier,
    )
    return True


def _objective(finished: Path) -> float | None:
    """What a finished run came to, as its record says: its metric, or the mean of its folds."""
    content = read_manifest_json(finished)
    value = content.get("objective")
    if value is None and (known := content.get("objectives")) and None not in known:
        value = fmean(known)
    return None if value is None else float(value)
