"""The manifest: the validated table, one row per recording, that every data set is converted to."""

import logging
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa  # type: ignore[import-untyped]
import pyarrow.compute as pc  # type: ignore[import-untyped]
from numpy.typing import NDArray

from datamodules.manifests.cells import parse_cells
from datamodules.manifests.columns import (
    FEATURES,
    LABELS,
    NUMBERS,
    TEXT,
    check_columns,
    file_columns,
    unused_columns,
)
from datamodules.manifests.errata import Erratum
from datamodules.manifests.index import remarks
from datamodules.manifests.index.arrow_table import text_of
from datamodules.manifests.index.file_presence import Folders, changed, keep, kept, looked_at
from datamodules.manifests.index.recordings import TRAITS, Recording, Recordings, columns_read
from datamodules.manifests.index.shared_columns import SharedColumns
from datamodules.manifests.index.table_digest import table_digest
from datamodules.manifests.index.table_index import Checked, TableIndex, digest_of, index_of
from datamodules.manifests.made_up import is_made_up, truth_of
from datamodules.manifests.preprocessing import FILE, BadPreprocessing, Preprocessing, preprocessing_of
from datamodules.manifests.probing import facts_file, fill_facts
from datamodules.manifests.refused_recordings import refused_notes
from datamodules.manifests.scales import SCALES
from datamodules.manifests.spelling import plain
from datamodules.manifests.table_file import FileFault, read_table
from datamodules.manifests.validation import check_files, check_table
from datamodules.manifests.validation.column_names import say_no_zero, say_unread
from datamodules.wording import nearest

_log = logging.getLogger(__name__)

__all__ = [
    "TRAITS",
    "Manifest",
    "ManifestError",
    "Recording",
    "manifest_from_table",
    "read_labels",
    "read_manifest",
    "relocate",
]


# A path that `pathlib` writes as it is: no empty part, and none that begins with a dot
_RELATIVE = re.compile(r"[A-Za-z0-9_-][^/\\:]*(/[A-Za-z0-9_-][^/\\:]*)*")


class ManifestError(ValueError):
    """A table that cannot be trusted; the message lists all of its faults."""


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

    def recordings(self, ids: Sequence[str] | None = None) -> Recordings:
        """Rows as records, all in table order or the given ids in the given order.

        Raises:
            ManifestError: An id is not in the table.
        """
        return Recordings(self._columns, self.root, None if ids is None else self._rows_of(ids))

    def rows(self, ids: Sequence[str] | None = None) -> list[int]:
        """Row numbers of recordings, in the given order.

        Raises:
            ManifestError: An id is not in the table.
        """
        return list(range(len(self.table))) if ids is None else self._rows_of(ids).tolist()

    def files(self) -> list[Path]:
        """Every file that the table names, absolute."""
        return files_of(self.table, self.root)

    def digest(self) -> str:
        """SHA-256 of the content of the table; the order of rows and columns and the folder do not matter.

        Labels that were taken away still count: the recordings are the same.
        """
        return self.full_digest if self.full_digest is not None else self._digest

    @cached_property
    def _digest(self) -> str:
        return table_digest(self.table)  # once: a run asks half a dozen times, and the table is never changed

    def without_labels(self, ids: Iterable[str] | None = None) -> "Manifest":
        """The same recordings with the labels of some of them missing, and without the truth behind any.

        Score, binary label, questionnaire items and traits become NaN, and columns that nothing reads become
        empty, as they may hold another label; who, where and how long stays.

        Args:
            ids: Whose labels to take away; None takes all.
        """
        table = self.table.copy(deep=False)  # columns that stay are shared
        hidden = slice(None) if ids is None else table["recording_id"].isin(set(ids))
        for name in [name for name in map(str, table) if name in LABELS or not _stays(name)]:
            table.loc[hidden, name] = np.nan if pd.api.types.is_numeric_dtype(table[name]) else ""
        return replace(self, table=table, truth=None, full_digest=self.digest())

    def write(self, path: Path) -> None:
        """Write the table as CSV or Parquet (by suffix) so that its paths are right in the new place."""
        target = Path(path).resolve()
        table = self.table.copy()
        for name in file_columns(table):
            table[name] = [relocate(value, self.root, target.parent) for value in table[name]]
        target.parent.mkdir(parents=True, exist_ok=True)
        if target.suffix == ".parquet":
            table.to_parquet(target, index=False)
        else:
            table.to_csv(target, index=False)

    @cached_property
    def _columns(self) -> SharedColumns:
        return columns_read(self.table)

    def _rows_of(self, ids: Sequence[str]) -> NDArray[np.int64]:
        names, asked = self.table["recording_id"], list(ids)
        found = pc.index_in(pa.array(asked, pa.large_string()), value_set=text_of(names))
        if found.null_count:
            wrong = asked[pc.index(pc.is_null(found), True).as_py()]
            raise ManifestError(f"{self.name}: no recording {wrong!r}{nearest(wrong, names.tolist())}")
        return np.asarray(found.to_numpy(), dtype=np.int64)


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
    name = source.parent.name if (source.parent / FILE).is_file() else source.stem
    found = _checked(source, name)
    given: dict[str, Any] = {"probe": probe, "mixed_preprocessing": mixed_preprocessing}
    return _manifest(found, root=source.parent, name=name, where=source, file=source, **given)


