"""The folder of a cache: entries, what they were made with, and the tables that are made of them."""

import json
import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager, suppress
from dataclasses import dataclass
from hashlib import file_digest
from pathlib import Path
from typing import Any
from unicodedata import normalize

import numpy as np
import pandas as pd

from datamodules.manifests.made_up import mark
from datamodules.synthetic.files import intact, partial_path, put, put_sealed, read_sealed, sweep
from datamodules.wording import first_few
from preprocessing.cache.claim import claim
from preprocessing.cache.entry import Cell, Entry, file_stem, source_facts
from preprocessing.cache.fingerprint import differences, fingerprint

RECORD = "preprocessing.json"
FOLDERS = ("clips", "series", "sheets", "entries")
_COLUMNS = {"clip": "path", "series": "series_path", "tokens": "tokens_path"}
"""Column of the manifest that names the file of each kind."""
_REFUSED = ("recording_id", "path", "reason")


class CacheError(ValueError):
    """A folder that cannot be the cache of these settings, or of these recordings."""


@dataclass(frozen=True)
class Cache:
    """A cache; any number of processes may write to it, on any machine that sees the folder.

    Args:
        folder: Where it lies.
        fingerprint: Of what it is made with.
    """

    folder: Path
    fingerprint: str

    @classmethod
    def open(
        cls,
        folder: Path,
        *,
        settings: Mapping[str, Any],
        provenance: Mapping[str, Any],
        kinds: Sequence[str] = FOLDERS,
    ) -> "Cache":
        """Begin a cache, or go on with one; partial files of dead processes are removed.

        Args:
            folder: Where it lies.
            settings: Plain settings of the pipeline, without paths.
            provenance: Versions, and digests and licenses of networks.
            kinds: Folders of its files, `entries` among them.

        Raises:
            CacheError: It was made with other settings, or its record is damaged.
        """
        made = fingerprint(settings, provenance)
        record = {"fingerprint": made, "settings": dict(settings), "provenance": dict(provenance)}
        for name in kinds:
            (folder / name).mkdir(parents=True, exist_ok=True)
        cache = cls(folder, made)
        cache.sweep()
        known = _first_to_write(folder / RECORD, record)
        if known.get("fingerprint") != made:
            raise _other(folder, known, record)
        return cache

    def sweep(self) -> None:
        """Remove the partial files of processes that are dead."""
        for folder in (self.folder, *(one for one in self.folder.iterdir() if one.is_dir())):
            sweep(folder)

    def record(self) -> dict[str, Any]:
        """Content of `preprocessing.json`."""
        return _read_record(self.folder / RECORD)

    def place(self, recording_id: str, kind: str, suffix: str) -> Path:
        """Path of a file of a recording; `kind` names its folder."""
        return self.folder / kind / f"{file_stem(recording_id)}{suffix}"

    def claim(self, recording_id: str) -> AbstractContextManager[bool]:
        """Whether this process is to work on a recording now, see `preprocessing.cache.claim`."""
        return claim(self.folder / "claims" / f"{file_stem(recording_id)}.lock")

    def entry(self, recording_id: str) -> Entry | None:
        """The entry of a recording; None if there is none, or it is not what was written.

        Raises:
            CacheError: The file system gives the file of another id, which it takes for the same name.
        """
        found = self._read(self.place(recording_id, "entries", ".json"))
        if found is not None and found.recording_id != recording_id:
            raise _one_name(found.recording_id, recording_id)
        return found

    def _read(self, path: Path) -> Entry | None:
        content = read_sealed(path)
        found = None if content is None else Entry.read(content)
        return found if found is not None and found.fingerprint == self.fingerprint else None

    def put(self, entry: Entry) -> None:
        """Write an entry, last of all files of its recording, in one step."""
        put_sealed(self.place(entry.recording_id, "entries", ".json"), entry.plain())

    def described(self, path: Path) -> dict[str, Cell]:
        """What an entry keeps of a file of the cache: place, size and SHA-256."""
        with path.open("rb") as file:
            digest = file_digest(file, "sha256").hexdigest()
        place = path.relative_to(self.folder).as_posix()
        return {"path": place, "size": path.stat().st_size, "sha256": digest}

    def finished(self, recording_id: str, source: Path, tracked: Path | None = None) -> Entry | None:
        """The entry of a recording that is done: its sources and its files are what they were.

        A file that was touched after its entry was written, as by a copy or a change, is read again and the
        entry written anew. Bytes that turned without a trace in the folder, as on a failing disk, are not
        seen here. A file that is deleted is made again.

        Raises:
            OSError: The entry cannot be written.
        """
        entry = self.entry(recording_id)
        if entry is None or not entry.final:
            return None
        try:
            if not _is_same(entry.source, source_facts(source, tracked), source):
                return None
            touched = self._touched(entry)
            if not all(intact(self.folder / str(one["path"]), str(one["sha256"])) for one in touched):
                return None
        except OSError:  # one is gone
            return None
        if touched:
            self.put(entry)  # so that they are read once
        return entry

    def _touched(self, entry: Entry) -> list[Mapping[str, Cell]]:
        """Files of another size than their entry says, or whose content or name was set after it."""
        written = self.place(entry.recording_id, "entries", ".json").stat().st_mtime_ns
        found = []
        for one in entry.files.values():
            status = (self.folder / str(one["path"])).stat()
            if status.st_size != one["size"] or max(status.st_mtime_ns, status.st_ctime_ns) > written:
                found.append(one)
        return found

    def once(
        self, recording_id: str, source: Path, tracked: Path | None, make: Callable[[], Entry]
    ) -> Entry | None:
        """The entry of a recording, made unless it is done; None where another process is at it now.

        Raises:
            OSError: The cache cannot be written.
        """
        with self.claim(recording_id) as mine:
            if not mine:
                return None
            entry = self.finished(recording_id, source, tracked)
            if entry is None:
                entry = make()
                self.put(entry)
            return entry

    def entries(self) -> list[Entry]:
        """All entries, by id."""
        found = [self._read(path) for path in (self.folder / "entries").glob("[!.]*.json")]
        return sorted((one for one in found if one is not None), key=lambda one: one.recording_id)

    def assemble(self, *, synthetic: bool) -> list[Entry]:
        """Write `manifest.csv` and `refused.csv` of all entries that there are, and return these.

        Of several commands, the last to end has all: it looks again after it has written.

        Args:
            synthetic: Whether the persons are made up.
        """
        if synthetic:
            mark(self.folder)
        entries = None
        while entries != (found := self.entries()):
            entries = found
            put(self.folder / "manifest.csv", _table([_row(one) for one in entries if one.used]))
            refused = [one for one in entries if not one.used]
            rows = [(one.recording_id, one.source["path"], "; ".join(one.reasons)) for one in refused]
            text = pd.DataFrame(rows, columns=list(_REFUSED)).to_csv(index=False)
            put(self.folder / "refused.csv", text.encode())
        with suppress(OSError):
            (self.folder / "claims").rmdir()  # unless another command is at work
        return found


