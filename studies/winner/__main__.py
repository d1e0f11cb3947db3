"""Does the probability of rank 1 hold? `python -m studies.winner` writes docs/results/winner.md.

Sweeps are simulated as tables of predictions whose best trial in the population is known
(`studies.winner.simulated`); nothing is trained. Blocks of sweeps are kept below `kept`, and a second call
makes what is missing; delete the folder after a change of the code.
"""

import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from joblib import Parallel, delayed

from datamodules.command_line import run
from studies.winner.page import write_page
from studies.winner.work import sweep

SWEEPS = 2000
_BLOCK = 50


def main(
    *,
    sweeps: int = SWEEPS,
    kept: Path = Path("outputs/winner"),
    docs: Path = Path("docs/results"),
    workers: int = 1,
) -> None:
    """Simulate, judge, and write the page.

    Args:
        sweeps: How many; whole blocks of 50 are reused.
        kept: What is computed is kept there.
        docs: Folder of the page; the picture goes to its images/.
        workers: Processes.
    """
    kept.mkdir(parents=True, exist_ok=True)
    starts = range(0, sweeps, _BLOCK)
    blocks = Parallel(n_jobs=workers)(delayed(block)(kept, at, min(at + _BLOCK, sweeps)) for at in starts)
    write_page(docs, [one for block in blocks for one in block])


def block(kept: Path, first: int, end: int) -> list[Mapping[str, Any]]:
    """The sweeps from one number to another; read where an earlier call left a whole block."""
    path = kept / f"{first:05d}.json"
    if end - first < _BLOCK:
        return [sweep(number) for number in range(first, end)]
    if not path.is_file():
        partial = path.with_suffix(".part")
        partial.write_text(json.dumps([sweep(number) for number in range(first, end)]), encoding="utf-8")
        partial.replace(path)
    found: list[Mapping[str, Any]] = json.loads(path.read_text(encoding="utf-8"))
    return found


if __name__ == "__main__":
    sys.exit(run(main))
