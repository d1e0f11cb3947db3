"""Files of made data: put in place in one step, and known by the digest of what was made."""

from __future__ import annotations

import hashlib
import io
import json
import os
import platform
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

_ABANDONED_S = 3600.0  # our choice; a partial file of a live process is written to all the time


def partial_path(path: Path) -> Path:
    """Where a process writes a file before it takes its name; no two processes write to the same place."""
    return path.with_name(f".{path.stem}.{_host()}-{os.getpid()}{path.suffix}")


def put(path: Path, data: bytes) -> str:
    """Write a file in one step, so that a crash leaves nothing under its name; return its SHA-256."""
    partial = partial_path(path)
    try:
        partial.write_bytes(data)
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)
    return hashlib.sha256(data).hexdigest()


def put_series(path: Path, values: npt.NDArray[np.float32], **facts: Any) -> str:
    """Write a series (T, F) with its channels, rate and valid rows as NPZ; return the file's SHA-256."""
    stream = io.BytesIO()
    np.savez(stream, values=values, **facts)
    return put(path, stream.getvalue())


def put_sealed(path: Path, content: Mapping[str, Any]) -> None:
    """Write a dict of plain values as JSON together with its own digest."""
    put(path, json.dumps(dict(content) | {"digest": _digest(content)}).encode())


def read_sealed(path: Path) -> dict[str, Any] | None:
    """Read what `put_sealed` wrote; None if it is missing or no longer what was written."""
    try:
        content = json.loads(path.read_bytes())
    except (FileNotFoundError, ValueError):  # cut short, or bytes that are no text
        return None
    if not isinstance(content, dict) or content.pop("digest", None) != _digest(content):
        return None
    return content


def intact(path: Path, digest: str) -> bool:
    """Whether a file is there and still what was made."""
    try:
        with path.open("rb") as stream:
            return hashlib.file_digest(stream, "sha256").hexdigest() == digest
    except FileNotFoundError:
        return False


def sweep(folder: Path) -> None:
    """Remove partial files that nobody will finish: of dead processes of this machine, or long untouched."""
    for file in folder.glob(".*"):
        host, _, process = file.suffixes[-2][1:].rpartition("-") if len(file.suffixes) > 1 else ("", "", "")
        if not process.isdigit():
            continue
        dead = host == _host() and not _alive(int(process))
        if dead or time.time() - file.stat().st_mtime > _ABANDONED_S:
            file.unlink(missing_ok=True)


def _host() -> str:
    return "".join(letter for letter in platform.node() if letter.isalnum()) or "host"


def _alive(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:  # somebody else's, hence alive
        pass
    return True


def _digest(content: Mapping[str, Any]) -> str:
    return hashlib.sha256(json.dumps(dict(content), sort_keys=True).encode()).hexdigest()
