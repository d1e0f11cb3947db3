"""Write the result files of a run: `predictions.csv`, `changes.csv`, `metrics.json`, `report.html`."""

import logging
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from engine.inference.results import Assessment
from engine.runs.atomic_write import writing
from engine.runs.provenance import RunManifest, write_json
from evaluation.report.figures import AttentionExample
from evaluation.report.report import write_report
from evaluation.summary import with_reasons
from evaluation.tables.predictions import write_predictions

_log = logging.getLogger(__name__)


def write_run(
    folder: Path,
    found: Assessment,
    *,
    config: Mapping[str, Any],
    record: RunManifest,
    attention: Sequence[AttentionExample] = (),
    notes: Sequence[str] = (),
    groups: Mapping[str, Any] | None = None,
) -> None:
    """Write the results of a run to its folder.

    Args:
        folder: The run's folder.
        found: Tables and numbers.
        config: Resolved config of the run.
        record: The run's `manifest.json`.
        attention: Clips for the report's filmstrips.
        notes: Remarks below the report's headline.
        groups: Results by group, where an audit was asked for.
    """
    tables = [table for table in (found.val, found.test) if table is not None]
    predictions = pd.concat(tables, ignore_index=True)
    with writing(folder / "predictions.csv", lost="predictions; the checkpoints are whole"):
        write_predictions(folder / "predictions.csv", predictions, unmeasured=found.unmeasured)
    if len(found.changes):
        with writing(folder / "changes.csv", lost="changes between visits; predictions are whole"):
            found.changes.to_csv(folder / "changes.csv", index=False)
    metrics = with_reasons(found.metrics)
    write_json(folder / "metrics.json", metrics)
    _log.info("writing the report")
    history = folder / "history.csv"
    facts = {"title": config["experiment_name"], "config": dict(config), "wall_s": record.elapsed}
    with writing(folder / "report.html", lost="the page; predictions and metrics are whole"):
        write_report(
            folder / "report.html",
            metrics=metrics,
            predictions=predictions,
            manifest=record.content | facts,
            history=pd.read_csv(history) if history.is_file() else None,
            attention=attention,
            notes=notes,
            thresholds=found.threshold.as_dict(),
            changes=found.changes,
            groups=groups,
        )
