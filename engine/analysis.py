"""An analysis of series: material read once, sections of a page, tables as files; see conf/analyze.yaml."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pandas as pd

from biomarkers.features import Features, feature_table
from datamodules.guard import check_split
from datamodules.manifest import Manifest, Recording
from datamodules.series import Series
from datamodules.splits import Split
from engine.build import build, build_all
from engine.compose import ConfigError
from engine.provenance import RunManifest
from engine.run import report_split
from engine.seed import seed_run
from engine.targets import check_targets
from evaluation.bootstrap import check_resamples
from evaluation.page import Section, write_page

_EXTRA = ("aeon", "xgboost", "statsmodels")
LIMITS = (
    "Research software. Group differences describe the people of this table; they are not a diagnosis of "
    "anybody. Estimators were fitted inside the training part of each fold; descriptions of groups and of "
    "clusters use everybody and say so."
)


@dataclass(frozen=True, eq=False)
class Material:
    """What every step of an analysis reads: recordings, their series and labels, features, folds."""

    manifest: Manifest
    recordings: Sequence[Recording]
    series: Sequence[Series]
    labels: pd.DataFrame
    features: Features
    splits: Sequence[Split]


@dataclass(frozen=True, eq=False)
class Finding:
    """What a step leaves: sections of the page, and tables by file name."""

    sections: Sequence[Section]
    tables: Mapping[str, pd.DataFrame]


def analyze(config: Mapping[str, Any], *, folder: Path) -> list[Finding]:
    """Run the steps of an analysis and write `analysis.html`, `tables/*.csv` and `manifest.json`.

    Args:
        config: Resolved config of `conf/analyze.yaml`, plain.
        folder: Where everything is written.

    Raises:
        LeakageError: The split leaks, or a channel carries the label.
        ForbiddenTarget: The config names a callable outside the allow-list.
        ConfigError: A package of the extra `analysis` is not installed.
    """
    check_targets(dict(config))
    check_extra()
    check_resamples(config["evaluation"]["n_boot"])
    seed_run(config["seed"])
    with RunManifest(folder=folder, config=config) as record:
        steps = build_all(config["analysis"]["steps"], key="analysis.steps")  # before a cohort is made
        material = read_material(config, record)
        boot = {name: config["evaluation"][name] for name in ("n_boot", "seed")}
        found = [step(material, **boot) for step in steps]
        for name, table in {k: v for finding in found for k, v in finding.tables.items()}.items():
            (folder / "tables").mkdir(parents=True, exist_ok=True)
            table.to_csv(folder / "tables" / f"{name}.csv", index=False)
        manifest = material.manifest
        write_page(
            folder / "analysis.html",
            title=config["analysis"]["title"],
            subtitle=f"{manifest.name}: {len(material.recordings)} recordings, {_persons(material)} persons",
            sections=[section for finding in found for section in finding.sections],
            limits=LIMITS,
            notes=[*config["analysis"]["notes"], *manifest.notes],
        )
    return found


def check_extra() -> None:
    """Stop with the remedy where the packages of the extra `analysis` are missing.

    Raises:
        ConfigError: Names them.
    """
    missing = [name for name in _EXTRA if find_spec(name) is None]
    if missing:
        raise ConfigError(
            f"analyses need {', '.join(missing)}: pip install -c constraints.txt -e '.[analysis]'"
        )


def read_material(config: Mapping[str, Any], record: RunManifest) -> Material:
    """Manifest, folds, series and features of a config; the guard has looked at every fold."""
    manifest = build(config["data"]["manifest"], key="data.manifest")
    protocol = build(config["protocol"], key="protocol")
    splits = protocol.splits(manifest)
    for split in splits:
        check_split(manifest, split, subject_disjoint=protocol.subject_disjoint)
        report_split(manifest, split, record=record)
    recordings = manifest.recordings()
    source = build(config["data"]["module"]["source"], key="data.module.source").prepared(recordings)
    series = [source.series(recording) for recording in recordings]
    extractors = build_all(config["analysis"]["extractors"], key="analysis.extractors")
    features = feature_table(list(zip(recordings, series, strict=True)), extractors)
    record.record(
        data=manifest.name,
        data_digest=manifest.digest(),
        recordings=len(recordings),
        splits=[split.name for split in splits],
        errata=[str(erratum) for erratum in manifest.errata],
        data_notes=list(manifest.notes),
    )
    return Material(manifest, recordings, series, _labels(manifest), features, splits)


def _labels(manifest: Manifest) -> pd.DataFrame:
    known = ("recording_id", "subject_id", "session_id", "binary", "score", "sex", "age")
    return manifest.table[[name for name in known if name in manifest.table]]


def _persons(material: Material) -> int:
    return len({recording.subject_id for recording in material.recordings})
