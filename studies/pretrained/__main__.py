"""Do pretrained weights pay? `python -m studies.pretrained` writes docs/results/pretrained.md.

A cohort is filmed in rooms and preprocessed once, as in `studies.face_crops`, and its crops are encoded once
by `encode.py` with ImageNet weights. Then one network is trained from random weights, from these weights, and
on the stored tokens. Every arm of a seed leaves `<out>/<seed>/<arm>/result.json`; started again, the study
goes on with what is missing. It needs the extra `weights`.
"""

import json
import resource
import sys
from pathlib import Path

import torch
from tqdm import tqdm

from datamodules.command_line import run, spelled
from engine.runs.provenance import write_json
from engine.runs.quiet_warnings import quiet
from studies.face_crops.plan import cache_of
from studies.face_crops.work import called, done, filmed, preprocessed
from studies.pretrained.page import write_page
from studies.pretrained.plan import ARMS, EPOCHS, LONG, SUBJECTS, encoding, plan, store_of


def main(
    *,
    seeds: int = 3,
    subjects: int = SUBJECTS,
    epochs: int = EPOCHS,
    long: int = LONG,
    out: Path = Path("outputs/pretrained"),
    data: Path = Path("data"),
    docs: Path = Path("docs/results"),
    arms: tuple[str, ...] = tuple(ARMS),
    workers: int = 2,
) -> None:
    """Film, preprocess, encode, train, write the page.

    Args:
        seeds: Splits and initializations.
        subjects: Persons of the cohort.
        epochs: Of a training.
        long: Epochs of `probe_long`.
        out: Cache, store and results are kept there.
        data: Where cohorts are kept.
        docs: Folder of the page.
        arms: What is trained.
        workers: Processes that film and preprocess; everything else comes one after the other.
    """
    quiet()
    torch.set_num_threads(1)
    out, data = out.resolve(), data.resolve()
    preprocessed(filmed(data, subjects, workers), cache_of(out, subjects), workers)
    seconds = encoded(encoding(subjects=subjects, out=out), store_of(out, subjects))
    units = plan(seeds=seeds, subjects=subjects, epochs=epochs, long=long, out=out, arms=arms)
    results = [done(unit) for unit in tqdm(units, desc="results", unit="arm")]
    command = "python -m studies.pretrained " + spelled(
        seeds=seeds, subjects=subjects, epochs=epochs, long=long, arms=arms
    )
    sys.stdout.write(
        write_page(results, docs / "pretrained.md", command=command, subjects=subjects, encoding=seconds)
    )


def encoded(words: tuple[str, ...], store: Path) -> float:
    """Run `encode.py`, as a user would; return the CPU seconds of the call that ended the store.

    Raises:
        RuntimeError: It failed.
        ValueError: The store belongs to other settings.
    """
    record = store.with_suffix(".json")
    if not record.is_file():
        before = _seconds_of_children()
        called("encode.py", *words)
        write_json(record, {"seconds": round(_seconds_of_children() - before, 1), "words": list(words)})
    kept = json.loads(record.read_text(encoding="utf-8"))
    if kept["words"] != list(words):
        raise ValueError(f"{record}: made with other settings; take another out= or delete it and the store")
    return float(kept["seconds"])


def _seconds_of_children() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


if __name__ == "__main__":
    sys.exit(run(main))
