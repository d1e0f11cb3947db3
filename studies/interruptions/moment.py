"""Moments at which a training is interrupted, drawn over its progress on disk instead of the clock.

A machine under load stretches a run unevenly: a moment drawn over its seconds mostly meets its start. Here it
is a mark that the run leaves behind (a begun step, a written table) and a share of the way to the next.
"""

import csv
import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

BEFORE = ("start", "folder", "data", "audit", "logs")
AFTER = ("trained", "looked", "tables", "report")
END = "finished"
PLACES = ("before", "training", "after")
_PAGE = 4096  # bytes: a tmpfs holds whole pages


def marks(run: Path, *, epochs: int | None) -> list[str]:
    """Marks that a run has passed, in their order, `step 1` and so on for training steps that have begun.

    Args:
        run: Its folder.
        epochs: How many it trains, by which its end of training is known; None while nobody knows.
    """
    record = _read(run / "manifest.json")
    passed = {
        "start": True,
        "folder": bool(record),
        "data": '"data_digest"' in record,
        "audit": (run / "leak_audit.json").is_file(),
        "logs": (run / "logs").is_dir(),
        **{f"step {number}": True for number in range(1, _steps(run) + 1)},
        "trained": _trained(run, epochs),
        "looked": '"look_begun": true' in record,
        "tables": (run / "predictions.csv").is_file(),
        "report": (run / "report.html").is_file(),
        END: '"status": "finished"' in record,
    }
    return [name for name, reached in passed.items() if reached]


def place(mark: str) -> str:
    """What a mark belongs to: `before` training, `training`, or what comes `after` it."""
    return "before" if mark in BEFORE else "training" if mark.startswith("step") else "after"


def choose(times: Mapping[str, float], where: str, position: float) -> tuple[str, float]:
    """The mark to wait for, and the seconds to wait after it.

    Args:
        times: Seconds at which the uninterrupted run passed its marks, in their order.
        where: One of `PLACES`.
        position: From 0 to below 1, over the marks of that place.
    """
    names = list(times)
    index, share = divmod(position * sum(place(name) == where for name in names if name != END), 1)
    mark = [name for name in names if place(name) == where][int(index)]
    following = names[names.index(mark) + 1]
    return mark, share * max(0.0, times[following] - times[mark])


def used(folder: Path) -> int:
    """Bytes that the files of a folder take on a file system of pages, hard links once."""
    sizes = {}
    for path in folder.rglob("*"):
        try:
            found = path.stat()
        except OSError:  # renamed in this moment
            continue
        if path.is_file():
            sizes[found.st_ino] = math.ceil(found.st_size / _PAGE) * _PAGE
    return sum(sizes.values())


def epochs_of(run: Path) -> int:
    """Epochs that a run has written to its history."""
    return max(0, len(_read(run / "history.csv").splitlines()) - 1)


def status(run: Path) -> str:
    """How a run says that it ended, without the reason."""
    record = _read(run / "manifest.json")
    told: dict[str, Any] = json.loads(record) if record else {"status": "no record yet"}
    return str(told["status"]).partition(":")[0]


def _trained(run: Path, epochs: int | None) -> bool:
    """Whether the state after the last epoch is on disk, which follows the epoch's row."""
    if epochs is None or epochs_of(run) < epochs:
        return False
    try:
        row, state = (run / name for name in ("history.csv", "checkpoints/last.ckpt"))
        return state.stat().st_mtime_ns >= row.stat().st_mtime_ns
    except OSError:
        return False


def _steps(run: Path) -> int:
    """Training steps that have begun: the learning rate is logged at the start of each."""
    rows = csv.DictReader(_read(run / "logs" / "metrics.csv").splitlines())
    return sum(any(str(name).startswith("lr") and value for name, value in row.items()) for row in rows)


def _read(path: Path) -> str:
    try:
        return path.read_text()
    except OSError:
        return ""
