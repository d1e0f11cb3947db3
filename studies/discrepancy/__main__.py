"""Trial of a published claim: `python -m studies.discrepancy out=outputs/discrepancy_trial`.

Xu et al., "Faces of the Mind" (arXiv 2405.20072), raise F1 from about .50 to about .80 by leaving out the
tenth of persons whose answers are most unlike those of others of the same total. Their public scripts also
leave the questionnaire among the features, fit on everybody, and leave the same persons out of the test set.
Here each factor is switched alone, on cohorts where heterogeneity is planted and where it is not. A seed is
a cohort, a split and the seed of the models at once. Every cohort and seed leaves a CSV in `<out>/cells`;
started again, the trial goes on with what is missing.
"""

import multiprocessing
import os
import sys
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import pandas as pd
from tqdm import tqdm

from datamodules.command_line import run, spelled
from studies.discrepancy.cohort import SETTINGS
from studies.discrepancy.report import write_report
from studies.discrepancy.work import compute


def main(
    *,
    out: Path,
    persons: int = 2000,
    seeds: int = 5,
    workers: int = 2,
    settings: tuple[str, ...] = tuple(SETTINGS),
) -> None:
    """Compute what is missing and write the report.

    Args:
        out: Folder of the cells and of the report.
        persons: Of a cohort.
        seeds: Cohorts per setting.
        workers: Processes, one thread each.
        settings: Kinds of cohort.
    """
    os.environ["OMP_NUM_THREADS"] = "1"  # inherited by the workers
    units = [(name, seed) for seed in range(seeds) for name in settings]
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(workers, mp_context=context) as pool:
        futures = [
            pool.submit(compute, name, seed, persons=persons, folder=out / "cells") for name, seed in units
        ]
        files = [future.result() for future in tqdm(futures, desc="Cohorts")]
    table = pd.concat([pd.read_csv(path) for path in files], ignore_index=True)
    chosen = spelled(out=out, persons=persons, seeds=seeds, workers=workers, settings=settings)
    sys.stdout.write(write_report(table, folder=out, command=f"python -m studies.discrepancy {chosen}"))


if __name__ == "__main__":
    sys.exit(run(main))
