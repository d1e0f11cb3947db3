"""Test of the paper's claim: `python -m studies.claim --input series --seeds 5 --out outputs/claim`.

MPDRM against its ablations on synthetic cohorts whose truth is known. A seed is a cohort, a split and an
initialization at once, and every variant sees the same ones, so differences are paired. Every training leaves
`<out>/<setting>/<seed>/<variant>/result.json`; started again, the study goes on with what is missing.
"""

import argparse
import json
import logging
import multiprocessing
import os
import shlex
import signal
import sys
import tempfile
import time
import warnings
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from pathlib import Path
from typing import Any

import pandas as pd
import torch
from tqdm import tqdm

from engine.runs.environment import git_state
from engine.runs.provenance import write_json
from engine.runs.quiet_warnings import quiet
from engine.training.fit import fit_split
from engine.training.quick_train import compose_training, material, run_trial
from evaluation.baselines.oracle import oracle_lines
from evaluation.metrics.definitions import auc
from evaluation.tables.predictions import write_predictions
from studies.claim.habits_probe import habit_r2
from studies.claim.plan import EPOCHS, ORACLE, SETTING_NAMES, START, SUBJECTS, VARIANTS, Unit, plan, start
from studies.claim.table import write_claim


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the study and show its table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--input", choices=("series", "pixels"), required=True)
    parser.add_argument(
        "--seeds", type=int, default=5, help="cohorts, splits and initializations (default 5)"
    )
    parser.add_argument(
        "--first-seed",
        type=int,
        default=0,
        help="sizes are settled on some seeds, judged on others",
    )
    parser.add_argument("--out", type=Path, required=True, help="one folder per input")
    parser.add_argument("--workers", type=int, default=2, help="processes, one thread each")
    parser.add_argument("--subjects", type=int, help="persons of a cohort")
    parser.add_argument("--epochs", type=int)
    parser.add_argument("--data", type=Path, default=Path("data"), help="where the cohorts are kept")
    parser.add_argument("--variants", nargs="+", choices=tuple(VARIANTS), help="only these")
    parser.add_argument("--settings", nargs="+", choices=SETTING_NAMES, help="only these")
    parser.add_argument("--overrides", nargs="+", default=[], help="of conf/train.yaml, for every training")
    chosen = parser.parse_args(arguments)
    quiet()
    common: dict[str, Any] = {
        "out": chosen.out,
        "data": chosen.data,
        "subjects": chosen.subjects or SUBJECTS[chosen.input],
        "epochs": chosen.epochs or EPOCHS[chosen.input],
        "further": chosen.overrides,
    }
    units = plan(
        chosen.input,
        seeds=range(chosen.first_seed, chosen.first_seed + chosen.seeds),
        variants=chosen.variants or tuple(VARIANTS),
        settings=chosen.settings or SETTING_NAMES,
        **common,
    )
    first = start(chosen.input, **common)
    os.environ |= {"OMP_NUM_THREADS": "1", "TQDM_DISABLE": "1"}  # inherited by the workers, who draw no bars
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("terminated"))  # as Ctrl-C: the workers end with it
    try:
        run_units([*([first] if first else []), *units], workers=chosen.workers, out=chosen.out)
    except KeyboardInterrupt:
        sys.exit("interrupted: what is finished is kept, the same command goes on from there")
    command = shlex.join(
        ["python", "-m", "studies.claim", *(sys.argv[1:] if arguments is None else arguments)]
    )
    text = write_claim(read_results(units), input=chosen.input, command=command, out=chosen.out)
    sys.stdout.write(text)


def run_units(units: Sequence[Unit], *, workers: int, out: Path) -> None:
    """Do what is missing, in a pool of processes.

    Raises:
        ValueError: A result in the folder belongs to other settings.
    """
    missing = [unit for unit in units if not _done(unit)]
    if not missing:
        return
    out.mkdir(parents=True, exist_ok=True)
    with (
        tqdm(total=len(units), initial=len(units) - len(missing), desc="claim", unit="unit") as bar,
        tempfile.TemporaryDirectory(prefix=".work-", dir=out) as work,
    ):
        for name in _each(missing, Path(work), workers):
            bar.update()
            bar.set_postfix_str(name)


def read_results(units: Sequence[Unit]) -> list[dict[str, Any]]:
    """The records of finished units."""
    return [json.loads(unit.result.read_text(encoding="utf-8")) for unit in units]


