"""The command `analyze.py`: run the steps of an analysis and write their page and tables."""

import logging
from collections.abc import Iterator, Mapping, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from analysis.leak_guard import leak_notes
from analysis.step_data import Finding, Material, read_material
from analysis.steps.missing_features import measured
from engine.config.build import build_all
from engine.config.compose import ConfigError
from engine.config.targets import check_targets, trusting
from engine.config.value_ranges import check_settings
from engine.runs.provenance import RunManifest
from engine.runs.quiet_warnings import quiet
from engine.runs.seed import seed_run
from engine.runs.terminal import conclude, shown
from evaluation.report.page import write_page
from evaluation.report.sections.leak_section import leak_section
from evaluation.uncertainty.bootstrap import Resampling

_log = logging.getLogger(__name__)
_EXTRA = ("aeon", "xgboost", "statsmodels", "shap", "captum")
LIMITS = (
    "Research software. Group differences describe the persons of this table; they are not a diagnosis of "
    "anybody. Estimators were fitted inside the training part of each fold; descriptions of groups and of "
    "clusters use everybody and say so."
)


@trusting
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
    quiet()
    check_targets(dict(config))
    check_extra()
    check_settings(config)
    seed_run(config["seed"])
    with RunManifest(folder=folder, config=config) as record:
        steps = build_all(config["analysis"]["steps"], key="analysis.steps")  # before a cohort is made
        _log.info("reading the recordings of data.manifest, or making them")
        material = read_material(config, record)
        resampling = Resampling.of(config)
        found = [*_found(steps, material, resampling), measured(material)]
        for name, table in {k: v for finding in found for k, v in finding.tables.items()}.items():
            (folder / "tables").mkdir(parents=True, exist_ok=True)
            table.to_csv(folder / "tables" / f"{name}.csv", index=False)
        manifest, title = material.manifest, config["analysis"]["title"]
        persons = manifest.table["subject_id"].nunique()
        sections = [section for finding in found for section in finding.sections]
        write_page(
            folder / "analysis.html",
            title=title,
            record=record.content | {"wall_s": record.elapsed},
            subtitle=f"{len(material.recordings)} recordings of {persons} persons",
            sections=[
                *sorted(sections, key=lambda section: not section.faces),  # what faces say comes first
                leak_section(record.content["leak_audit"]),
            ],
            limits=LIMITS,
            notes=[
                *leak_notes(material.leaked),
                *([f"Only {material.phase}"] if material.phase else []),
                *material.warnings,
                *(f"Split {split.name}: {note}" for split in material.splits for note in split.notes),
            ],
            about=[
                *config["analysis"]["notes"],
                *(note for note in manifest.notes if note not in material.warnings),
            ],
        )
    rows = [("tables", f"{shown(folder / 'tables')} ({len(list(folder.glob('tables/*.csv')))} files)")]
    following = [f"open {shown(folder / 'analysis.html')} in a browser"]
    conclude("analysis is finished", folder, rows=rows, following=following)
    return found


def _found(steps: Sequence[Any], material: Material, resampling: Resampling) -> Iterator[Finding]:
    for number, step in enumerate(steps, 1):
        _log.info("step %d of %d: %s", number, len(steps), type(step).__name__)
        yield step(material, resampling)


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
