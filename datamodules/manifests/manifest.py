"""The manifest: the validated table, one row per recording, that every data set is converted to."""

import hashlib
import logging
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from datamodules.manifests.cells import parse_cells
from datamodules.manifests.columns import FILES, LABELS, NUMBERS, TEXT, check_columns, unused_columns
from datamodules.manifests.errata import Erratum
from datamodules.manifests.made_up import is_made_up, truth_of
from datamodules.manifests.preprocessing import FILE, BadPreprocessing, Preprocessing, preprocessing_of
from datamodules.manifests.probing import facts_file, fill_facts
from datamodules.manifests.refused_recordings import refused_notes
from datamodules.manifests.scales import SCALES
from datamodules.manifests.spelling import plain
from datamodules.manifests.table_file import FileFault, read_table
from datamodules.manifests.validation import check_table
from datamodules.manifests.validation.column_names import say_no_zero, say_unread
from datamodules.wording import nearest

_log = logging.getLogger(__name__)

TRAITS = ("O", "C", "E", "A", "N")
"""The Big Five in the order of every batch; columns `trait_O` to `trait_N` of a manifest."""


class ManifestError(ValueError):
    """A table that cannot be trusted; the message lists all of its faults."""


@dataclass(frozen=True, kw_only=True)
class Recording:
    """One row of a manifest, paths absolute; an unknown `fps` or `n_frames` is 0, a missing label None.

    `traits` follow `TRAITS`, NaN where unknown.
    """

    recording_id: str
    subject_id: str
    session_id: str
    task: str
    path: Path | None
    series_path: Path | None
    landmark_path: Path | None
    tokens_path: Path | None
    fps: float
    n_frames: int
    scale: str | None
    score: float | None
    binary: int | None
    band: int | None
    traits: tuple[float, ...]


