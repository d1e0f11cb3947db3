"""Provenance of a run (`manifest.json`): its command, config, code, data and hardware, and how it ended."""

import json
import logging
import shlex
import signal
import sys
import time
from collections.abc import Mapping
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from datamodules.commands import typed_script
from engine.config.compose import ConfigError
from engine.config.differences import config_hash, differences
from engine.config.installed import code_of
from engine.config.targets import trusted
from engine.runs.atomic_write import put, writing
from engine.runs.cluster import job, requeue
from engine.runs.environment import environment
from engine.runs.lock import FolderLock, is_held
from engine.runs.signals import Interrupted, Interruptions, announces

FILE = "manifest.json"
_log = logging.getLogger(__name__)


class RunFolderError(ConfigError):
    """A run's folder that cannot be used as it is."""


class Pruned(Exception):
    """A trial of a search that ends early because it is behind the others."""


class RunManifest:
    """Writes `manifest.json` when a run starts and again when it ends, in whatever way it ends.

    Used as a context manager, which holds the lock on the folder: one process a folder. All writes are
    atomic, so that a reader never sees half a file. A signal is written down as the end that it is; a run
    that was killed keeps the status `running`, and a later command sees that nobody holds its lock.

    Args:
        folder: The run's folder.
        config: Resolved config, plain.
        writes: False on the ranks that only help to compute.
        earlier: Folder of the run that this one goes on from; its looks at the test part are kept.
        whole: Folder of the run that this one is a fold of, with which it goes on.
        place: Where a command that takes no training steps is when it is interrupted, as in "before the
            first recording"; may be set anew while it runs.

    Raises:
        RunFolderError: `manifest.json` is damaged, or the folder holds a run of another config.
        FolderInUse: Another process writes to the folder.
        DiskError: The folder cannot be written.
    """

    def __init__(
        self,
        *,
        folder: Path,
        config: Mapping[str, Any],
        writes: bool = True,
        earlier: Path | None = None,
        whole: Path | None = None,
        place: str = "",
    ) -> None:
        self.place = place
        self._path = folder / FILE
        self._writes, self._whole = writes, whole
        self._clock = time.monotonic()
        self._lock, self._signals = FolderLock(folder), Interruptions(self._last_words)
        before = read_manifest_json(earlier or folder)
        self._content: dict[str, Any] = {
            "status": "running",
            "started": datetime.now(UTC).isoformat(timespec="seconds"),
            "argv": [Path(sys.argv[0]).name, *sys.argv[1:]],
            "config_hash": config_hash(config),
            "config": dict(config),
            **environment(),
            "trust": list(trusted()),
            "trusted_packages": code_of(trusted()),
            "seed": config.get("seed"),
            "test_looks": before.get("test_looks", 0),
            "looks": before.get("looks", {}),
            # a run that goes on goes on where it is followed, too
            **({"tracked": before["tracked"]} if "tracked" in before else {}),
        }
        if (number := job()) is not None:
            self._content["slurm_job"] = number  # by which a job that is put back finds its run
        self._looked = bool(before.get("look_begun")) and before.get("status") != "finished"

    def record(self, **facts: Any) -> None:
        """Add or replace facts, e.g. `data_digest`, `split`, `wall_s`.

        Raises:
            Interrupted: A signal asked the run to end, and its exception was lost on the way.
        """
        self._signals.check()
        self._content |= facts
        self._write()

    @property
    def folder(self) -> Path:
        """The run's folder."""
        return self._path.parent

    @property
    def whole(self) -> Path | None:
        """Folder of the run that this one is a fold of."""
        return self._whole

    @property
    def content(self) -> dict[str, Any]:
        """What is known so far."""
        return dict(self._content)

    @property
    def elapsed(self) -> float:
        """Seconds since the run began."""
        return time.monotonic() - self._clock

    def count_look(self) -> None:
        """Count one look at the run's test set: every look is a chance to choose by it.

        A run that was interrupted while it looked has counted already.
        """
        if self._looked:
            self.record(look_begun=True)
            return
        digest = self._content.get("data_digest")
        key = None if digest is None else f"{digest}:test"
        self.record(**_looked(self._content, key, own=True), look_begun=True)

    def __enter__(self) -> Self:
        with ExitStack() as undo:
            if self._writes:
                self._lock.acquire()  # first: what the folder says may change until the lock is held
                undo.callback(self._lock.release)
                self._check_folder()
            self._signals.install()
            undo.callback(self._signals.restore)
            self._write()
            self._leaving = undo.pop_all()  # all went well: undone as the run ends, not here
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            with writing(self.folder, lost="what came after the last checkpoint"):
                self._end(kind, error)
        finally:
            self._leaving.close()
            self._put_back()

    def _put_back(self) -> None:
        """Put the job back into the queue where its end was announced: the last thing, as Slurm ends it."""
        code = int(self._content.get("exit_status") or 0)
        if self._writes and self._whole is None and announces(code - 128):
            requeue()

    def _end(self, kind: type[BaseException] | None, error: BaseException | None) -> None:
        """Write down how the run ended, and how to go on; the error itself comes first."""
        name = self._signals.received or _signal_behind(error)
        if error is None:
            status, code = "finished", 0
        elif name is not None:
            step = self._signals.step
            place = self.place or ("before the first step" if step is None else f"at step {step}")
            status, code = f"interrupted {place} by {name}", 128 + int(getattr(signal, name))
        elif isinstance(error, Pruned):
            status, code = f"pruned {error}", 0
        else:
            status, code = f"failed: {kind.__name__ if kind else 'Error'}: {error}", 1
        if error is not None and not isinstance(error, Pruned):
            self._content["go_on"] = going_on(self._whole or self.folder)
            if self._whole is None:  # which says for its folds how to go on
                _log.warning(
                    "%s %s. %s", self.folder, status.partition(":")[0], self._what_next(failed=code == 1)
                )
        ended = datetime.now(UTC).isoformat(timespec="seconds")
        facts = {"status": status, "exit_status": code, "ended": ended}
        try:
            self._content |= {**facts, "wall_s": round(time.monotonic() - self._clock, 2)}
            self._write()
        except OSError as full:
            if error is None:
                raise  # a run whose end is not on record has not ended well
            _log.warning("%s: how the run ended could not be written down: %s", self._path, full)
        if error is not None and not isinstance(error, Interrupted):
            self._signals.check()  # a library stumbled over it while it cleaned up: the signal is the reason
        if isinstance(error, OSError):
            raise error  # `writing` names the folder where the system names nothing

    def _last_words(self, error: Interrupted) -> None:
        """How the run ended, where it hangs and cannot come to its own end."""
        self._end(type(error), error)
        self._put_back()

    def _what_next(self, *, failed: bool) -> str:
        """What to do after an end that nobody wanted: no run goes on from no checkpoint."""
        if failed and not keeps_checkpoints(self.folder):
            return "Nothing to go on from: mend what is named below and give the command again."
        return f"To go on: {self._content['go_on']}"

    def _check_folder(self) -> None:
        """The folder's own earlier run must be this one."""
        before = read_manifest_json(self.folder)
        if not before:
            return
        was, now = before.get("argv", [""])[0], self._content["argv"][0]
        if was != now:
            raise RunFolderError(f"{self.folder}: holds what {was} wrote. {_REMEDY}")
        if began_nothing(before, self.folder):
            return
        if "config" in before:
            keys = differences(before["config"], self._content["config"])
            if keys:
                raise RunFolderError(f"{self.folder}: holds a run of another config ({keys[0]}). {_REMEDY}")
        elif before.get("config_hash") not in (None, self._content["config_hash"]):
            raise RunFolderError(f"{self.folder}: holds a run of another config. {_REMEDY}")
        if before.get("status") == "running":
            _log.warning(
                "%s: the run before was killed, or its machine went down: nobody holds its lock", self.folder
            )

    def _write(self) -> None:
        if self._writes:
            write_json(self._path, self._content)