def read_labels(path: str | Path) -> Manifest:
    """Read and validate a table without looking for its files: who comes how often, with which labels.

    Raises:
        ManifestError: As in `read_manifest`, but for files.
    """
    source = Path(path).resolve()
    if not source.is_file():
        raise ManifestError(f"{source}: no such manifest; give a CSV or Parquet table")
    root, name = source.parent, source.stem
    table = _validated(_read(source), root=root, name=name, where=source, sums=True, files=False)
    made_up = is_made_up(root, files_of(table, root))
    return Manifest(table=table, root=root, name=name, truth=None, file=source, synthetic=made_up)


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
    table = _validated(table, root=root, name=name, where=where, sums=file is not None)
    given: dict[str, Any] = {"probe": probe, "mixed_preprocessing": mixed_preprocessing}
    return _manifest(_Checked(table, table), root=root, name=name, where=where, file=file, **given)


@dataclass(frozen=True, eq=False)
class _Checked:
    """A table without a fault, some rows of it with a file of every folder, and its digest where known."""

    table: pd.DataFrame
    beside: pd.DataFrame
    digest: str | None = None


def _checked(source: Path, name: str) -> _Checked:
    """The table of a file: from its index where that is of these bytes, else read, checked and indexed."""
    root, index = source.parent, index_of(source, name)
    if index is None:
        table = _validated(_read(source), root=root, name=name, where=source, sums=True)
        return _Checked(table, table)
    if (stored := index.load()) is None:
        folders = None
        with remarks.heard() as said:
            table = _validated(_read(source), root=root, name=name, where=source, sums=True)
        stored = Checked(table, table_digest(table), said)
        if remarks.all_speak() and digest_of(source) == index.source:  # not written to while it was read
            index.save(stored)
            stored = index.load() or stored  # mapped, so that other processes share it
    else:
        remarks.say(stored.remarks)
        folders = kept(index.folders, index.source)
    return _Checked(stored.table, _beside(stored.table, source, index, folders), stored.digest)


def _beside(table: pd.DataFrame, source: Path, index: TableIndex, known: Folders | None) -> pd.DataFrame:
    """Rows with a file of every folder, after a look for the files of those that changed.

    Raises:
        ManifestError: A file is gone.
    """
    root, look = source.parent, None if known is None else changed(known, source.parent)
    if look is None or look:
        known = looked_at(table, root)
        _stop(check_files(table, root, among=look), source)
        keep(known, index.folders, index.source)
    assert known is not None
    return table.iloc[known.some_rows()]


def _read(source: Path) -> pd.DataFrame:
    try:
        return read_table(source)
    except FileFault as fault:
        raise ManifestError(f"{source}: {fault}") from fault


