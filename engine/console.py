"""The command `euthymia`: `euthymia train ...` is `python train.py ...`, from any folder."""

import ast
import os
import sys
from importlib import metadata
from pathlib import Path

from datamodules.commands import COMMANDS, TYPED_AS, module_of
from datamodules.wording import nearest
from engine.config.source_code import ROOT

_VERSION = {"-V", "--version"}  # also behind a command, where Hydra would tell its own
_USAGE = "usage: euthymia <command> [key=value ...]"
_ABOUT = """Settings are those of the script: `euthymia train epochs=5` is `python train.py epochs=5`.
`euthymia <command> --help` lists them."""


def main() -> int:
    """Become the command that is named, or list them all.

    The process is replaced: arguments, signals, exit status, ranks that repeat the command line and a run's
    record are those of the script itself.
    """
    name, *words = sys.argv[1:] or ["--help"]
    if name == "help":
        name, words = (words[0], ["--help"]) if words else ("--help", [])
    if name in ("-h", "--help"):
        sys.stdout.write(help_text())
        return 0
    if _VERSION & {name, *words}:
        sys.stdout.write(f"euthymia {metadata.version('euthymia')}\n")
        return 0
    if name not in COMMANDS:
        hint = nearest(name, COMMANDS) or f". There are {', '.join(COMMANDS)}."
        sys.stderr.write(f"euthymia has no command {name!r}{hint}\n")
        return 2
    if not (ROOT / "conf").is_dir():
        sys.stderr.write(f"{ROOT}: no conf/ beside the code. Install the checkout with pip install -e .\n")
        return 1
    sys.stdout.flush()
    call = [sys.executable, *_call(COMMANDS[name]), *words]
    return os.execve(sys.executable, call, {**os.environ, TYPED_AS: "euthymia"})


def _call(file: str) -> list[str]:
    """How Python is told to run a file: scripts by their path, modules of a room by their name.

    -P keeps folders of the working directory that have the name of a room from being imported in its place.
    """
    return ["-P", "-m", module_of(file)] if "/" in file else [str(ROOT / file)]


def help_text() -> str:
    """All commands, each with what the head of its file says of it."""
    lines = [f"  {name:<12}{_told(ROOT / file)}" for name, file in COMMANDS.items()]
    return "\n".join([_USAGE, "", *lines, "", _ABOUT, ""])


def _told(file: Path) -> str:
    """The first line of a file's docstring up to its example."""
    text = ast.get_docstring(ast.parse(file.read_text(encoding="utf-8"))) or ""
    return text.splitlines()[0].partition("`")[0].rstrip(": ")