@dataclass(frozen=True, eq=False, kw_only=True)
class Manifest:
    """A validated table. Treat `table` as read-only: row numbers identify recordings in every batch.

    `errata` lists what was corrected on the way from the download, `notes` what readers of results must know,
    `full_digest` is the digest of the table before labels were taken away, `file` the table that was read,
    `synthetic` says that persons are made up, all or some, `preprocessing` how the recordings were made of
    raw videos, which no digest counts: None where `preprocess.py` did not make them.
    """

    table: pd.DataFrame
    root: Path
    name: str
    truth: Path | None
    errata: tuple[Erratum, ...] = ()
    notes: tuple[str, ...] = ()
    full_digest: str | None = None
    file: Path | None = None
    synthetic: bool = False
    preprocessing: Preprocessing | None = None

    def __str__(self) -> str:
        """What an error calls it: the file with its ending, or the name of a corpus."""
        return self.name if self.file is None else self.file.name

    def recordings(self, ids: Sequence[str] | None = None) -> list[Recording]:
        """Rows as records, all in table order or the given ids in the given order.

        Raises:
            ManifestError: An id is not in the table.
        """
        return [self._records[row] for row in self.rows(ids)]

    def rows(self, ids: Sequence[str] | None = None) -> list[int]:
        """Row numbers of recordings, in the given order.

        Raises:
            ManifestError: An id is not in the table.
        """
        if ids is None:
            return list(range(len(self.table)))
        position = self._rows
        for recording in ids:
            if recording not in position:
                raise ManifestError(f"{self.name}: no recording {recording!r}{nearest(recording, position)}")
        return [position[recording] for recording in ids]

    def files(self) -> list[Path]:
        """Every file that the table names, absolute."""
        columns = [self.table[name] for name in FILES if name in self.table]
        return [self.root / value for column in columns for value in column if value]

    def digest(self) -> str:
        """SHA-256 of the content of the table; the order of rows and columns and the folder do not matter.

        Labels that were taken away still count: the recordings are the same.
        """
        return self.full_digest if self.full_digest is not None else self._digest

    @cached_property
    def _digest(self) -> str:
        # once: a run asks half a dozen times, and the table is never changed
        table = self.table.sort_values("recording_id")
        lines = ["\x1f".join(sorted(map(str, table.columns)))]
        columns = [table[name].tolist() for name in sorted(map(str, table.columns))]
        lines += ["\x1f".join(_canonical(value) for value in row) for row in zip(*columns, strict=True)]
        return hashlib.sha256("\x1e".join(lines).encode()).hexdigest()

    def without_labels(self, ids: Iterable[str] | None = None) -> "Manifest":
        """The same recordings with the labels of some of them missing, and without the truth behind any.

        Score, binary label, questionnaire items and traits become NaN, and columns that nothing reads become
        empty, as they may hold another label; who, where and how long stays.

        Args:
            ids: Whose labels to take away; None takes all.
        """
        table = self.table.copy()
        hidden = slice(None) if ids is None else table["recording_id"].isin(set(ids))
        for name in [name for name in table if name in LABELS or name not in {*TEXT, *NUMBERS}]:
            table.loc[hidden, name] = np.nan if pd.api.types.is_numeric_dtype(table[name]) else ""
        return replace(self, table=table, truth=None, full_digest=self.digest())

    def write(self, path: Path) -> None:
        """Write the table as CSV or Parquet (by suffix) so that its paths are right in the new place."""
        target = Path(path).resolve()
        table = self.table.copy()
        for name in [name for name in FILES if name in table]:
            table[name] = [relocate(value, self.root, target.parent) for value in table[name]]
        target.parent.mkdir(parents=True, exist_ok=True)
        if target.suffix == ".parquet":
            table.to_parquet(target, index=False)
        else:
            table.to_csv(target, index=False)

    @cached_property
    def _rows(self) -> dict[str, int]:
        return {recording: row for row, recording in enumerate(self.table["recording_id"])}

    @cached_property
    def _records(self) -> list[Recording]:
        # once, and by columns: a run asks a dozen times, and single cells of a table are slow to get
        columns = {str(name): self.table[name].tolist() for name in self.table.columns}
        rows = zip(*columns.values(), strict=True)
        return [self._recording(dict(zip(columns, row, strict=True))) for row in rows]

    def _recording(self, value: dict[str, Any]) -> Recording:
        scale, score = value.get("scale") or None, _number(value.get("score"))
        binary = _number(value.get("binary"))
        return Recording(
            recording_id=value["recording_id"],
            subject_id=value["subject_id"],
            session_id=value["session_id"],
            task=value.get("task", ""),
            path=self._file(value["path"]),
            series_path=self._file(value.get("series_path", "")),
            landmark_path=self._file(value.get("landmark_path", "")),
            tokens_path=self._file(value.get("tokens_path", "")),
            fps=_number(value.get("fps")) or 0.0,
            n_frames=int(_number(value.get("n_frames")) or 0),
            scale=scale,
            score=score,
            binary=None if binary is None else int(binary),
            band=None if scale is None or score is None else SCALES[scale].band(score),
            traits=tuple(float(value.get(f"trait_{trait}", np.nan)) for trait in TRAITS),
        )

    def _file(self, value: str) -> Path | None:
        return self.root / value if value else None


def read_manifest(path: str | Path, *, probe: bool = True, mixed_preprocessing: bool = False) -> Manifest:
    """Read and validate a CSV or Parquet table; `binary` follows from score and scale where it is absent.

    Args:
        path: The table. Relative paths in it start at its folder. That of a cache has the folder's name.
        probe: Fill missing frame counts, rates, sizes, brightness and content hashes from the files. They
            are kept in the user's cache folder, so that a second start reads no video.
        mixed_preprocessing: Whether its recordings may be of several kinds of preprocessing.

    Raises:
        ManifestError: The file is missing or of another kind, or the table has faults; all are listed.
    """
    source = Path(path).resolve()
    if (source / "manifest.csv").is_file():
        raise ManifestError(f"{source}: is a folder; give the table in it, {Path(path) / 'manifest.csv'}")
    if not source.is_file():
        raise ManifestError(
            f"{source}: no such manifest; give a CSV or Parquet table with one row a recording"
        )
    try:
        table = read_table(source)
    except FileFault as fault:
        raise ManifestError(f"{source}: {fault}") from fault
    name = source.parent.name if (source.parent / FILE).is_file() else source.stem
    given: dict[str, Any] = {"probe": probe, "mixed_preprocessing": mixed_preprocessing}
    return manifest_from_table(table, root=source.parent, name=name, file=source, **given)


