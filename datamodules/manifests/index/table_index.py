"""The index of a manifest file: its checked table in the user's cache, by the digest of the file's bytes."""

import hashlib
import logging
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pandas as pd
import pyarrow as pa  # type: ignore[import-untyped]

from datamodules.manifests.index.arrow_table import from_arrow, to_arrow
from datamodules.manifests.index.remarks import Remark
from datamodules.manifests.index.sealed_file import Damaged, read_sealed, write_sealed
from datamodules.user_cache import cache_folder

_log = logging.getLogger(__name__)

LEAST = 256 * 2**10  # bytes of a file, our choice: smaller tables are read and checked in a second


@dataclass(frozen=True, eq=False)
class Checked:
    """A table without a fault, its digest, and what its checks warned of."""

    table: pd.DataFrame
    digest: str
    remarks: list[Remark]


@dataclass(frozen=True)
class TableIndex:
    """Where the index of a file is, and what it must have been made of.

    Attributes:
        place: Of the checked table.
        folders: Of the folders of its files.
        source: SHA-256 of the bytes of the file.
        name: Of the manifest, which its warnings begin with.
    """

    place: Path
    folders: Path
    source: str
    name: str

    def load(self) -> Checked | None:
        """The checked table, mapped; None where there is none of these bytes and these checks."""
        try:
            stored, head = read_sealed(self.place)
        except FileNotFoundError:
            return None
        except (OSError, Damaged, pa.ArrowException) as fault:
            _log.warning("%s is damaged (%s): the manifest is read and checked again", self.place, fault)
            return None
        if (head["source"], head["name"], head["checks"]) != (self.source, self.name, _checks()):
            return None
        return Checked(from_arrow(stored), head["digest"], [(*remark,) for remark in head["remarks"]])

    def save(self, checked: Checked) -> None:
        """Store a checked table; a disk that refuses is only warned of."""
        head = {"source": self.source, "name": self.name, "checks": _checks(), "digest": checked.digest}
        try:
            write_sealed(self.place, to_arrow(checked.table), head | {"remarks": checked.remarks})
        except OSError as fault:
            _log.warning(
                "%s cannot be written (%s): the next start reads and checks the manifest again",
                self.place,
                fault,
            )


def index_of(source: Path, name: str) -> TableIndex | None:
    """The index of a manifest file; None for one so small that it needs none."""
    if source.stat().st_size < LEAST:
        return None
    # one index a file: that of a changed table takes the place of its forerunner
    key = hashlib.sha256(str(source).encode()).hexdigest()
    folder = cache_folder("manifests")
    return TableIndex(folder / f"{key}.table", folder / f"{key}.folders", digest_of(source), name)


def digest_of(source: Path) -> str:
    """SHA-256 of the bytes of a file."""
    with source.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


@cache
def _checks() -> str:
    """Digest of the code of the checks, so that a table is checked anew by new ones."""
    room = Path(__file__).resolve().parents[1]
    found = hashlib.sha256(pd.__version__.encode())
    for file in sorted(room.rglob("*.py")):
        found.update(file.read_bytes())
    return found.hexdigest()
