"""What the check said of a tree, held against what is in it."""

import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

from studies.xray.plants import STATISTICAL

ROOT = Path(__file__).resolve().parents[2]
LIMIT = 600  # seconds that one command may take

Alarm = Mapping[str, Any]


def asked(words: Sequence[str], answer: Path) -> dict[str, Any]:
    """Ask `datamodules.checks.validate` in a process of its own.

    Args:
        words: Of its command line, the data.
        answer: File for its answer; the cache of the command lies beside it.

    Returns:
        `alarms` and `looked` as answered, None where there was no answer; `status`, and the last lines of the
        error output.
    """
    answer.unlink(missing_ok=True)
    done = subprocess.run(
        [sys.executable, "-m", "datamodules.checks.validate", *words, "xray=true", f"json={answer}"],
        cwd=ROOT, env=os.environ | {"XDG_CACHE_HOME": str(answer.parent / "cache")},
        capture_output=True, text=True, timeout=LIMIT, check=False,
    )  # fmt: skip
    told: dict[str, Any] = {"status": done.returncode, "stderr": done.stderr[-2000:]}
    if not answer.is_file():
        return told | {"alarms": None, "looked": None}
    content = json.loads(answer.read_text(encoding="utf-8"))
    return told | {"alarms": content["alarms"], "looked": content["looked"]}


def found(kind: str, named: Sequence[str], alarms: Sequence[Alarm]) -> Alarm | None:
    """The alarm of this kind that names one of these, the one that names most of them; None where none does.

    Args:
        kind: That must be said.
        named: Recordings, files, columns, or patterns of facts. Facts may be in the text of the alarm, ids
            and files only in `where`.
        alarms: All that were raised.
    """
    own = [alarm for alarm in alarms if alarm["kind"] == kind]
    counts = [hits(kind, named, alarm) for alarm in own]
    if not any(counts):
        return None
    return own[max(range(len(own)), key=counts.__getitem__)]


def hits(kind: str, named: Sequence[str], alarm: Alarm) -> int:
    """How many of the planted names an alarm has in it."""
    where = {str(one).lower() for one in alarm["where"]}
    if kind not in STATISTICAL:
        return sum(any(_is(one, name.lower()) for one in where) for name in named)
    patterns = [name.lower() for name in named]
    count = sum(any(fnmatchcase(one, pattern) for one in where) for pattern in patterns)
    words = str(alarm["text"]).lower()
    return count or sum("*" in pattern and fnmatchcase(words, f"*{pattern}*") for pattern in patterns)


def strangers(named: Sequence[str], alarm: Alarm) -> int:
    """How many names in an alarm about recordings were not planted: who names all has found nothing."""
    return sum(not any(_is(str(one).lower(), name.lower()) for name in named) for one in alarm["where"])


def _is(told: str, name: str) -> bool:
    """Whether a name was told, or a file as it is called from a folder further down."""
    return told == name or ("/" in told and name.endswith(f"/{told}"))
