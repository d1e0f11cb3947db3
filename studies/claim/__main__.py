"""Test of the paper's claim: `python -m studies.claim input=series out=outputs/claim`.

MPDRM, its ablations and what is simpler than a network, on synthetic cohorts whose truth is known: severity
more or less stable, habits that hide it or do not, in levels or in movement. A seed is a cohort, a split and
an initialization at once, and every variant sees the same ones, so differences are paired. Every training
leaves `<out>/<cell>/<seed>/<variant>/result.json`; started again, the study goes on with what is missing.
"""

import json
import signal
import sys
import tempfile
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from tqdm import tqdm

from datamodules.command_line import UsageError, run, spelled
from engine.runs.quiet_warnings import quiet
from engine.training.pool import in_pool
from studies.claim.page import write_claim
from studies.claim.plan import CELLS, ORACLE, START, VARIANTS, Input, Study, Unit
from studies.claim.work import run_unit


def main(
    *,
    input: Input,
    out: Path,
    first_seed: int = 0,
    seeds: int | None = None,
    workers: int = 2,
    subjects: int | None = None,
    epochs: int | None = None,
    data: Path = Path("data"),
    variants: tuple[str, ...] = tuple(VARIANTS),
    cells: tuple[str, ...] = tuple(CELLS),
    overrides: tuple[str, ...] = (),
) -> None:
    """Run the study and show its table.

    Args:
        input: What the networks read.
        out: One folder per input.
        first_seed: Sizes are settled on some seeds, judged on others.
        seeds: Cohorts a cell, each with a split and an initialization of its own; by default 3 or 5.
        workers: Processes, one thread each.
        subjects: Persons of a cohort.
        epochs: Of a training.
        data: Where the cohorts are kept.
        variants: Networks.
        cells: Kinds of cohorts.
        overrides: Of conf/train.yaml, for every training.
    """
    quiet()
    study = Study(
        input=input,
        out=out,
        data=data,
        first_seed=first_seed,
        seeds=seeds,
        cells=cells,
        variants=variants,
        subjects=subjects,
        epochs=epochs,
        further=overrides,
    )
    units, first = study.units(), study.start()
    if not units:
        filmed = ", ".join(name for name, cell in CELLS.items() if cell.pixels or input == "series")
        raise UsageError(f"cells={','.join(cells)}: no cohort of these for input={input}; give of {filmed}")
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("terminated"))  # as Ctrl-C: the workers end with it
    try:
        run_units([*([first] if first else []), *units], workers=workers, out=out)
    except KeyboardInterrupt:
        sys.exit("interrupted: what is finished is kept, the same command goes on from there")
    sizes = {"seeds": seeds, "subjects": subjects, "epochs": epochs}
    given: dict[str, Any] = {name: value for name, value in sizes.items() if value is not None}
    given |= {"variants": variants} if variants != tuple(VARIANTS) else {}
    given |= {"cells": cells} if cells != tuple(CELLS) else {}
    given |= {"overrides": overrides} if overrides else {}
    chosen = spelled(input=input, first_seed=first_seed, **given, out=out)
    text = write_claim(read_results(units), input=input, command=f"python -m studies.claim {chosen}", out=out)
    sys.stdout.write(text)


def run_units(units: Sequence[Unit], *, workers: int, out: Path) -> None:
    """Do what is missing, in a pool of processes.

    Raises:
        UsageError: A result in the folder belongs to other settings.
    """
    missing = [unit for unit in units if not _done(unit)]
    if not missing:
        return
    out.mkdir(parents=True, exist_ok=True)
    with (
        tqdm(total=len(units), initial=len(units) - len(missing), desc="claim", unit="unit") as bar,
        tempfile.TemporaryDirectory(prefix=".work-", dir=out) as work,
    ):
        # the oracles make the cohorts, each in one process; the start is waited for by all trainings
        for name in in_pool(partial(run_unit, work=Path(work)), _stages(missing), workers=workers):
            bar.update()
            bar.set_postfix_str(name)


def read_results(units: Sequence[Unit]) -> list[dict[str, Any]]:
    """The records of finished units, with the folder of each."""
    return [{**json.loads(unit.result.read_text(encoding="utf-8")), "folder": unit.folder} for unit in units]


def _done(unit: Unit) -> bool:
    if not unit.result.is_file():
        return False
    earlier = json.loads(unit.result.read_text(encoding="utf-8"))
    if earlier["overrides"] != list(unit.overrides):
        changed = sorted(set(earlier["overrides"]) ^ set(unit.overrides))
        raise UsageError(
            f"{unit.result}: made with other settings ({', '.join(changed)}); take another out= or delete it"
        )
    return True


def _stages(units: Sequence[Unit]) -> Iterator[list[Unit]]:
    """What must be done before the rest, seed by seed, so that an early look sees every cell."""
    if starts := [unit for unit in units if unit.variant == START]:
        yield starts
    for seed in sorted({unit.seed for unit in units if unit.variant != START}):
        own = [unit for unit in units if unit.seed == seed and unit.variant != START]
        yield [unit for unit in own if unit.variant == ORACLE]
        yield [unit for unit in own if unit.variant != ORACLE]


if __name__ == "__main__":
    sys.exit(run(main))
