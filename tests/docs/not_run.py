"""The shown commands that the tests do not run, with the reason; writes `docs/not_run.md`.

`python -m tests.docs.not_run` writes the page anew. A reason is something that a test cannot have: another
device, a cluster, a server, the network, a real corpus, or hours.
"""

import re
import sys

from engine.config.source_code import ROOT
from tests.docs.shown_commands import Command, shown

PAGE = ROOT / "docs" / "not_run.md"
REASONS = {  # what a command begins with or holds -> why it is not run
    r"^docker |^hadolint ": "needs Docker; building an image downloads 3 GB",
    r"^pip ": "changes the installation, from the network",
    r"^\.venv/bin/pre-commit ": "changes the repository; its hooks come from the network",
    r"^apt-get |^createdb ": "installs and starts a server",
    r"storage=postgresql": "needs a PostgreSQL server",
    r"^make test": "runs the tests, these among them",
    r"^make (install|train|lint|doctor)$": "begins with `make install`, from the network",
    r"^python -m preprocessing\.models$": "downloads files",
    r"^torchrun |^srun |launcher=submitit_slurm|^sbatch ": "needs a cluster with GPUs",
    r"trainer=(ddp|fsdp) trainer\.devices=4": "needs four GPUs",
    r"executor=ray executor\.address=auto": "needs a Ray cluster",
    r"preset=large": "downloads 1.3 GB and needs a GPU",
    r"before=": "needs checkouts of earlier commits, and compares them for hours",
}
_HEAD = """# Commands that no test runs

The pages show {shown} distinct commands{named}. The default tests hold that each of them composes: scripts, modules,
settings and values exist. `make test-slow` types {run} of them in a folder of made-up data, with the smallest settings
(`debug=fast`, few persons, one epoch, `trainer=cpu` for `trainer=gpu`), and holds that they end without an error. That says
nothing about the numbers a full run reaches. These {left} are not run:

| command | page | why not |
|---|---|---|
"""


def reason(command: Command) -> str | None:
    """Why a command is not run, or None."""
    return next((why for pattern, why in REASONS.items() if re.search(pattern, command.text)), None)


def text() -> str:
    """The page."""
    commands = shown()
    whole = [command for command in commands if command.whole]
    left = [command for command in whole if reason(command)]
    rows = [
        f"| `{one.text.replace('|', chr(92) + '|')}` | {_link(one.pages[0])} | {reason(one)} |"
        for one in left
    ]
    named = (
        f", and name {len(commands) - len(whole)} without all of their settings"
        if len(commands) > len(whole)
        else ""
    )
    head = _HEAD.format(shown=len(whole), named=named, run=len(whole) - len(left), left=len(left))
    return head + "\n".join(rows) + "\n"


def _link(page: str) -> str:
    return f"[{page}]({page.removeprefix('docs/') if page.startswith('docs/') else '../' + page})"


if __name__ == "__main__":
    PAGE.write_text(text(), encoding="utf-8")
    sys.stdout.write(f"{PAGE}\n")
