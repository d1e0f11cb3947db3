"""The report of a run as it may leave the machine, and pictures of it: `shared/` in the folder of the run."""

import base64
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from engine.cohort.data_facts import DESCRIBED
from engine.inference.results import Assessment
from engine.runs.atomic_write import put
from engine.tracking.public_config import public_config, told
from evaluation.report import figures
from evaluation.report.learning_curves import training_curves
from evaluation.report.report import forest_lines, write_report
from evaluation.report.style import png
from evaluation.summary import with_reasons

FOLDER = "shared"


def write_shared(
    folder: Path, found: Assessment, *, config: Mapping[str, Any], record: Mapping[str, Any]
) -> tuple[Path, tuple[Path, ...]]:
    """Write page and pictures to `shared/` below the folder of a run.

    Left out are filmstrips, every mark that stands for one recording or person, names of either, free text
    that may hold one, and the command line.

    Args:
        folder: Of the run, with its `history.csv`.
        found: Its results.
        config: Its resolved config, plain.
        record: Content of its `manifest.json`.

    Returns:
        The page, and the pictures.
    """
    place = folder / FOLDER
    path = folder / "history.csv"
    history = pd.read_csv(path) if path.is_file() else None
    tables = [table for table in (found.val, found.test) if table is not None]
    metrics = {
        name: part
        for name, part in with_reasons(found.metrics).items()
        if name not in ("change", "unmeasured")
    }
    content = told(record) | {
        "config": public_config(config),
        "parts": {f"split {i}": _sizes(split) for i, split in enumerate(_splits(record), 1)},
        "skipped": _counted(record.get("skipped") or {}),
        "title": config["experiment_name"],
    }
    page = place / "report.html"
    write_report(
        page,
        metrics=metrics,
        predictions=pd.concat(tables, ignore_index=True),
        manifest=content,
        history=history,
        notes=[record["unselected"]] if record.get("unselected") else (),
        thresholds=found.threshold.as_dict(),
        persons=False,
    )
    return page, _pictures(place, found, metrics, config=config, record=record, history=history)


def _splits(record: Mapping[str, Any]) -> list[Mapping[str, Mapping[str, Any]]]:
    return list((record.get("parts") or {}).values())


def _sizes(split: Mapping[str, Mapping[str, Any]]) -> dict[str, dict[str, Any]]:
    """Counts of a split without the ages, sexes and places of its persons."""
    return {
        part: {name: value for name, value in counts.items() if name not in (*DESCRIBED, "age")}
        for part, counts in split.items()
    }


def _counted(skipped: Mapping[str, str]) -> dict[str, str]:
    """As many entries as recordings were skipped, without their names."""
    return {f"recording {i}": "named in the folder of the run" for i in range(1, len(skipped) + 1)}


def _pictures(
    place: Path,
    found: Assessment,
    metrics: Mapping[str, Any],
    *,
    config: Mapping[str, Any],
    record: Mapping[str, Any],
    history: pd.DataFrame | None,
) -> tuple[Path, ...]:
    choice: Any = {"chosen": (record.get("chosen") or {}).get("epoch"), "form": png}
    choice["monitor"] = str(config["selection"]["monitor"])
    drawn = {
        "training": None if history is None else training_curves(history, **choice),
        "references": figures.reference_forest(forest_lines(metrics), form=png),
        "roc": figures.roc(found.test, threshold=found.threshold.value, form=png),
        "calibration": figures.calibration(found.test, form=png),
    }
    paths = []
    for name, uri in drawn.items():
        if uri is not None:
            paths.append(place / f"{name}.png")
            put(paths[-1], base64.b64decode(uri.partition(",")[2]))
    return tuple(paths)
