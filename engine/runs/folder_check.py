"""Hydra callback that checks the folder of a command before Hydra writes its own files into it."""

from pathlib import Path
from typing import Any

from hydra.experimental.callback import Callback
from omegaconf import DictConfig, OmegaConf

from engine.config.compose import ConfigError
from engine.runs.atomic_write import put
from engine.runs.lock import FILE as LOCK
from engine.runs.lock import in_use, is_held
from engine.runs.ranks import is_main

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


class CheckFolder(Callback):
    """Stops a command whose folder cannot be written, or is being written by another one.

    Hydra warns of exceptions in a callback and goes on; `SystemExit` with the message is what stops it.
    """

    def on_run_start(self, config: DictConfig, **kwargs: Any) -> None:
        """Check `hydra.run.dir` for links, for another process, and for room on the disk."""
        del kwargs
        if not is_main():  # the first rank holds the folder for the others
            return
        try:
            folder = Path(str(OmegaConf.select(config, "hydra.run.dir")))
            _check_links(folder)
            if is_held(folder):
                raise in_use(folder)
            room = folder / ".room"
            put(room, b"0" * _ROOM, lost="nothing yet: the command has not begun")
            room.unlink()
        except (ConfigError, OSError) as error:
            raise SystemExit(f"{type(error).__name__}: {error}") from None
        except Exception as error:
            if isinstance(error.__cause__, ConfigError):  # of `resume=`, which names the folder
                raise SystemExit(f"{type(error.__cause__).__name__}: {error.__cause__}") from None
            told = str(error).splitlines()[0].rpartition(" raised while resolving interpolation: ")[2]
            raise SystemExit(f"hydra.run.dir: {told}") from None
