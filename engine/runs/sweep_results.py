"""Hydra callback that says which job of a sweep runs, and ends the sweep in a table of its jobs."""

import logging
from collections.abc import Sequence
from math import inf, prod
from pathlib import Path
from typing import Any

from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.utils import JobReturn, JobStatus
from hydra.experimental.callback import Callback
from omegaconf import DictConfig, OmegaConf

from datamodules.commands import typed
from engine.runs.provenance import read_manifest_json

_log = logging.getLogger(__name__)


class SweepResults(Callback):
    """Counts the jobs of a sweep and writes `seeds.csv` or `jobs.csv` into its folder.

    Seeds end in mean, spread and Student's interval of validation and test, never in a best one. Jobs of
    different settings are compared by validation alone: a table of their test results would choose by them.
    """

    def __init__(self) -> None:
        self._sweep: DictConfig | None = None

    def on_multirun_start(self, config: DictConfig, **kwargs: Any) -> None:
        """Keep the config of the sweep."""
        del kwargs
        self._sweep = config

    def on_job_start(self, config: DictConfig, **kwargs: Any) -> None:
        """Say which job begins, and with what."""
        del kwargs
        if self._sweep is not None:
            _log.info("%s begins: %s", self._count(config), " ".join(_swept(config, self._sweep)))

    def on_job_end(self, config: DictConfig, job_return: JobReturn, **kwargs: Any) -> None:
        """Say in one line what came out of it."""
        del kwargs
        if self._sweep is None:
            return
        folder = Path(str(config.hydra.runtime.output_dir))
        if job_return.status != JobStatus.COMPLETED:
            _log.warning("%s failed: %s", self._count(config), folder)
            return
        told = f"{OmegaConf.select(config, 'selection.monitor')} {_number(job_return.return_value)}"
        _log.info("%s ends: %s, in %s", self._count(config), told, folder)

    def on_multirun_end(self, config: DictConfig, **kwargs: Any) -> None:
        """Write and show the table of all finished jobs in the folder of the sweep."""
        del kwargs
        jobs = finished_jobs(Path(str(config.hydra.sweep.dir)))
        if jobs:
            _log.info("%s", sweep_summary(Path(str(config.hydra.sweep.dir)), jobs))

    def _count(self, config: DictConfig) -> str:
        number = int(config.hydra.job.num) + 1
        assert self._sweep is not None
        return f"job {number} of {job_count(self._sweep.hydra)}"


def job_count(hydra: DictConfig) -> int:
    """How many jobs a sweep has: all combinations of the values that are given."""
    given = [f"{name}={value}" for name, value in (hydra.sweeper.get("params") or {}).items()]
    parsed = OverridesParser.create().parse_overrides([*given, *map(str, hydra.overrides.task)])
    latest = {one.get_key_element(): one for one in parsed}
    return prod(len(list(one.sweep_string_iterator())) for one in latest.values() if one.is_sweep_override())


def finished_jobs(folder: Path) -> list[tuple[Path, list[str]]]:
    """The finished runs below the folder of a sweep in the order of their numbers, with their overrides."""
    jobs = []
    for place in (path.parent for path in folder.glob("*/manifest.json")):
        given = sorted(place.glob(".hydra/*/overrides.yaml"))
        if given and read_manifest_json(place).get("status") == "finished":
            jobs.append((place, [str(one) for one in OmegaConf.load(given[-1])]))
    return sorted(jobs, key=lambda job: (len(job[0].name), job[0].name))


def sweep_summary(folder: Path, jobs: Sequence[tuple[Path, list[str]]]) -> str:
    """Write the table of a sweep and return what its last lines say.

    Args:
        folder: Of the sweep.
        jobs: Folder and overrides of each finished job.
    """
    # they take seconds to import, which help and a misspelt override need not wait for
    from engine.runs.results_table import run_row, write_results
    from engine.runs.terminal import shown
    from evaluation.report.terminal_summary import block
    from evaluation.uncertainty.scale_limits import span_of

    varied = [[one for one in given if any(one not in other for _, other in jobs)] for _, given in jobs]
    seeds = len(jobs) > 1 and all(one.startswith("seed=") for own in varied for one in own)
    names = [f"{place.name}: {' '.join(own)}" for (place, _), own in zip(jobs, varied, strict=True)]
    rows = [(name, run_row(place)) for name, (place, _) in zip(names, jobs, strict=True)]
    if not seeds:
        rows = [(name, {key: row[key] for key in row if not key.startswith("test/")}) for name, row in rows]
    path = folder / ("seeds.csv" if seeds else "jobs.csv")
    summary = ("mean", "sd", "low", "high") if seeds else ()
    span = span_of(read_manifest_json(jobs[0][0])) if jobs else inf
    text = write_results(path, rows, name="seed" if seeds else "job", summary=summary, span=span)
    told = [("table", shown(path))]
    following = f"{typed('compare')} {shown(folder)} <another run or sweep>"
    ends = ", low to high: 95 % interval of the mean over seeds" if seeds else ""
    title = f"{len(jobs)} jobs are finished{ends}"
    return f"\n{text}\n{block(title, [*told, ('next', following)])}"


def _swept(config: DictConfig, sweep: DictConfig) -> list[str]:
    """The overrides of a job that its sweep varies."""
    fixed = set(map(str, sweep.hydra.overrides.task))
    return [str(one) for one in config.hydra.overrides.task if str(one) not in fixed]


def _number(value: Any) -> str:
    return f"{value:.4f}" if isinstance(value, float) else "-"