def _signal_behind(error: BaseException | None) -> str | None:
    """The signal that an exception stands for, where the handler of a fold took it."""
    if isinstance(error, Interrupted):
        return error.name
    return "SIGINT" if isinstance(error, KeyboardInterrupt) else None


def began_nothing(content: Mapping[str, Any], folder: Path) -> bool:
    """Whether a run failed before its first checkpoint: its folder can be used again, with any settings.

    Args:
        content: Of its `manifest.json`.
        folder: Where it lies.
    """
    return str(content.get("status", "")).startswith("failed") and not keeps_checkpoints(folder)


def keeps_checkpoints(folder: Path) -> bool:
    """Whether any checkpoint lies in a run's folder or below it."""
    return any(folder.glob("**/*.ckpt"))


_REMEDY = "Give a new folder with hydra.run.dir=..., or move this one away."


def going_on(folder: Path) -> str:
    """The command line that continues this run, typed as its process was started."""
    own = ("hydra.run.dir=", "resume=", "ckpt_path=")
    script, *words = sys.argv
    if Path(script).name == "train.py":
        words = [*(word for word in words if not word.startswith(own)), f"resume={folder}"]
    return " ".join([typed_script(script), *map(shlex.quote, words)])


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
    if content.get("status") == "running":
        end = "is still going on" if is_held(folder) else "was killed: nobody holds its lock"
        _log.warning("%s: its run %s, so that its checkpoint may not be the one it would choose", folder, end)
    key = f"{digest}:test" if own else f"{digest}:all"
    try:
        write_json(folder / FILE, content | _looked(content, key, own=own))
        for whole in runs_above(folder):
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


def runs_above(folder: Path) -> list[Path]:
    """Runs above a folder that name it among their folds."""
    above = list(folder.resolve().parents)[:2]  # fold_0, or repeat_0/fold_0
    named = [(place, folder.resolve().relative_to(place).as_posix()) for place in above]
    return [place for place, name in named if name in read_manifest_json(place).get("folds", [])]


def read_manifest_json(folder: Path) -> dict[str, Any]:
    """The run's `manifest.json`, or an empty dict where there is none.

    Raises:
        RunFolderError: It is damaged.
    """
    path = folder / FILE
    if not path.is_file():
        return {}
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        if not isinstance(content, dict):
            raise TypeError(f"it holds a {type(content).__name__}")
    except (ValueError, TypeError) as error:
        raise RunFolderError(
            f"{path}: is no record of a run ({str(error)[:80]}): it was cut or overwritten. Restore it "
            "from a copy, or delete it: the run goes on without it, but forgets how often its test part was "
            "looked at."
        ) from error
    return content


def write_json(path: Path, content: Any) -> None:
    """Write JSON through a neighboring file that then takes the name, so that no reader sees a part of it.

    Raises:
        DiskError: It could not be written; the file is what it was.
    """
    text = json.dumps(content, indent=2, allow_nan=False, default=str) + "\n"
    put(path, text.encode())
