"""Arrow tables on disk behind a SHA-256: mapped when they are read, and refused where a byte differs."""

import hashlib
import json
import mmap
from pathlib import Path
from typing import Any

import pyarrow as pa  # type: ignore[import-untyped]

from datamodules.user_cache import replacing

_MAGIC = b"euthymia table 1\n"
_ALIGNED = 64


class Damaged(ValueError):
    """A file is not what was written to it."""


def write_sealed(place: Path, table: pa.Table, head: dict[str, Any]) -> None:
    """Write a table and some plain facts about it, under its name only when all is written.

    Raises:
        OSError: The folder cannot be written to.
    """
    # first the magic word and the digest of all that follows, then the head, its length, and the table
    text = json.dumps(head).encode()
    text += b" " * (-(len(_MAGIC) + 64 + 16 + len(text)) % _ALIGNED)
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table.combine_chunks())
    body = memoryview(sink.getvalue())
    digest = hashlib.sha256(b"%16d" % len(text) + text)
    digest.update(body)
    with replacing(place) as part:
        for piece in (_MAGIC, digest.hexdigest().encode(), b"%16d" % len(text), text, body):
            part.write(piece)


def read_sealed(place: Path) -> tuple[pa.Table, dict[str, Any]]:
    """The table, whose memory is that of the mapped file, and the facts about it.

    Raises:
        FileNotFoundError: There is none.
        Damaged: It is cut, or a byte of it differs.
    """
    with place.open("rb") as file:
        try:
            view = memoryview(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ))
        except ValueError as fault:  # an empty file cannot be mapped
            raise Damaged("it is empty") from fault
    start = len(_MAGIC) + 64
    if view[: len(_MAGIC)] != _MAGIC:
        raise Damaged("it begins otherwise")
    if hashlib.sha256(view[start:]).hexdigest().encode() != view[len(_MAGIC) : start]:
        raise Damaged("its digest differs")
    size = int(bytes(view[start : start + 16]))
    body = start + 16 + size
    head: dict[str, Any] = json.loads(bytes(view[start + 16 : body]))
    with pa.ipc.open_stream(pa.py_buffer(view[body:])) as reader:
        return reader.read_all(), head
