"""Trial of a published claim: `python -m studies.discrepancy --out outputs/discrepancy_trial`.

Xu et al., "Faces of the Mind" (arXiv 2405.20072), raise F1 from about .50 to about .80 by leaving out the
tenth of persons whose answers are most unlike those of others of the same total. Their public scripts also
leave the questionnaire among the features, fit on everybody, and leave the same persons out of the test set.
Here each factor is switched alone, on cohorts where heterogeneity is planted and where it is not. A seed is
a cohort, a split and the seed of the models at once. Every cohort and seed leaves a CSV in `<out>/cells`;
started again, the trial goes on with what is missing.
"""

import argparse
import multiprocessing
import os
import shlex
import sys
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import pandas as pd
from tqdm import tqdm

from studies.discrepancy.cells import cells
from studies.discrepancy.cohort import SETTINGS, draw
from studies.discrepancy.report import write_report

PERSONS, SEEDS = 2000, 5


def main(arguments: Sequence[str] | None = None) -> None:
    """Compute what is missing and write the report."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--persons", type=int, default=PERSONS, help=f"of a cohort (default {PERSONS})")
    parser.add_argument("--seeds", type=int, default=SEEDS, help=f"cohorts per setting (default {SEEDS})")
    parser.add_argument("--workers", type=int, default=2, help="processes, one thread each")
    parser.add_argument("--settings", nargs="+", choices=tuple(SETTINGS), default=list(SETTINGS))
    chosen = parser.parse_args(arguments)
    os.environ["OMP_NUM_THREADS"] = "1"  # inherited by the workers
    units = [(name, seed) for seed in range(chosen.seeds) for name in chosen.settings]
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(chosen.workers, mp_context=context) as pool:
        futures = [
            pool.submit(compute, name, seed, persons=chosen.persons, folder=chosen.out / "cells")
            for name, seed in units
        ]
        files = [future.result() for future in tqdm(futures, desc="Cohorts")]
    table = pd.concat([pd.read_csv(path) for path in files], ignore_index=True)
    command = shlex.join(["python", "-m", "studies.discrepancy", *(arguments if arguments else sys.argv[1:])])
    sys.stdout.write(write_report(table, folder=chosen.out, command=command))


def compute(setting: str, seed: int, *, persons: int, folder: Path) -> Path:
    """The cells of one cohort as a CSV, made unless it is there; it appears when it is whole."""
    path = folder / f"{setting}-{persons}-{seed}.csv"
    if not path.is_file():
        folder.mkdir(parents=True, exist_ok=True)
        cohort = draw(SETTINGS[setting], persons=persons, seed=seed)
        rows = pd.DataFrame(cells(cohort, seed=seed)).assign(setting=setting, seed=seed, persons=persons)
        partial = path.with_suffix(f".{os.getpid()}")
        rows.to_csv(partial, index=False)
        partial.replace(path)
    return path


if __name__ == "__main__":
    main()
