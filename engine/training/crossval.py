"""Cross-validation: one run per fold, and one table of out-of-fold predictions."""

import json
import logging
import shutil
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import fmean
from typing import Any

import pytorch_lightning as pl

from datamodules.manifests.manifest import Manifest
from datamodules.splits.partition import Split
from engine.cohort.data_facts import data_facts
from engine.config.differences import config_hash, differences, moved
from engine.config.selection import reads_test
from engine.inference.lines import Lines
from engine.inference.outputs import write_run
from engine.runs.atomic_write import writing
from engine.runs.provenance import RunManifest, read_manifest_json
from engine.runs.ranks import is_main
from engine.runs.results_table import run_row, write_results
from engine.tracking.run_tracking import RunTracking
from engine.training.cross_val_results import pool
from engine.training.fit import train_split
from evaluation.report.terminal_summary import result_line
from evaluation.tables.predictions import read_predictions

_log = logging.getLogger(__name__)


def cross_validate(
    config: Mapping[str, Any],
    manifest: Manifest,
    splits: Sequence[Split],
    *,
    folder: Path,
    record: RunManifest,
    watching: Sequence[pl.Callback] = (),
) -> float | None:
    """Train every fold in `fold_<k>/` and pool what the folds predicted for persons they had not seen.

    Where everybody is tested several times, the folds of a round are in `repeat_<r>/fold_<k>/`.

    A fold that finished under the same config and data is not trained again, and one that was stopped goes
    on from its last state: a run goes on with `resume=<its folder>`. `watching` are callbacks of the first
    fold.

    Returns:
        Mean validation metric over the folds; None if one has none.
    """
    places = _places(folder, splits)
    earlier = Path(config["resume"]) if config.get("resume") else folder
    sources = [earlier / place.relative_to(folder) for place in places]
    if is_main():
        for source, place in zip(sources, places, strict=True):
            _bring(source, place, moved(config, source), manifest)
    done = [finished(place, moved(config, place), manifest) for place in places]  # before any rank writes
    objectives: list[float | None] = []
    for number, (place, source, split, kept) in enumerate(zip(places, sources, splits, done, strict=True), 1):
        count = f"fold {number} of {len(places)}"
        _log.info("%s: %s", count, place)
        if kept:
            _log.info("%s: finished earlier under the same config and data, not trained again", count)
            objectives.append(read_manifest_json(place).get("objective"))
        else:
            own = moved(config, place) | {"resume": str(source) if source.is_dir() else None}
            seen = watching if place == places[0] else ()
            objectives.append(_fold(own, manifest, split, place, whole=folder, watching=seen))
        if is_main():
            _log.info("%s: %s", count, _result(place))
    names = [place.relative_to(folder).as_posix() for place in places]
    first = read_manifest_json(places[0])
    common = {name: first[name] for name in ("parameters", "weights") if name in first}
    record.record(folds=names, objectives=objectives, **common)
    if reads_test(config):
        record.count_look()
    if is_main() and reads_test(config):
        tables = [read_predictions(place / "predictions.csv") for place in places]
        remarks = dict.fromkeys(read_manifest_json(place).get("unselected") for place in places)
        notes = [f"Folds: {remark}" for remark in remarks if remark]
        scale = config["data"]["scale"]
        span = scale["high"] - scale["low"]
        found = pool(manifest, splits, tables, lines=Lines(config, manifest), span=span)
        with RunTracking(config, record=record, kind="crossval") as tracking:
            write_run(folder, found, config=config, record=record, notes=notes)
            tracking.results(found)
    if is_main():
        rows = [(name, run_row(place)) for name, place in zip(names, places, strict=True)]
        # no interval: folds train on each other's persons, so they are not independent
        table = write_results(folder / "folds.csv", rows, name="fold", summary=("mean", "sd"))
        _log.info("%d folds, in %s:\n%s", len(places), folder / "folds.csv", table)
    known = [value for value in objectives if value is not None]
    return fmean(known) if len(known) == len(objectives) else None


def _bring(source: Path, place: Path, config: Mapping[str, Any], manifest: Manifest) -> None:
    """Take over a finished fold of the run that this one goes on from, where that lies elsewhere."""
    if source.resolve() == place.resolve() or place.exists() or not finished(source, config, manifest):
        return
    partial = place.with_name(f".{place.name}.partial")
    with writing(place, lost="a finished fold, in this folder"):
        shutil.rmtree(partial, ignore_errors=True)
        shutil.copytree(source, partial)
        partial.replace(place)


def _places(folder: Path, splits: Sequence[Split]) -> list[Path]:
    repeated = len({split.repeat for split in splits}) > 1
    seen: Counter[int] = Counter()
    places = []
    for split in splits:
        outer = folder / f"repeat_{split.repeat}" if repeated else folder
        places.append(outer / f"fold_{seen[split.repeat]}")
        seen[split.repeat] += 1
    return places


def _result(place: Path) -> str:
    """What came out of a finished fold, in one line."""
    metrics = place / "metrics.json"
    found = json.loads(metrics.read_text(encoding="utf-8")) if metrics.is_file() else None
    return "finished" if found is None else f"test {result_line(found)}"


def _fold(
    config: Mapping[str, Any],
    manifest: Manifest,
    split: Split,
    place: Path,
    *,
    whole: Path,
    watching: Sequence[pl.Callback],
) -> float | None:
    earlier = Path(config["resume"]) if config.get("resume") else None
    given: Any = {"writes": is_main(), "earlier": earlier, "whole": whole}
    with RunManifest(folder=place, config=config, **given) as record:
        record.record(
            experiment=config["experiment_name"],
            **data_facts(manifest, [split]),
            splits=[split.name],
            leaks_on_purpose=list(config["accept_leaks"]),
        )
        if split.notes:
            record.record(split_notes={split.name: list(split.notes)})
        given = {"folder": place, "record": record, "watching": watching}
        return train_split(config, manifest, split, **given)


def finished(place: Path, config: Mapping[str, Any], manifest: Manifest) -> bool:
    """Whether a fold's folder holds all predictions of a run that ended well, on this config and data."""
    content = read_manifest_json(place)
    known = content.get("config")
    if reads_test(config) and not reads_test(known or {}):
        return False  # a trial of a sweep, which is tested now
    same = (
        content.get("config_hash") == config_hash(config) if known is None else not differences(known, config)
    )
    return (
        content.get("status") == "finished"
        and same
        and content.get("data_digest") == manifest.digest()
        and (place / "predictions.csv").is_file()
    )
