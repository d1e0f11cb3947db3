"""What wandb, TensorBoard and MLflow have stored of a run, read back without the code that wrote it."""

import base64
import gzip
import json
import re
import struct
import time
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any


def wandb_records(path: Path) -> Iterator[Any]:
    """Records of a `.wandb` file: a LevelDB log of 32 KiB blocks behind 7 bytes of its own."""
    from wandb.proto.wandb_internal_pb2 import Record

    content, at, part = path.read_bytes(), 7, b""
    assert content[:4] == b":W&B"
    while at + 7 <= len(content):
        left = 32768 - at % 32768
        if left < 7:
            at += left
            continue
        _, length, kind = struct.unpack("<IHB", content[at : at + 7])
        part += content[at + 7 : at + 7 + length]
        at += 7 + length
        if kind in (1, 4):  # a whole record, or the last piece of one
            record = Record()
            record.ParseFromString(part)
            part = b""
            yield record


def _items(entries: Any) -> dict[str, Any]:
    return {"/".join(one.nested_key) or one.key: json.loads(one.value_json) for one in entries}


def wandb_run(folder: Path) -> dict[str, Any]:
    """`run`, `config`, `summary`, `history` and `exit_code` of the one offline run in a folder."""
    (path,) = folder.glob("offline-run-*/run-*.wandb")
    for _ in range(100):  # a process of wandb's own writes the end
        if any(record.HasField("exit") for record in wandb_records(path)):
            break
        time.sleep(0.2)
    found: dict[str, Any] = {"run": None, "config": {}, "summary": {}, "history": [], "exit_code": None}
    for record in wandb_records(path):
        kind = record.WhichOneof("record_type")
        if kind == "run":
            found["run"] = record.run
        if kind == "config":
            found["config"] |= _items(record.config.update)
        if kind == "summary":
            found["summary"] |= _items(record.summary.update)
        if kind == "history":
            found["history"].append(_items(record.history.item))
        if kind == "exit":
            found["exit_code"] = record.exit.exit_code
    return found


def contents(path: Path) -> Iterator[bytes]:
    """The bytes of a file, and what is packed into them: pictures in a page, archives, records of wandb."""
    content = path.read_bytes()
    yield content
    for packed in re.findall(rb"base64,([A-Za-z0-9+/=]+)", content):
        yield base64.b64decode(packed)
    if content[:2] == b"\x1f\x8b":
        yield gzip.decompress(content)
    if zipfile.is_zipfile(path):
        with zipfile.ZipFile(path) as archive:
            yield from (archive.read(name) for name in archive.namelist())
    if path.suffix == ".wandb":
        yield from (str(record).encode() for record in wandb_records(path))


def holding(folder: Path, *words: str) -> dict[str, list[str]]:
    """Files below a folder whose name or content holds one of the words, in whatever case."""
    found: dict[str, list[str]] = {}
    for path in sorted(path for path in folder.rglob("*") if path.is_file() and not path.is_symlink()):
        texts = [str(path.relative_to(folder)).encode(), *contents(path)]
        hits = [word for word in words if any(word.lower().encode() in text.lower() for text in texts)]
        if hits:
            found[str(path.relative_to(folder))] = hits
    return found
