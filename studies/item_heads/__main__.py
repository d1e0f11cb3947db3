"""Heads of items: `python -m studies.item_heads` writes the results into docs/results/item_heads.md.

Recovery: persons and items that are known, fitted again. Joined corpora: one network over three
questionnaires beside a network for each, on new persons. A repetition has persons, items and networks of its
own and leaves a file in `out`; started again, the study goes on with what is missing.
"""

import json
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pandas as pd
import torch

from datamodules.command_line import run, spelled
from studies.item_heads.joint import compare
from studies.item_heads.page import write_page
from studies.item_heads.recovery import recover

_SEED = 100  # of the first repetition; what was tried while this was written has seeds from 900 on


def main(
    *,
    out: Path = Path("outputs/item_heads"),
    seeds: int = 10,
    repetitions: int = 20,
    persons: int = 2000,
    minutes: float = 0.0,
    docs: Path = Path("docs/results"),
) -> None:
    """Compute what is missing; write page and picture when nothing is.

    Args:
        out: Folder of the repetitions.
        seeds: Simulations of the recovery.
        repetitions: Of the joined corpora.
        persons: Whose answers a recovery is fitted to.
        minutes: Stop after the repetition in which these are over; 0 goes on to the end.
        docs: Folder of the page.
    """
    torch.set_num_threads(1)  # so that sums have one order
    until = time.monotonic() + 60 * minutes if minutes else float("inf")
    jobs: dict[Path, Callable[[], dict[str, float]]] = {}
    for seed in range(_SEED, _SEED + repetitions):
        jobs[out / f"joint_{seed}.json"] = partial(compare, seed=seed)
    for seed in range(_SEED, _SEED + seeds):
        jobs[out / f"recovery_{persons}_{seed}.json"] = partial(recover, persons=persons, seed=seed)
    out.mkdir(parents=True, exist_ok=True)
    for file, job in jobs.items():
        if file.is_file():
            continue
        if time.monotonic() > until:
            sys.stdout.write(
                f"stopped: {sum(not one.is_file() for one in jobs)} of {len(jobs)} are missing\n"
            )
            return
        _write(file, job())
    found = {file: json.loads(file.read_text()) for file in jobs}
    tables = [
        pd.DataFrame([row for file, row in found.items() if file.name.startswith(kind)])
        for kind in ("recovery", "joint")
    ]
    words = spelled(seeds=seeds, repetitions=repetitions, persons=persons)
    write_page(docs, *tables, persons=persons, command=f"python -m studies.item_heads {words}")


def _write(file: Path, found: dict[str, float]) -> None:
    part = file.with_suffix(".part")
    part.write_text(json.dumps(found))
    part.replace(file)  # a repetition that was cut off is none


if __name__ == "__main__":
    sys.exit(run(main))
