"""The command line of a sweep: which words are its own, and which are the training's."""

import re
import sys
from collections.abc import Sequence
from pathlib import Path

from datamodules.wording import nearest
from engine.config.compose import ConfigError, root_keys
from engine.config.source_code import ROOT

_PASSWORD = re.compile(r"://[^/@\s]*:[^/@\s]+@")  # user:password@


def apart(words: Sequence[str]) -> tuple[list[str], list[str]]:
    """The words of the sweep and of Hydra itself, and the settings of `train.py`.

    Examples:
        >>> apart(["n_trials=5", "lr=interval(0.1,0.2)", "--cfg", "job", "hydra.run.dir=x", "sampler.seed=1"])
        (['n_trials=5', '--cfg', 'job', 'hydra.run.dir=x', 'sampler.seed=1'], ['lr=interval(0.1,0.2)'])
    """
    own: list[str] = []
    trained: list[str] = []
    known = {*root_keys("sweep"), "hydra"} - {"paths"}  # paths.data is the training's
    for word in words:
        first = _key(word).partition(".")[0].partition("/")[0].partition("@")[0]
        flag = word.startswith("-") or ("=" not in word and not word.startswith("~"))
        (own if flag or first in known else trained).append(word)
    return own, trained


def check_words(trained: Sequence[str]) -> None:
    """Name the setting of the sweep that a misspelt one may mean; `train.py` knows it no better.

    Raises:
        ConfigError: A word is nearly one of the sweep's settings, and none of the training's.
    """
    for word in trained:
        key = _key(word)
        if key in root_keys("train") or "." in key or "/" in key or (ROOT / "conf" / key).is_dir():
            continue
        if hint := nearest(key, root_keys("sweep") - {"paths"}):
            raise ConfigError(f"Unknown key {key!r}{hint}")


def check_password(text: str) -> None:
    """Refuse an address of a database with a password: it would be written to files, and seen by `ps`.

    Raises:
        ConfigError: It has one; the message does not.
    """
    if _PASSWORD.search(text):
        raise ConfigError(
            "storage: holds a password, which would stand in the files of the run and in the list of "
            "processes. Leave it out of the address: PGPASSWORD=... or ~/.pgpass gives it to PostgreSQL"
        )


def worker_command(folder: Path) -> list[str]:
    """The command of this process in the form that only trains trials."""
    kept = [word for word in sys.argv[1:] if not word.startswith(("hydra.run.dir=", "worker="))]
    quiet = ["hydra/job_logging=stdout", "hydra.output_subdir=null"]  # its log is kept by who started it
    return [sys.executable, str(ROOT / "sweep.py"), *kept, f"hydra.run.dir={folder}", "worker=true", *quiet]


def _key(word: str) -> str:
    return word.partition("=")[0].lstrip("+~")