def manifest_from_table(
    table: pd.DataFrame,
    *,
    root: Path,
    name: str,
    probe: bool = True,
    file: Path | None = None,
    mixed_preprocessing: bool = False,
    where: Path | None = None,
) -> Manifest:
    """Validate a table that is already in memory; arguments and errors as in `read_manifest`.

    Args:
        table: Cells of any kind.
        root: Folder that relative paths start at.
        name: Of the manifest.
        probe: As in `read_manifest`.
        file: Where the table was read from. Its items must add up to its totals; the readers of corpora list
            those that do not.
        mixed_preprocessing: As in `read_manifest`.
        where: What errors name where there is no `file`: the table of labels, or the folder.

    Raises:
        ManifestError: The table has faults; all are listed.
    """
    where = file or where or root / name
    table = table.reset_index(drop=True)
    table.columns = pd.Index([plain(str(column)) for column in table.columns])
    problems = check_columns(table)
    if not len(table):
        problems.append("the table has no rows")
    if not problems:
        table, problems = parse_cells(table)
        for column in [column for column in FILES if column in table]:
            table[column] = [relocate(value, root, root) for value in table[column]]
        problems += check_table(table, root, sums=file is not None)
    if problems:
        listed = "\n".join(f"  - {problem}" for problem in problems)
        raise ManifestError(f"{where}: {len(problems)} problem(s) in the manifest\n{listed}")
    try:
        preprocessing = preprocessing_of(table, root, mixed=mixed_preprocessing)
        notes = refused_notes(table, root)
    except BadPreprocessing as fault:
        raise ManifestError(f"{where}: {fault}") from fault
    if unused := unused_columns(table):
        _log.warning("%s: columns nothing reads: %s", name, ", ".join(unused))
    say_unread(table, name)
    say_no_zero(table, name)
    table = _derive_binary(table)
    if probe:
        table = fill_facts(table, root=root, sidecar=facts_file(root, name))
    found = Manifest(table=table, root=root, name=name, truth=truth_of(root), file=file)
    for note in notes:
        _log.warning("%s: %s", name, note)
    made_up = is_made_up(root, found.files())
    return replace(found, synthetic=made_up, preprocessing=preprocessing, notes=notes)


def _derive_binary(table: pd.DataFrame) -> pd.DataFrame:
    if "score" not in table or "scale" not in table:
        return table
    given = table["binary"] if "binary" in table else [np.nan] * len(table)
    derived = [
        float(SCALES[scale].binary(score)) if np.isnan(label) and scale and not np.isnan(score) else label
        for label, scale, score in zip(given, table["scale"], table["score"], strict=True)
    ]
    return table.assign(binary=np.asarray(derived, dtype=np.float64))


def _number(value: float | None) -> float | None:
    return None if value is None or np.isnan(value) else float(value)


def _canonical(value: object) -> str:
    # Ten digits: what survives a CSV round trip on every platform.
    return format(value, ".10g") if isinstance(value, float) else str(value)


def relocate(value: str, root: Path, folder: Path) -> str:
    """Rewrite a path relative to `root` as one relative to `folder`, absolute if it lies outside."""
    if not value:
        return ""
    file = root / value  # links stay links: only the text of the path changes
    return file.relative_to(folder).as_posix() if file.is_relative_to(folder) else str(file)
