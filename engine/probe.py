"""The command `probe.py`: many small heads at once on the tokens of a store, chosen by validation."""

import logging
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import pandas as pd
import torch
from torch import nn

from datamodules.clips.statistics import training_statistics
from datamodules.clips.tokens import TokenClips
from datamodules.manifests.manifest import Manifest
from datamodules.splits.partition import Split
from engine.cohort.data_facts import data_facts
from engine.cohort.leak_check import audit_leaks
from engine.cohort.splits import checked_splits, report_split
from engine.config.build import build
from engine.config.compose import ConfigError
from engine.config.targets import check_targets, trusting
from engine.config.value_ranges import check_settings
from engine.encoding.seen import check_encoder
from engine.probing.heads import HEADS, Plan, check_labels, chosen, constants, train_heads
from engine.probing.page import write_probes
from engine.probing.windows import read_windows
from engine.runs.provenance import RunManifest, write_json
from engine.runs.quiet_warnings import quiet
from engine.runs.seed import seed_run
from engine.runs.terminal import conclude, shown
from engine.training.checks import check_scale
from evaluation.uncertainty.scale_limits import cut_to_scale, span_of
from evaluation.uncertainty.table_estimates import estimates
from models.stacked import StackedNetworks
from models.standardize import set_statistics

_log = logging.getLogger(__name__)
_CHANCE = {"auc": {"value": 0.5, "low": 0.5, "high": 0.5}}  # folds differ in their mean, which ranks nobody


@trusting
def probe(config: Mapping[str, Any], *, folder: Path) -> list[pd.DataFrame]:
    """Train folds x seeds x learning rates of a small network at once; test what validation chose.

    Args:
        config: Resolved config of `conf/probe.yaml`, plain.
        folder: Where `trials.csv`, `predictions.csv`, `metrics.json` and `report.html` are written.

    Returns:
        A recording table a seed: everybody tested, by heads that have not learned from them.

    Raises:
        ConfigError: The data or the settings do not serve.
        LeakageError: A split leaks, or the encoder was trained on who is tested.
    """
    quiet()
    check_targets(dict(config))
    check_settings(config)
    plan = _plan(config)
    with RunManifest(folder=folder, config=config, place="before training") as record:
        manifest = build(config["data"]["manifest"], key="data.manifest")
        check_scale(manifest, config)
        needs = partial(check_labels, manifest, heads=config["model"]["network"]["heads"])
        splits = _once_each(checked_splits(config, manifest, needs=needs))
        check_encoder(manifest, splits)
        for split in splits:
            report_split(manifest, split, record=record)
        record.record(experiment="probe", splits=[one.name for one in splits], **data_facts(manifest, splits))
        audit_leaks(manifest, splits[0], TokenClips(), accepted=config["accept_leaks"], record=record)
        statistics = [_statistics(manifest, split) for split in splits]

        def network(fold: int, seed: int) -> nn.Module:
            seed_run(seed)
            made: nn.Module = build(config["model"]["network"], key="model.network")
            set_statistics(made, statistics[fold])
            return made

        stack = partial(
            StackedNetworks,
            objective=build(config["model"]["objective"], key="model.objective"),
            optimizer=build(config["model"]["optimizer"], key="model.optimizer"),
            schedule=partial(build(config["model"]["scheduler"], key="model.scheduler"), steps_per_epoch=1),
        )
        trained = train_heads(network, stack, read_windows(manifest.recordings()), manifest, splits, plan)
        trials, tables = chosen(trained, manifest.table, splits)
        span = span_of(record.content)
        found = cut_to_scale(estimates(tables), span)
        constant: dict[str, Any] = {**estimates(constants(tables[:1], manifest.table, splits))}
        constant = cut_to_scale(constant, span)
        constant |= _CHANCE if "auc" in constant else {}
        trials.to_csv(folder / "trials.csv", index=False)
        pd.concat(tables, ignore_index=True).to_csv(folder / "predictions.csv", index=False)
        write_json(folder / "metrics.json", {"test": found, "constant": constant, "seeds": list(plan.seeds)})
        write_probes(
            folder / "report.html", trials=trials, tables=tables, constant=constant, record=record.content
        )
    rows = [
        ("constant", _told(constant)),
        ("trials", f"{shown(folder / 'trials.csv')} ({len(trained.trials)} heads)"),
        *_at_the_end(trials, plan),
    ]
    conclude("probing is finished", folder, rows=rows)
    return tables


def _told(constant: Mapping[str, Any]) -> str:
    """What the training means of each fold reach, in the words of the result."""
    shown = [(name, constant[name]["value"]) for name in ("auc", "mae") if name in constant]
    return ", ".join(f"{name.upper()} {value:.2f}" for name, value in shown if value is not None)


def _at_the_end(trials: pd.DataFrame, plan: Plan) -> list[tuple[str, str]]:
    """A row where validation often chose the lowest or the highest rate: the best may lie beyond."""
    of = trials.loc[trials["chosen"], "rate"]
    ends = {"lowest": min(plan.rates), "highest": max(plan.rates)} if len(plan.rates) > 1 else {}
    return [
        (
            "rates",
            f"validation chose the {name}, {rate:g}, in {(of == rate).sum()} of {len(of)}: try rates beyond",
        )
        for name, rate in ends.items()
        if (of == rate).mean() > 0.5
    ]


def _plan(config: Mapping[str, Any]) -> Plan:
    if unknown := set(config["model"]["network"]["heads"]) - set(HEADS):
        raise ConfigError(f"model.network.heads: {sorted(unknown)} cannot be probed; keep score and binary")
    for name in ("seeds", "rates"):
        if not config[name] or len(set(config[name])) < len(config[name]):
            raise ConfigError(f"{name}={list(config[name])}: give one or more, each once")
    return Plan(**{name: config[name] for name in ("seeds", "rates", "steps", "checks")})


def _once_each(splits: Sequence[Split]) -> list[Split]:
    tested = [name for split in splits for name in split.test]
    if len(tested) > len(set(tested)):
        raise ConfigError(
            "the protocol tests recordings more than once; take protocol=kfold or holdout, and more seeds="
        )
    return list(splits)


def _statistics(manifest: Manifest, split: Split) -> dict[str, torch.Tensor | float]:
    return training_statistics(manifest.recordings(split.train), TokenClips())
