"""Test of the paper's claim: `python -m studies.claim input=series seeds=5 out=outputs/claim`.

MPDRM against its ablations on synthetic cohorts whose truth is known. A seed is a cohort, a split and an
initialization at once, and every variant sees the same ones, so differences are paired. Every training leaves
`<out>/<setting>/<seed>/<variant>/result.json`; started again, the study goes on with what is missing.
"""

import json
import logging
import multiprocessing
import os
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

from datamodules.command_line import run, spelled
from engine.checkpoints.checkpoint import load_checkpoint
from engine.inference.clip_predictions import ClipPredictions, Predictor, part_of
from engine.inference.recordings import predicted_recordings, recording_features
from engine.runs.environment import git_state
from engine.runs.provenance import write_json
from engine.runs.quiet_warnings import quiet
from engine.training.fit import fit_split
from engine.training.prepare import compose_training, material
from evaluation.baselines.oracle import oracle_lines
from evaluation.metrics.definitions import auc
from evaluation.tables.predictions import write_predictions
from studies.claim.habits_probe import habit_r2
from studies.claim.plan import (
    EPOCHS,
    ORACLE,
    SETTING_NAMES,
    START,
    SUBJECTS,
    VARIANTS,
    Input,
    Unit,
    plan,
    start,
)
from studies.claim.table import write_claim


def main(
    *,
    input: Input,
    out: Path,
    seeds: int = 5,
    first_seed: int = 0,
    workers: int = 2,
    subjects: int | None = None,
    epochs: int | None = None,
    data: Path = Path("data"),
    variants: tuple[str, ...] = tuple(VARIANTS),
    settings: tuple[str, ...] = SETTING_NAMES,
    overrides: tuple[str, ...] = (),
) -> None:
    """Run the study and show its table.

    Args:
        input: What the networks read.
        out: One folder per input.
        seeds: Cohorts, splits and initializations.
        first_seed: Sizes are settled on some seeds, judged on others.
        workers: Processes, one thread each.
        subjects: Persons of a cohort.
        epochs: Of a training.
        data: Where the cohorts are kept.
        variants: Networks.
        settings: Cohorts.
        overrides: Of conf/train.yaml, for every training.
    """
    quiet()
    common: dict[str, Any] = {
        "out": out,
        "data": data,
        "subjects": subjects or SUBJECTS[input],
        "epochs": epochs or EPOCHS[input],
        "further": overrides,
    }
    numbers = range(first_seed, first_seed + seeds)
    units = plan(input, seeds=numbers, variants=variants, settings=settings, **common)
    first = start(input, **common)
    os.environ |= {"OMP_NUM_THREADS": "1", "TQDM_DISABLE": "1"}  # inherited by the workers, who draw no bars
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("terminated"))  # as Ctrl-C: the workers end with it
    try:
        run_units([*([first] if first else []), *units], workers=workers, out=out)
    except KeyboardInterrupt:
        sys.exit("interrupted: what is finished is kept, the same command goes on from there")
    chosen = spelled(input=input, first_seed=first_seed, seeds=seeds, out=out)
    command = f"python -m studies.claim {chosen}"
    text = write_claim(read_results(units), input=input, command=command, out=out)
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
            f"{unit.result}: made with other settings ({', '.join(changed)}); take another out= or delete it"
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
    config = compose_training(unit.overrides, output=folder)
    manifest, split = material(config)
    fitted = fit_split(config, manifest, split, folder=folder)
    predict = Predictor.of(load_checkpoint(fitted.best), config)
    predicted = predicted_recordings(predict, manifest, split, config=config)
    predictions = folder / "predictions.csv"
    write_predictions(predictions, pd.concat(predicted.recordings.values(), ignore_index=True))
    unit.folder.mkdir(parents=True, exist_ok=True)
    predictions.replace(unit.folder / predictions.name)
    test, habits = predicted.recordings["test"], None
    # without the confound nobody has habits
    if unit.confound > 0 and "personality" in predicted.clips["test"].features:
        assert manifest.truth is not None
        trained = predict(manifest, part_of(split, "train"))
        parts = {"train": trained, "test": predicted.clips["test"]}
        hidden = pd.concat([_personality(clips).assign(split=part) for part, clips in parts.items()])
        habits = habit_r2(hidden, pd.read_csv(manifest.truth))
    return {
        "test_auc": auc(test["binary_target"], test["binary_prediction"]).value,
        "val_auc": fitted.objective,
        "epochs": fitted.epochs,
        "habit_r2": habits,
    }


def _personality(clips: ClipPredictions) -> pd.DataFrame:
    """The personality feature of each recording, the mean over its clips: ids, `f0`, `f1`, ..."""
    ids, features = recording_features(clips)
    return ids.join(pd.DataFrame(features["personality"]).add_prefix("f"))


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
    sys.exit(run(main))
