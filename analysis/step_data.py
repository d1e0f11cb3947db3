"""Input and result types of analysis steps, and how the input is assembled."""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pandas as pd
from joblib import cpu_count

from analysis.leak_guard import guarded
from biomarkers.features.feature_table import Features, feature_table
from biomarkers.features.phases import PhaseOf, trim_all
from datamodules.clips.measurement_coverage import NothingMeasured, coverage
from datamodules.manifests.manifest import Manifest, Recording
from datamodules.manifests.questionnaires import subscale
from datamodules.progress import Progress
from datamodules.schema import IDS
from datamodules.series import Series
from datamodules.series.checks.mixed_units import check_units, level
from datamodules.splits.partition import Split
from engine.cohort.data_facts import data_facts
from engine.cohort.leak_check import audit_leaks
from engine.cohort.splits import checked_splits, report_split
from engine.config.build import build, build_all
from engine.runs.provenance import RunManifest
from evaluation.report.page import Section

_log = logging.getLogger(__name__)

_SHOWN = 10  # recordings named in a note
_PER_WORKER = 1000  # recordings that are worth the start of a process (our choice)


@dataclass(frozen=True, eq=False)
class Material:
    """Input of every step: recordings, their series, features and labels, folds.

    Series and features are those of the `phase` that the analysis asks for, None where it asks for none.
    `data` is the node of the config that names the files, for whatever reads them itself, as networks do;
    `folder` is where such a step may keep what it has finished. `leaked` names the features that were asked
    to repeat the questionnaire, `accepted` are the patterns of `accept_leaks`; `warnings` tell who is left
    out.
    """

    manifest: Manifest
    recordings: Sequence[Recording]
    series: Sequence[Series]
    features: Features
    splits: Sequence[Split]
    phase: str | None = None
    leaked: tuple[str, ...] = ()
    accepted: tuple[str, ...] = ()
    data: Mapping[str, Any] = field(default_factory=dict)
    folder: Path = Path()
    warnings: tuple[str, ...] = ()

    @property
    def labels(self) -> pd.DataFrame:
        """Ids and labels, a row a recording."""
        return self.manifest.table


@dataclass(frozen=True, eq=False)
class Finding:
    """Result of a step: sections of the page, and tables by file name."""

    sections: Sequence[Section]
    tables: Mapping[str, pd.DataFrame]


def read_material(config: Mapping[str, Any], record: RunManifest) -> Material:
    """Read manifest, folds, series and features of a config; the guard checks every fold and feature."""
    manifest = build(config["data"]["manifest"], key="data.manifest")
    splits = checked_splits(config, manifest)
    recordings = manifest.recordings()
    source = build(config["data"]["module"]["source"], key="data.module.source").prepared(recordings)
    phase = build(config["analysis"].get("phase"), key="analysis.phase")
    asked = None if phase is None else str(phase)
    given = len(manifest.notes)
    manifest, series = _measured_series(manifest, source, phase)
    if len(series) < len(recordings):  # the folds are those of the recordings that are left
        recordings, splits = manifest.recordings(), checked_splits(config, manifest)
    check_units(
        {one.recording_id: level(own) for one, own in zip(recordings, series, strict=True)},
        series[0].channels,
    )
    for split in splits:
        report_split(manifest, split, record=record)
    extractors = build_all(config["analysis"]["extractors"], key="analysis.extractors")
    workers = min(cpu_count(), 1 + len(recordings) // _PER_WORKER)
    features = feature_table(list(zip(recordings, series, strict=True)), extractors, workers=workers)
    allowed = config["accept_leaks"]
    names = [*map(str, features.table), *map(str, manifest.table)]
    audit_leaks(manifest, splits[0], source, accepted=allowed, record=record, others=names)
    table, leaked = guarded(features.table, series, manifest, allowed=allowed)
    features = replace(features, table=table)
    record.record(
        experiment=config["analysis"]["name"],
        splits=[split.name for split in splits],
        phase=asked,
        leaks_on_purpose=[*record.content["leaks_on_purpose"], *leaked],
        **data_facts(manifest, splits),
    )
    return Material(
        manifest,
        recordings,
        series,
        features,
        splits,
        phase=asked,
        leaked=leaked,
        accepted=tuple(allowed),
        data=config["data"],
        folder=record.folder,
        warnings=manifest.notes[given:],
    )


def _measured_series(manifest: Manifest, source: Any, phase: PhaseOf | None) -> tuple[Manifest, list[Series]]:
    """The recordings that hold a measurement in the phase, and their series."""
    recordings = manifest.recordings()
    series = [source.series(recording) for recording in Progress(recordings, desc="Series", unit="rec")]
    return measured_only(manifest, series if phase is None else trim_all(recordings, series, phase))


def measured_only(manifest: Manifest, series: Sequence[Series]) -> tuple[Manifest, list[Series]]:
    """The recordings that hold a measurement, and their series; log and notes name the others.

    Raises:
        NothingMeasured: None does.
    """
    ids = manifest.table["recording_id"].tolist()
    lacking = {name: found for name, one in zip(ids, series, strict=True) if (found := coverage(one)).fault}
    if not lacking:
        return manifest, list(series)
    if len(lacking) == len(ids):
        raise NothingMeasured("analyze", lacking)
    for name, found in lacking.items():
        _log.warning("%s is left out of the analysis: %s", name, found.reason)
    note = (
        f"{len(lacking)} of {len(ids)} recordings hold no measurement and are left out: "
        f"{', '.join(list(lacking)[:_SHOWN])}{' ...' if len(lacking) > _SHOWN else ''}"
    )
    kept = [row for row, name in enumerate(ids) if name not in lacking]
    table = manifest.table.iloc[kept].reset_index(drop=True)
    return replace(manifest, table=table, notes=(*manifest.notes, note)), [series[row] for row in kept]


def feature_columns(material: Material, *ends: str) -> pd.DataFrame:
    """The ids and the features whose names end in one of `ends`.

    Raises:
        ValueError: An end has none.
    """
    table = material.features.table
    for end in ends:
        if not any(str(name).endswith(end) for name in table):
            raise ValueError(
                f"no feature ends in {end!r}; the extractors give e.g. {', '.join(table.columns[3:8])}"
            )
    names = [name for name in table if str(name).endswith(ends)]
    return table[[*IDS, *names]]


def scale_totals(material: Material, scales: Sequence[str]) -> pd.DataFrame:
    """`recording_id` and a total a scale, row by row of the manifest; NaN where an item is unanswered.

    Raises:
        ItemError: The manifest lacks the items of a scale, or holds answers that cannot be.
        ValueError: There are no items of that name.
    """
    table = material.manifest.table
    totals = {name: subscale(name).within(table).total(table, missing="unknown") for name in scales}
    return pd.DataFrame({"recording_id": table["recording_id"], **totals})
