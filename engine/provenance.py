"""`manifest.json`: what ran, on which code and data, and how it ended."""

import json
import os
import platform
import sys
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import torch

from engine.compose import config_hash
from engine.environment import git_state, hardware, package_versions
from engine.targets import trusted

FILE = "manifest.json"


class RunManifest:
    """Writes `manifest.json` when a run starts and again when it ends, in whatever way it ends.

    Used as a context manager. Both writes are atomic, so that a reader never sees half a file; a run that was
    killed keeps the status `running`.

    Args:
        folder: The run's folder.
        config: Resolved config, plain.
        writes: False on the ranks that only help to compute.
    """

    def __init__(self, *, folder: Path, config: Mapping[str, Any], writes: bool = True) -> None:
        self._path = folder / FILE
        self._writes = writes
        self._clock = time.monotonic()
        earlier = read_manifest_json(folder)
        self._content: dict[str, Any] = {
            "status": "running",
            "started": datetime.now(UTC).isoformat(timespec="seconds"),
            "argv": [Path(sys.argv[0]).name, *sys.argv[1:]],
            "config_hash": config_hash(config),
            "git": git_state(),
            "python": platform.python_version(),
            "packages": package_versions(),
            "trust": list(trusted()),
            "hardware": hardware(),
            "seed": config.get("seed"),
            "threads": torch.get_num_threads(),
            "test_looks": earlier.get("test_looks", 0),
            "looks": earlier.get("looks", {}),
        }

    def record(self, **facts: Any) -> None:
        """Add or replace facts, e.g. `data_digest`, `split`, `wall_s`."""
        self._content |= facts
        self._write()

    @property
    def folder(self) -> Path:
        """The run's folder."""
        return self._path.parent

    @property
    def content(self) -> dict[str, Any]:
        """What is known so far."""
        return dict(self._content)

    def count_look(self) -> None:
        """Count one look at the run's test set: every look is a chance to choose by it."""
        digest = self._content.get("data_digest")
        self.record(**_looked(self._content, None if digest is None else f"{digest}:test", own=True))

    def __enter__(self) -> Self:
        self._write()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        status = "finished" if error is None else f"failed: {kind.__name__ if kind else 'Error'}: {error}"
        self.record(
            status=status,
            exit_status=0 if error is None else 1,
            ended=datetime.now(UTC).isoformat(timespec="seconds"),
            wall_s=round(time.monotonic() - self._clock, 2),
        )

    def _write(self) -> None:
        if self._writes:
            write_json(self._path, self._content)


def add_look(folder: Path, *, digest: str, own: bool = True) -> int | None:
    """Count a later look at test data of a finished run, in that run's `manifest.json`.

    A look at a fold is also one at the cross-validation that it belongs to.

    Args:
        folder: The run's folder.
        digest: Of the manifest that was looked at.
        own: Whether it was the run's own test part, and not all of another manifest.

    Returns:
        Looks at these data so far, or None if the run left no manifest or its folder cannot be written.
    """
    content = read_manifest_json(folder)
    if not content:
        return None
    key = f"{digest}:test" if own else f"{digest}:all"
    try:
        write_json(folder / FILE, content | _looked(content, key, own=own))
        for whole in _whole(folder):
            outer = read_manifest_json(whole)
            write_json(whole / FILE, outer | _looked(outer, key, own=own))
    except OSError:  # an archived run: the caller reports that the look was not counted
        return None
    changed = read_manifest_json(folder)
    return int(changed["test_looks"] if own else changed["looks"][key])


def _looked(content: Mapping[str, Any], key: str | None, *, own: bool) -> dict[str, Any]:
    """The counts after one more look: `test_looks` at the run's test part, `looks` by manifest and part."""
    looks = dict(content.get("looks") or {})
    if key is not None:
        looks[key] = looks.get(key, 0) + 1
    return {"test_looks": int(content.get("test_looks", 0)) + own, "looks": looks}


def _whole(folder: Path) -> list[Path]:
    """Runs above a folder that name it among their folds."""
    above = list(folder.resolve().parents)[:2]  # fold_0, or repeat_0/fold_0
    named = [(place, folder.resolve().relative_to(place).as_posix()) for place in above]
    return [place for place, name in named if name in read_manifest_json(place).get("folds", [])]


def read_manifest_json(folder: Path) -> dict[str, Any]:
    """The run's `manifest.json`, or an empty dict where there is none."""
    path = folder / FILE
    return dict(json.loads(path.read_text(encoding="utf-8"))) if path.is_file() else {}


def write_json(path: Path, content: Any) -> None:
    """Write JSON through a neighboring file that then takes the name, so that no reader sees a part of it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f".{path.name}.partial")
    partial.write_text(json.dumps(content, indent=2, allow_nan=False, default=str) + "\n", encoding="utf-8")
    os.replace(partial, path)  # noqa: PTH105 - atomic on every platform, which is the point
