"""Trainings that are killed, ended by a signal or out of disk, resumed, and held against uninterrupted ones.

`python -m benchmarks.interruptions --kills 40 --signals 20 --full-disks 20` starts real `train.py` processes
on a small cohort, ends each at a random moment of its whole life, resumes it, in its own folder or another,
and compares everything but times. Cases that are done are kept in `--out`, so that the campaign itself can
go on. It exits with 1 if any case differs.
"""

import argparse
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from benchmarks.interruptions_compare import different
from benchmarks.interruptions_page import write_page

ROOT = Path(__file__).resolve().parents[1]
SIGNALS = ("SIGINT", "SIGTERM", "SIGHUP", "SIGUSR1")
LIMIT = 300  # seconds that one training may take
_COHORT = ["n_subjects=10", "n_visits=2", "fps=10", "duration_s=2", "workers=2"]
_SMALL = [
    "width=16", "trainer.max_epochs=10", "+trainer.enable_progress_bar=false", "evaluation.n_boot=1000",
    "data.module.subjects=4", "data.module.train_clips.length=8", "data.module.eval_clips.length=8",
    "protocol.val=0.3", "evaluation.filmstrips=1", "model.network.rarm.dropout=0.5",
]  # fmt: skip
_KINDS = {
    "series": ["experiment=mpdrm_series", "model.network.depression.trunk.blocks=1"],
    "pixels": [
        "experiment=mpdrm", "data.manifest.size=32", "data.module.source.video.height=32",
        "data.module.source.video.width=32", "model.network.depression.trunk.widths=[8,16]",
        "model.network.depression.trunk.mmp_stages=[1]",
    ],
}  # fmt: skip


def command(case: dict[str, Any], run: Path, data: Path, *more: str) -> list[str]:
    """The command line of a case's training."""
    cohort = [f"data.manifest.{setting}" for setting in _COHORT]
    workers = f"data.module.num_workers={case['workers']}"
    variant = [f"find_lr={str(case['find_lr']).lower()}", f"callbacks={case['callbacks']}"]
    if case["callbacks"] == "early_stopping":
        variant.append("callbacks.early_stopping.patience=1")
    places = [f"hydra.run.dir={run}", f"paths.data={data}"]
    return [
        sys.executable,
        "train.py",
        *_KINDS[case["kind"]],
        *cohort,
        *_SMALL,
        workers,
        *variant,
        *places,
        *more,
    ]


def start(line: list[str], log: Path) -> "subprocess.Popen[bytes]":
    """Start a training whose words go to a file."""
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("ab") as file:
        return subprocess.Popen(
            line, cwd=ROOT, stdout=file, stderr=file, env=os.environ | {"OMP_NUM_THREADS": "1"}
        )


def _reference(case: dict[str, Any]) -> str:
    return f"{case['kind']}-{case['callbacks']}-{case['find_lr']}"


def whole(case: dict[str, Any], out: Path) -> tuple[Path, float]:
    """The uninterrupted run of a case, made once, and the seconds that it took."""
    name = _reference(case)
    folder, took = out / "whole" / name, out / "whole" / f"{name}.txt"
    if not took.is_file():
        began = time.monotonic()
        job = start(command(case, folder, out / "data"), out / "whole" / f"{name}.log")
        if job.wait(LIMIT):
            raise SystemExit(f"the uninterrupted run failed: see {out / 'whole' / f'{name}.log'}")
        took.write_text(str(time.monotonic() - began))
    return folder, float(took.read_text())


def plan(arguments: argparse.Namespace) -> list[dict[str, Any]]:
    """The cases, drawn from the seed: what ends a run, when, on what, and where it goes on."""
    rng = random.Random(arguments.seed)
    ends = ["kill"] * arguments.kills + ["signal"] * arguments.signals + ["disk"] * arguments.full_disks
    cases = []
    for number, end in enumerate(ends):
        case: dict[str, Any] = {
            "case": number,
            "end": end,
            # one in three at any moment of a run's life, the others after its start, which takes half of it
            "moment": rng.random() if number % 3 == 0 else rng.uniform(0.5, 1),
            "kind": "pixels" if rng.random() < arguments.pixels_share else "series",
            "workers": arguments.workers_of[number % len(arguments.workers_of)],
            "elsewhere": rng.random() < arguments.elsewhere_share,
            "signal": SIGNALS[number % len(SIGNALS)] if end == "signal" else "SIGKILL",
            "callbacks": rng.choice(["default", "default", "early_stopping"]),
            "find_lr": rng.random() < arguments.rate_share,
        }
        cases.append(case)
    return cases