def _done(unit: Unit) -> bool:
    if not unit.result.is_file():
        return False
    earlier = json.loads(unit.result.read_text(encoding="utf-8"))
    if earlier["overrides"] != list(unit.overrides):
        changed = sorted(set(earlier["overrides"]) ^ set(unit.overrides))
        raise ValueError(
            f"{unit.result}: made with other settings ({', '.join(changed)}); take another --out or delete it"
        )
    return True


def _each(units: Sequence[Unit], work: Path, workers: int) -> Iterator[str]:
    if workers <= 1:
        for unit in units:
            yield run_unit(unit, work)
        return
    # Spawned, because forking a process that has started threads can hang.
    context = multiprocessing.get_context("spawn")
    pool = ProcessPoolExecutor(workers, mp_context=context, initializer=_settle)
    try:
        # the oracles make the cohorts, each in one process; the start is waited for by all trainings
        stages = [[u for u in units if u.variant in (START, ORACLE)]]
        stages.append([u for u in units if u not in stages[0]])
        for batch in stages:
            for future in as_completed([pool.submit(run_unit, unit, work) for unit in batch]):
                yield future.result()
    except BaseException:
        processes = list(pool._processes.values())
        pool.shutdown(wait=False, cancel_futures=True)
        for process in processes:  # a training would go on for minutes, only to be thrown away
            process.kill()  # Lightning would take a mere SIGTERM as a request for later
            process.join()
        raise
    pool.shutdown()


def _settle() -> None:
    """One thread a process: two trainings side by side must not fight for the cores."""
    torch.set_num_threads(1)
    logging.getLogger("pytorch_lightning").setLevel(logging.WARNING)
    warnings.filterwarnings("ignore", module="pytorch_lightning")


def run_unit(unit: Unit, work: Path) -> str:
    """Do one unit and write its files, the result last; return its name."""
    clock = time.monotonic()
    try:
        with tempfile.TemporaryDirectory(dir=work) as folder:  # the checkpoint goes with it
            found = _WORK.get(unit.variant, _train)(unit, Path(folder))
    except Exception as error:
        error.add_note(f"In unit {unit.name}.")
        raise
    write_json(
        unit.result,
        {
            "input": unit.input,
            "setting": unit.setting,
            "seed": unit.seed,
            "variant": unit.variant,
            **found,
            "seconds": round(time.monotonic() - clock, 1),
            "git": git_state(),
            "overrides": list(unit.overrides),
        },
    )
    return unit.name


def _train(unit: Unit, folder: Path) -> dict[str, Any]:
    trial = run_trial(compose_training(unit.overrides, output=folder), folder=folder)
    test = trial.recordings[trial.recordings["split"] == "test"]
    assert trial.manifest.truth is not None
    truth = pd.read_csv(trial.manifest.truth)
    hidden = trial.personality if unit.confound > 0 else None  # without the confound there are no habits
    predictions = folder / "predictions.csv"
    write_predictions(predictions, trial.recordings)
    unit.folder.mkdir(parents=True, exist_ok=True)
    predictions.replace(unit.folder / predictions.name)
    return {
        "test_auc": auc(test["binary_target"], test["binary_prediction"]).value,
        "val_auc": trial.objective,
        "epochs": trial.epochs,
        "habit_r2": None if hidden is None else habit_r2(hidden, truth),
    }


def _start(unit: Unit, folder: Path) -> dict[str, Any]:
    config = compose_training(unit.overrides, output=folder)
    fitted = fit_split(config, *material(config), folder=folder)
    unit.folder.mkdir(parents=True, exist_ok=True)
    fitted.best.replace(unit.checkpoint)
    return {"val_auc": fitted.objective, "epochs": fitted.epochs}


def _oracle(unit: Unit, folder: Path) -> dict[str, Any]:
    manifest, split = material(compose_training(unit.overrides, output=unit.folder))
    assert manifest.truth is not None
    truth = pd.read_csv(manifest.truth)
    lines = oracle_lines(truth, manifest.table, split.train, split.test)
    return {"auc": {name: line["auc"]["value"] for name, line in lines.items()}}


_WORK = {ORACLE: _oracle, START: _start}  # every other variant is a training


if __name__ == "__main__":
    main()
