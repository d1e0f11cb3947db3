"""Size limits of feature files: larger files are refused before they are read."""

import struct
import zipfile
from pathlib import Path

import pyarrow.parquet as pq  # type: ignore[import-untyped]

from datamodules.series.series import UnreadableSeries

# Our choice: 18 hours at 30 rows/s, ten times the columns of the widest extractor, an hour of OpenFace's 714.
MAX_ROWS, MAX_COLUMNS, MAX_BYTES = 2_000_000, 20_000, 2 * 2**30
MAX_CELLS = 2**29  # 2 GiB of float32, rows by channels
LONGEST_LINE = 4 * 2**20  # bytes of one row of text
_DEFLATE = 1032  # what deflate can pack into a byte, at the most


def check_cells(path: Path, *, rows: int, columns: int) -> None:
    """Stop at a table too long, too wide, or too large in memory.

    Raises:
        UnreadableSeries: Names the file, its size and the limit.
    """
    for count, limit, what in ((rows, MAX_ROWS, "rows"), (columns, MAX_COLUMNS, "columns")):
        if count > limit:
            raise UnreadableSeries(
                f"{path}: {count:,} {what}, and a series may have {limit:,}; cut the recording into parts, "
                "or export the columns that are used"
            )
    if rows * columns > MAX_CELLS:
        raise UnreadableSeries(
            f"{path}: {rows:,} rows of {columns:,} channels, and a series may have {MAX_CELLS:,} cells; name "
            "the channels to use, or cut the recording into parts"
        )


def check_bytes(path: Path, size: int, *, what: str = "unpacked") -> None:
    """Stop at a file of too many bytes.

    Raises:
        UnreadableSeries: Names the file, its size and the limit.
    """
    if size > MAX_BYTES:
        raise UnreadableSeries(
            f"{path}: {size / 2**30:.1f} GiB {what}, and a series may have {MAX_BYTES / 2**30:.0f}; cut the "
            "recording into parts, or export the columns that are used"
        )


def check_file(path: Path) -> None:
    """Stop at a file that states that it is too large, without unpacking it.

    Raises:
        UnreadableSeries: Names the file, its size and the limit.
        OSError: It cannot be opened.
    """
    size = path.stat().st_size
    check_bytes(path, size, what="on disk")
    if path.suffix == ".gz" and size > 18:  # no smaller one holds anything
        with path.open("rb") as stream:
            stream.seek(-4, 2)
            stated = struct.unpack("<I", stream.read(4))[0]
        if stated <= _DEFLATE * size:  # else the file is cut and these are other bytes
            check_bytes(path, stated)
    elif path.suffix == ".npz":
        with zipfile.ZipFile(path) as archive:
            check_bytes(path, sum(entry.file_size for entry in archive.infolist()))
    elif path.suffix == ".parquet":
        stored = pq.ParquetFile(path).metadata
        groups = (stored.row_group(number) for number in range(stored.num_row_groups))
        check_bytes(path, sum(group.total_byte_size for group in groups))
        check_cells(path, rows=stored.num_rows, columns=min(stored.num_columns, MAX_COLUMNS + 1))