def check_names(recording_ids: Iterable[str]) -> None:
    """Stop where files of two recordings are one file on some file systems, to which a cache may be copied.

    Those of macOS and Windows take names for the same that differ by case, or by Unicode's composition.

    Raises:
        CacheError: Names two ids.
    """
    known: dict[str, str] = {}
    for name in recording_ids:
        key = normalize("NFC", normalize("NFC", file_stem(name)).casefold())
        if known.setdefault(key, name) != name:
            raise _one_name(known[key], name)


def _one_name(first: str, second: str) -> CacheError:
    return CacheError(
        f"recordings {first!a} and {second!a} differ by case or by the composition of letters alone, and "
        "would share their files where file systems do not tell them apart. Rename one"
    )


def cells(row: Mapping[str, Any]) -> dict[str, Cell]:
    """Cells of a row that say something, as plain values."""
    plain = {name: value.item() if isinstance(value, np.generic) else value for name, value in row.items()}
    return {
        name: value for name, value in plain.items() if value is not None and value != "" and value == value
    }


def _is_same(was: Mapping[str, Cell], now: Mapping[str, Cell], source: Path) -> bool:
    """Whether sources are what they were; a file at another place may have size and time by chance."""
    if {**was, "path": "", "sha256": ""} != {**now, "path": "", "sha256": ""}:
        return False
    if was["path"] == now["path"]:
        return True
    with source.open("rb") as file:
        return was["sha256"] == file_digest(file, "sha256").hexdigest()


def _row(entry: Entry) -> dict[str, Cell]:
    """A row of the manifest: ids and files first."""
    paths = {
        "path": "",
        **{_COLUMNS[kind]: one["path"] for kind, one in entry.files.items() if kind in _COLUMNS},
    }
    ids = {name: entry.labels[name] for name in ("recording_id", "subject_id", "session_id")}
    return {**ids, **paths, **entry.labels, **entry.facts}


def _table(rows: list[dict[str, Cell]]) -> bytes:
    columns = dict.fromkeys(name for row in rows for name in row)
    head = ["recording_id", "subject_id", "session_id", "path", "series_path"]
    table = pd.DataFrame(rows, columns=list(columns) or head, dtype=object)
    return table.to_csv(index=False).encode()


def _first_to_write(path: Path, record: Mapping[str, Any]) -> dict[str, Any]:
    """Write the record unless there is one; return the one that is there then."""
    if not path.is_file():
        partial = partial_path(path)
        partial.write_text(json.dumps(record, indent=2), encoding="utf-8")
        try:
            os.link(partial, path)  # fails where another command was faster
        except FileExistsError:
            pass
        except OSError:  # a file system without hard links
            partial.replace(path)
        partial.unlink(missing_ok=True)
    return _read_record(path)


def _read_record(path: Path) -> dict[str, Any]:
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        if not isinstance(content, dict) or not isinstance(content.get("settings"), dict):
            raise TypeError("it is no record of settings")
    except (ValueError, TypeError) as error:
        raise CacheError(
            f"{path}: cannot be read ({error}). Restore it from a copy, or delete it and give the command "
            "that made the folder once more: what was done by the same settings stays."
        ) from error
    return content


def _other(folder: Path, known: Mapping[str, Any], record: Mapping[str, Any]) -> CacheError:
    parts = ("settings", "provenance")
    told = [line for part in parts for line in differences(known.get(part) or {}, record[part])]
    return CacheError(
        f"{folder}: holds what was made in another way ({first_few(told, shown=3, between='; ')}). "
        "One training must not mix the two: give the same settings, or a new folder with output=..."
    )
