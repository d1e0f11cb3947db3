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
    r"(^|-m )pip install": "changes the installation",
    r"^cp -r docs/ext|trust=\[euthymia_template\]": "needs the template; see `tests/test_extensions.py`",
    r"^\.venv/bin/pre-commit ": "changes the repository; its hooks come from the network",
    r"^apt-get |^createdb |^jupyter ": "installs or starts a server",
    r"storage=postgresql": "needs a PostgreSQL server",
    r"^make test": "runs the tests, these among them",
    r"^make (install|train|lint|docs|doctor)$": "begins with `make install`, from the network",
    r"^python -m preprocessing\.models$|trunk\.weights=pretrained": "downloads files",
    r"^torchrun |^srun |launcher=submitit_slurm|^sbatch ": "needs a cluster with GPUs",
    r"trainer=(ddp|fsdp) trainer\.devices=4": "needs four GPUs",
    r"executor=ray executor\.address=auto": "needs a Ray cluster",
    r"preset=large": "downloads 1.3 GB and needs a GPU",
    r"data=joined": "needs two real corpora: the made-up ones give other persons the same numbers",
    r"^python -m tests\.": "writes a page of the repository",
    r"before=": "needs checkouts of earlier commits, and compares them for hours",
}
_HEAD = """# Commands that no test runs

The default tests hold that every command on these pages composes: scripts, modules, settings and values
exist. `make test-slow` types each of them in a folder of made-up data, with the smallest settings
(`debug=fast`, few persons, one epoch, `trainer=cpu` for `trainer=gpu`), and holds that it ends without an
error. That says nothing about the numbers that a full run reaches. These are not run:

| command | page | why not |
|---|---|---|
"""


def reason(command: Command) -> str | None:
    """Why a command is not run, or None."""
    return next((why for pattern, why in REASONS.items() if re.search(pattern, command.text)), None)


def text() -> str:
    """The page."""
    left = [(command, why) for command in shown() if command.whole and (why := reason(command))]
    rows = [f"| `{_in_cell(one.text)}` | {_link(one.pages[0])} | {why} |" for one, why in left]
    return _HEAD + "\n".join(rows) + "\n"


def _in_cell(text: str) -> str:
    return text.replace("|", "\\|")


def _link(page: str) -> str:
    return f"[{page}]({page.removeprefix('docs/') if page.startswith('docs/') else '../' + page})"


def main() -> None:
    """Write the page anew."""
    PAGE.write_text(text(), encoding="utf-8")
    sys.stdout.write(f"{PAGE}\n")


if __name__ == "__main__":
    main()
