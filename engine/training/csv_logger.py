"""Lightning's CSV logger, changed to keep the rows of an interrupted run when it is resumed."""

import csv
import io
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from lightning_fabric.loggers.logger import rank_zero_experiment
from pytorch_lightning.loggers import CSVLogger
from pytorch_lightning.utilities import rank_zero_only

from engine.runs.atomic_write import put


class KeptCSVLogger(CSVLogger):
    """Writes `metrics.csv`; rows of an earlier start stay, up to the step that the run goes on from.

    Lightning's own deletes the file when it begins. Rows that were not yet on disk when a run was killed are
    lost here; `history.csv` of the run has every epoch.
    """

    _settled = False

    @property
    @rank_zero_experiment
    def experiment(self) -> Any:
        """The writer of Lightning, begun behind the rows that are there."""
        if self._experiment is None:
            path, aside = self._path, self._path.with_name(".metrics.csv.kept")
            if path.is_file():
                path.replace(aside)
            writer = super().experiment
            if aside.is_file():
                writer.metrics_keys = _write(path, *_read(aside))
                aside.unlink()
        return self._experiment

    @rank_zero_only
    def log_metrics(self, metrics: Any, step: int | None = None) -> None:
        """Log; the first step to be logged replaces what was logged from that step on."""
        writer = self.experiment
        if not self._settled and step is not None and self._path.is_file():
            names, rows = _read(self._path)
            writer.metrics_keys = _write(
                self._path, names, [row for row in rows if float(row["step"]) < step]
            )
        self._settled = True
        super().log_metrics(metrics, step)

    @property
    def _path(self) -> Path:
        return Path(self.log_dir) / "metrics.csv"


def _read(path: Path) -> tuple[list[str], list[dict[str, str]]]:
    """Names and whole rows; what a kill cut short is left out."""
    reader = csv.DictReader(path.read_text(encoding="utf-8", errors="replace").splitlines())
    names = list(reader.fieldnames or ())
    if "step" not in names:
        return [], []
    whole = (row for row in reader if None not in row and None not in row.values())
    return names, [row for row in whole if row["step"].isdigit()]


def _write(path: Path, names: list[str], rows: list[dict[str, str]]) -> list[str]:
    """Write what is left and return the names of its header; no file where nothing is left."""
    if not rows:
        path.unlink(missing_ok=True)
        return []
    write_rows(path, names, rows, lost="what was logged before; history.csv has it")
    return names


def write_rows(path: Path, names: list[str], rows: Sequence[Mapping[str, Any]], *, lost: str) -> None:
    """Write rows as a whole CSV file, cells of absent names left empty.

    Raises:
        DiskError: It could not be written, so that `lost` is lost; the file is what it was.
    """
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, fieldnames=names, extrasaction="ignore")
    writer.writeheader()
    writer.writerows(rows)
    put(path, text.getvalue().encode(), lost=lost)
