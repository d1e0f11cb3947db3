"""Tells the loggers of a run what it is, what came out of it, and how it ended."""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from engine.config.build import build_all
from engine.runs.provenance import RunManifest, read_manifest_json
from engine.runs.ranks import is_main
from engine.tracking.public_config import public_config, told
from engine.tracking.sweep_place import place_of
from engine.tracking.tracker import End, Results, RunFacts, Tracker

if TYPE_CHECKING:
    from engine.inference.results import Assessment

_log = logging.getLogger(__name__)
_RESULTS = ("predictions.csv", "report.html")


class RunTracking:
    """The loggers of a run, from its beginning to its end; a context manager.

    A run that goes on does so under the ids of its trackers, which `manifest.json` keeps in `tracked`.

    Args:
        config: Resolved config, plain.
        record: The run's `manifest.json`.
        kind: In place of what the folder says, see `RunFacts`.

    Attributes:
        loggers: For the trainer.
    """

    def __init__(self, config: Mapping[str, Any], *, record: RunManifest, kind: str | None = None) -> None:
        self.loggers = build_all(config["logger"], key="logger")
        self._trackers = {
            name: logger
            for name, logger in zip(_used(config["logger"]), self.loggers, strict=True)
            if isinstance(logger, Tracker) and is_main()
        }
        self._config, self._record, self._kind = config, record, kind
        self._summary: dict[str, float | int | str] = {}

    def __enter__(self) -> Self:
        if not self._trackers:
            return self
        name, kind, group = place_of(self._record.folder, self._config, whole=self._record.whole)
        if self._kind is not None:  # the folds of a run stand beside what is pooled of them
            fold = self._record.folder / "fold_0"
            name, kind, group = (
                f"{name} {self._kind}",
                self._kind,
                place_of(fold, self._config, whole=fold.parent)[2],
            )
        config = public_config(self._config) | {"run": told(self._record.content)}
        facts = RunFacts(name=name, kind=kind, group=group, config=config)
        tracked = dict(self._record.content.get("tracked") or {})
        for key, tracker in self._trackers.items():
            earlier = (tracked.get(key) or {}).get("id")
            tracked[key] = asdict(tracker.begin(facts, earlier=earlier))
        self._record.record(tracked=tracked)
        return self

    def results(self, found: "Assessment", *, checkpoint: Path | None = None) -> None:
        """Tell what was measured, as far as it may leave the machine; on the first rank.

        Args:
            found: The results, whose files are in the run's folder already.
            checkpoint: Of the chosen epoch.
        """
        if not self._trackers:
            return
        # with all that a report needs, which the first step of a training need not wait for
        from engine.tracking.shared_page import write_shared

        folder, record = self._record.folder, self._record.content
        page, figures = write_shared(folder, found, config=self._config, record=record)
        self._summary = summary_of(found.metrics)
        results = Results(
            page=page,
            figures=figures,
            checkpoint=checkpoint,
            persons=tuple(folder / name for name in _RESULTS),
        )
        for tracker in self._trackers.values():
            tracker.conclude(results)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        del kind, trace
        summary = self._summary | chosen_epoch(self._record.content)
        for name, tracker in self._trackers.items():
            try:
                tracker.end(_status(error), summary)
            except Exception as fault:
                if error is None:
                    raise
                # what stopped the run is said, not what followed from it
                _log.warning("logger %s could not be told how the run ended: %s", name, fault)


def _used(nodes: Mapping[str, Any] | None) -> list[str]:
    """Names of the loggers that are switched on, in their order."""
    return [name for name, node in (nodes or {}).items() if node is not None]


def _status(error: BaseException | None) -> End:
    """How a run ended. What an error says is not told: it may name a recording."""
    if error is None:
        return "finished"
    return "failed" if isinstance(error, Exception) else "interrupted"


def summary_of(metrics: Mapping[str, Any]) -> dict[str, float | int | str]:
    """Metrics of the test part in one flat table, with the ends of their intervals.

    Args:
        metrics: Content of `metrics.json`.

    Examples:
        >>> summary_of({"test": {"auc": {"value": 0.8, "low": 0.7, "high": 0.9}, "counts": {"subjects": 20}}})
        {'test/auc': 0.8, 'test/auc_low': 0.7, 'test/auc_high': 0.9, 'test/subjects': 20}
    """
    found: dict[str, Any] = {}
    for name, one in metrics["test"].items():
        if isinstance(one, Mapping) and "value" in one:
            found |= {f"test/{name}": one["value"]}
            found |= {f"test/{name}_{end}": one.get(end) for end in ("low", "high")}
    found |= {f"test/{name}": count for name, count in (metrics["test"].get("counts") or {}).items()}
    return {name: value for name, value in found.items() if isinstance(value, int | float | str)}


def chosen_epoch(record: Mapping[str, Any]) -> dict[str, float | int | str]:
    """The epoch that validation chose, counted from 0, its value, and the size of the network.

    Args:
        record: Content of `manifest.json`.
    """
    chosen, parameters = record.get("chosen"), record.get("parameters")
    found = {"best/epoch": chosen["epoch"], f"best/{chosen['monitor']}": chosen["value"]} if chosen else {}
    return found | ({} if parameters is None else {"parameters": parameters})


def looks(folder: Path) -> list[tuple[str, str]]:
    """Rows of the last lines of a command: how to look at what the trackers have of a run and of its folds.

    Args:
        folder: Of the run.
    """
    record = read_manifest_json(folder)
    rows = {key: [one["look"]] for key, one in (record.get("tracked") or {}).items()}
    for fold in record.get("folds") or ():
        for key, one in (read_manifest_json(folder / fold).get("tracked") or {}).items():
            shown = rows.setdefault(key, [])
            if not shown or not one["look"].startswith(
                shown[0]
            ):  # else the first one shows the folds as well
                shown.append(one["look"])
    return [(key, "\n".join(commands)) for key, commands in rows.items()]


def trackers_of(loggers: Sequence[Any]) -> list[Tracker]:
    """Those of the loggers that are told more than metrics."""
    return [one for one in loggers if isinstance(one, Tracker)]