def interrupt(case: dict[str, Any], folder: Path, data: Path, took: float) -> str:
    """Start the training of a case, end it at its moment, and say how it ended.

    What is over before its moment is begun anew and ended earlier, so that every case is interrupted.
    """
    wait = case["moment"] * took
    while True:
        job = start(command(case, folder / "run", data), folder / "log.txt")
        try:
            job.wait(wait)
        except subprocess.TimeoutExpired:
            job.send_signal(getattr(signal, case["signal"]))
            return _ended(job, folder / "run")
        wait *= 0.8
        shutil.rmtree(folder)


def fill(case: dict[str, Any], folder: Path, data: Path) -> str:
    """Start the training of a case on a file system of its own that is too small, then make room.

    Nothing but the run is on it. Needs the right to mount.
    """
    size = int(60_000 + case["moment"] * 800_000)  # a whole run takes 0.9 MB on series, 1.2 MB on pixels
    place = folder / "small"
    place.mkdir(parents=True, exist_ok=True)
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(place)], check=True)
    job = start(command(case, place / "run", data), folder / "log.txt")
    told = _ended(job, place / "run")
    subprocess.run(["mount", "-o", "remount,size=200m", str(place)], check=True)
    return f"{size} bytes: {told}"


def _ended(job: "subprocess.Popen[bytes]", run: Path) -> str:
    try:
        code = job.wait(LIMIT)
    except subprocess.TimeoutExpired:
        job.kill()
        return f"HANGS, after {LIMIT} s"
    path = run / "manifest.json"
    told = json.loads(path.read_text())["status"].partition(":")[0] if path.is_file() else "no record yet"
    return f"exit {code}; {told}"


def examine(case: dict[str, Any], out: Path) -> dict[str, Any]:
    """Run one case from its start to the comparison."""
    reference, took = whole(case, out)
    folder = out / f"case_{case['case']:03d}"
    if folder.exists():  # of a campaign that was stopped here
        subprocess.run(["umount", str(folder / "small")], check=False, capture_output=True)
        shutil.rmtree(folder)
    shared = out / "data"  # made by whoever is first; one in five makes its own, and may die in it
    data = folder / "data" if case["case"] % 5 == 0 else shared
    run = (folder / "small" if case["end"] == "disk" else folder) / "run"
    told = fill(case, folder, data) if case["end"] == "disk" else interrupt(case, folder, data, took)
    over = told.endswith("finished")  # before its moment came: going on must change nothing
    goal = folder / "elsewhere" if case["elsewhere"] and not over else run
    begun = (run / "manifest.json").is_file()
    more = [f"resume={run}"] if begun else []
    job = start(command(case, goal, data, *more), folder / "log.txt")
    result = _ended(job, goal)
    faults = different(reference, goal) if result.startswith("exit 0") else [f"resuming failed: {result}"]
    if case["end"] == "disk":
        subprocess.run(["umount", str(folder / "small")], check=False)
    return case | {"told": told, "resumed": begun, "faults": faults}


def settle(case: dict[str, Any], out: Path) -> dict[str, Any]:
    """A case with its result, from an earlier call of the campaign where it is known."""
    kept = out / f"case_{case['case']:03d}.json"
    known: dict[str, Any] = json.loads(kept.read_text()) if kept.is_file() else {}
    if case.items() <= known.items():
        return known
    found = examine(case, out)
    kept.write_text(json.dumps(found, indent=2) + "\n")
    told = {name: found[name] for name in ("case", "end", "kind", "workers", "told", "faults")}
    sys.stdout.write(f"{told}\n")
    sys.stdout.flush()
    return found


def main() -> None:
    """Run the campaign, write its table, and exit with 1 if a case differs."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    for name, default in (("kills", 40), ("signals", 20), ("full-disks", 20), ("seed", 0), ("jobs", 2)):
        parser.add_argument(f"--{name}", type=int, default=default)
    parser.add_argument("--workers-of", type=int, nargs="+", default=[0, 1, 2])
    for name, share in (("pixels-share", 0.2), ("elsewhere-share", 0.33), ("rate-share", 0.15)):
        parser.add_argument(f"--{name}", type=float, default=share)
    parser.add_argument("--out", type=Path, default=Path("outputs/interruptions"))
    parser.add_argument("--page", type=Path, default=None, help="a Markdown page besides the table in --out")
    arguments = parser.parse_args()
    out = arguments.out.resolve()
    out.mkdir(parents=True, exist_ok=True)
    if arguments.full_disks and (not hasattr(os, "geteuid") or os.geteuid() != 0):
        sys.stdout.write("full disks are left out: mounting a small file system takes root\n")
        arguments.full_disks = 0
    cases = plan(arguments)
    with ThreadPoolExecutor(arguments.jobs) as pool:
        list(pool.map(lambda case: whole(case, out), {_reference(case): case for case in cases}.values()))
        done = list(pool.map(lambda case: settle(case, out), cases))
    write_page(done, table=out / "interruptions.json", page=arguments.page)
    sys.exit(any(case["faults"] for case in done))


if __name__ == "__main__":
    main()
