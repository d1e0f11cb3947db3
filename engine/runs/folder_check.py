"""Hydra callback that checks the folder of a command before Hydra writes its own files into it."""

import os
import platform
from pathlib import Path
from typing import Any

from hydra.experimental.callback import Callback
from omegaconf import DictConfig, OmegaConf, read_write

from engine.config.compose import ConfigError
from engine.runs.atomic_write import put, writing
from engine.runs.lock import FILE as LOCK
from engine.runs.lock import in_use, is_held
from engine.runs.ranks import is_main, started_together

_ROOM = 64 * 1024  # bytes: what Hydra writes at the start, and some; our choice


def _check_links(folder: Path) -> None:
    """Stop where what is written to in place, lock, logs and Hydra's own, is a link to something else.

    A run's folder may come from somebody else; every other file is written beside its place and renamed.

    Raises:
        ConfigError: Names the link.
    """
    for path in (folder / LOCK, *folder.glob("*.log"), *folder.glob(".hydra*"), *folder.glob(".hydra/*")):
        if path.is_symlink():
            raise ConfigError(
                f"{path} is a link, and what it leads to would be overwritten. Delete the link, or give "
                "another folder with hydra.run.dir=..."
            )


def _own_folder(config: DictConfig) -> Path:
    """The folder of a command; one that is named after the time is made, and shared with no other command.

    Two commands that begin in the same second name one folder: the later one writes to `<folder>_2`. Making a
    folder is one step of the file system, which only one of them can do. Ranks that were started side by side
    name their common folder themselves, and another rank may have made it.
    """
    folder = Path(str(OmegaConf.select(config, "hydra.run.dir")))
    named = str(OmegaConf.to_container(config.hydra.run, resolve=False)["dir"])  # type: ignore[index, call-overload]
    if "${now:" not in named or OmegaConf.select(config, "resume") is not None or started_together():
        return folder
    name, number = folder.name, 1
    while not _made(folder):
        number += 1
        folder = folder.with_name(f"{name}_{number}")
    with read_write(config.hydra.run):
        config.hydra.run.dir = str(folder)
    return folder


def _made(folder: Path) -> bool:
    """Make a folder; whether it was not there before."""
    with writing(folder, lost="nothing yet: the command has not begun"):
        folder.parent.mkdir(parents=True, exist_ok=True)
        try:
            folder.mkdir()
        except FileExistsError:
            return False
    return True


class CheckFolder(Callback):
    """Gives a command a folder of its own, and stops one whose folder cannot be written or is another's.

    Hydra warns of exceptions in a callback and goes on; `SystemExit` with the message is what stops it.
    """

    def on_run_start(self, config: DictConfig, **kwargs: Any) -> None:
        """Check `hydra.run.dir` for links, for another process, and for room on the disk."""
        del kwargs
        if not is_main():  # the first rank holds the folder for the others
            return
        try:
            folder = _own_folder(config)
            _check_links(folder)
            if is_held(folder):
                raise in_use(folder)
            room = folder / f".room-{platform.node()}-{os.getpid()}"  # workers of a sweep share a folder
            put(room, b"0" * _ROOM, lost="nothing yet: the command has not begun")
            room.unlink(missing_ok=True)
        except (ConfigError, OSError) as error:
            raise SystemExit(f"{type(error).__name__}: {error}") from None
        except Exception as error:
            if isinstance(error.__cause__, ConfigError):  # of `resume=`, which names the folder
                raise SystemExit(f"{type(error.__cause__).__name__}: {error.__cause__}") from None
            told = str(error).splitlines()[0].rpartition(" raised while resolving interpolation: ")[2]
            raise SystemExit(f"hydra.run.dir: {told}") from None