def _stop(problems: Iterable[str], where: Path) -> None:
    if problems := list(problems):
        listed = "\n".join(f"  - {problem}" for problem in problems)
        raise ManifestError(f"{where}: {len(problems)} problem(s) in the manifest\n{listed}")


def _validated(
    table: pd.DataFrame, *, root: Path, name: str, where: Path, sums: bool, files: bool = True
) -> pd.DataFrame:
    """The parsed table, with what its checks warn of in the log.

    Raises:
        ManifestError: It has faults; all are listed.
    """
    table = table.reset_index(drop=True)
    table.columns = pd.Index([plain(str(column)) for column in table.columns])
    problems = check_columns(table)
    if not len(table):
        problems.append("the table has no rows")
    if not problems:
        table, problems = parse_cells(table)
        for column in file_columns(table):
            table[column] = [relocate(value, root, root) for value in table[column]]
        problems += check_table(table, root, sums=sums, files=files)
    _stop(problems, where)
    if unused := unused_columns(table):
        _log.warning("%s: columns nothing reads: %s", name, ", ".join(unused))
    say_unread(table, name)
    say_no_zero(table, name)
    return _derive_binary(table)


def _manifest(
    checked: _Checked,
    *,
    root: Path,
    name: str,
    where: Path,
    probe: bool,
    file: Path | None,
    mixed_preprocessing: bool,
) -> Manifest:
    """The manifest of a checked table: with the facts of its files, and of what lies beside them.

    Raises:
        ManifestError: What lies beside them is damaged, or of several kinds.
    """
    table, beside = checked.table, checked.beside
    try:
        preprocessing = preprocessing_of(beside, root, mixed=mixed_preprocessing)
        notes = refused_notes(beside, root)
    except BadPreprocessing as fault:
        raise ManifestError(f"{where}: {fault}") from fault
    if probe:
        table = fill_facts(table, root=root, sidecar=facts_file(root, name))
    for note in notes:
        _log.warning("%s: %s", name, note)
    made_up = is_made_up(root, files_of(beside, root))
    found = Manifest(
        table=table, root=root, name=name, truth=truth_of(root), file=file, synthetic=made_up,
        preprocessing=preprocessing, notes=notes,
    )  # fmt: skip
    if checked.digest is not None and table is checked.table:
        vars(found)["_digest"] = checked.digest  # of this very table: what is made of it has its own
    return found


def _stays(name: str) -> bool:
    """Whether a column without a label says who, where, how long, or in which file."""
    return name in {*TEXT, *NUMBERS} or name.startswith(FEATURES)


def _derive_binary(table: pd.DataFrame) -> pd.DataFrame:
    if "score" not in table or "scale" not in table:
        return table
    scale, score = table["scale"].to_numpy(dtype=object), table["score"].to_numpy(dtype=np.float64)
    binary = table["binary"].to_numpy(dtype=np.float64) if "binary" in table else np.full(len(table), np.nan)
    derived = binary.copy()
    for name in [name for name in set(scale.tolist()) if name]:
        scores, places = np.unique(score, return_inverse=True)
        labels = [np.nan if np.isnan(one) else float(SCALES[name].binary(one)) for one in scores.tolist()]
        missing = np.isnan(binary) & (scale == name)
        derived[missing] = np.array(labels)[places][missing]
    return table.assign(binary=derived)


def relocate(value: str, root: Path, folder: Path) -> str:
    """Rewrite a path relative to `root` as one relative to `folder`, absolute if it lies outside."""
    if not value:
        return ""
    if root == folder and _RELATIVE.fullmatch(value):
        return value  # as most are, and as the lines below would have it
    file = root / value  # links stay links: only the text of the path changes
    return file.relative_to(folder).as_posix() if file.is_relative_to(folder) else str(file)


def files_of(table: pd.DataFrame, root: Path) -> list[Path]:
    """Every file that a table names, absolute."""
    columns = [table[name].tolist() for name in file_columns(table)]
    return [root / value for column in columns for value in column if value]
