"""Trainings are killed, signaled or run out of disk, resumed, and compared with uninterrupted ones.

`python -m studies.interruptions kills=40 signals=20 full_disks=20` starts real `train.py` processes
on a small cohort, ends each at a random moment, resumes it, in its own folder or another, and compares
everything but times. Moments are drawn over what a run has done, six of eight over its training steps; see
`studies.interruptions.moment`. Cases that are done are kept in `out`, so that the campaign itself can go
on, in parts with `only=0,20`. It exits with 1 if any case differs.
"""

import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from datamodules.command_line import run
from studies.interruptions.compare import different
from studies.interruptions.moment import AFTER, END, PLACES, choose, epochs_of, marks, place, status, used
from studies.interruptions.page import write_page

ROOT = Path(__file__).resolve().parents[2]
SIGNALS = ("SIGINT", "SIGTERM", "SIGHUP", "SIGUSR1")
LIMIT = 300  # seconds that one training may take
_COHORT = ["n_subjects=10", "n_visits=2", "fps=10", "duration_s=2", "workers=2"]
_SMALL = [
    "width=16", "trainer.max_epochs=12", "+trainer.enable_progress_bar=false", "evaluation.n_boot=1000",
    "data.module.subjects=2", "data.module.train_clips.length=8", "data.module.eval_clips.length=8",
    "protocol.val=0.3", "evaluation.filmstrips=1", "model.network.rarm.dropout=0.5",
]  # fmt: skip
_KINDS = {
    "series": ["experiment=mpdrm_series", "model.network.depression.trunk.blocks=1"],
    "pixels": [
        "experiment=mpdrm", "data.cohort.size=32", "data.module.source.video.height=32",
        "data.module.source.video.width=32", "model.network.depression.trunk.widths=[8,16]",
        "model.network.depression.trunk.mmp_stages=[1]",
    ],
}  # fmt: skip
_TRACE = [  # every step that begins leaves a line on disk
    "+callbacks.rate={_target_: pytorch_lightning.callbacks.LearningRateMonitor, logging_interval: step}",
    "trainer.log_every_n_steps=1", "+logger.csv.flush_logs_every_n_steps=1",
]  # fmt: skip
_PIXELS, _ELSEWHERE, _RATE = 0.2, 0.33, 0.15  # shares of cases: on pixels, going on elsewhere, with find_lr
_POLL = 0.01  # seconds between two looks at a run


def command(case: dict[str, Any], run: Path, data: Path, *more: str) -> list[str]:
    """The command line of a case's training."""
    cohort = [f"data.cohort.{setting}" for setting in _COHORT]
    workers = f"data.module.num_workers={case['workers']}"
    variant = [f"find_lr={str(case['find_lr']).lower()}", f"callbacks={case['callbacks']}"]
    if case["callbacks"] == "early_stopping":
        variant.append("callbacks.early_stopping.patience=3")
    places = [f"hydra.run.dir={run}", f"paths.data={data}"]
    fixed = [*_KINDS[case["kind"]], *cohort, *_SMALL, *_TRACE]
    return [sys.executable, "train.py", *fixed, workers, *variant, *places, *more]


def start(line: list[str], log: Path) -> "subprocess.Popen[bytes]":
    """Start a training that writes its output to a file."""
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("ab") as file:
        return subprocess.Popen(
            line, cwd=ROOT, stdout=file, stderr=file, env=os.environ | {"OMP_NUM_THREADS": "1"}
        )


def _reference(case: dict[str, Any]) -> str:
    return f"{case['kind']}-{case['callbacks']}-{case['find_lr']}"


def whole(case: dict[str, Any], out: Path) -> tuple[Path, dict[str, Any]]:
    """The uninterrupted run of a case, made once, with the times of its marks and the room that it took."""
    name = _reference(case)
    folder, kept = out / "whole" / name, out / "whole" / f"{name}.json"
    if not kept.is_file():
        shutil.rmtree(folder, ignore_errors=True)
        began, wall = time.monotonic(), time.time()
        job = start(command(case, folder, out / "data"), out / "whole" / f"{name}.log")
        times: dict[str, float] = {}
        first = 0
        while job.poll() is None and time.monotonic() < began + LIMIT:
            for mark in marks(folder, epochs=None):
                times.setdefault(mark, time.monotonic() - began)
            if not first and (folder / "checkpoints" / "last.ckpt").is_file():
                first = used(folder)
            time.sleep(_POLL)
        if job.poll() != 0:
            raise SystemExit(f"the uninterrupted run failed: see {out / 'whole' / f'{name}.log'}")
        times["trained"] = (folder / "checkpoints" / "last.ckpt").stat().st_mtime - wall
        late = (*AFTER, END)
        order = sorted(times, key=lambda mark: late.index(mark) if mark in late else -1)
        facts = {"epochs": epochs_of(folder), "first": first, "all": used(folder)}
        kept.write_text(json.dumps(facts | {"times": {mark: times[mark] for mark in order}}))
    facts = json.loads(kept.read_text())
    return folder, facts


def plan(ends: Sequence[str], *, seed: int, workers_of: Sequence[int]) -> list[dict[str, Any]]:
    """The cases, drawn from the seed: what ends a run, where, on what, and where it goes on."""
    rng = random.Random(seed)
    cases = []
    for number, end in enumerate(ends):
        case: dict[str, Any] = {
            "case": number,
            "end": end,
            # one in eight before training, one in eight after it
            "aimed": PLACES[0] if number % 8 == 0 else PLACES[2] if number % 8 == 4 else PLACES[1],
            "position": rng.random(),
            "kind": "pixels" if rng.random() < _PIXELS else "series",
            "workers": workers_of[number % len(workers_of)],
            "elsewhere": rng.random() < _ELSEWHERE,
            "signal": SIGNALS[number % len(SIGNALS)] if end == "signal" else "SIGKILL",
            "callbacks": rng.choice(["default", "default", "early_stopping"]),
            "find_lr": rng.random() < _RATE,
        }
        cases.append(case)
    return cases


def interrupt(case: dict[str, Any], folder: Path, data: Path, facts: dict[str, Any]) -> dict[str, Any]:
    """Start the training of a case, end it at its moment, and say where it was and how it ended.

    What is over before its moment is begun anew and ended earlier, so that every case is interrupted.
    """
    run, position = folder / "run", case["position"]
    while True:
        mark, wait = choose(facts["times"], case["aimed"], position)
        job = start(command(case, run, data), folder / "log.txt")
        while job.poll() is None and mark not in marks(run, epochs=facts["epochs"]):
            time.sleep(_POLL)
        try:
            job.wait(wait)
        except subprocess.TimeoutExpired:
            at = marks(run, epochs=facts["epochs"])[-1]
            if at != END:
                job.send_signal(getattr(signal, case["signal"]))
                return {"at": at, "where": place(at), "told": _ended(job, run)}
        job.wait(LIMIT)
        position *= 0.8
        shutil.rmtree(folder)


def fill(case: dict[str, Any], folder: Path, data: Path, facts: dict[str, Any]) -> dict[str, Any]:
    """Start the training of a case on a file system of its own that is too small, then make room.

    It holds the first checkpoint, and not the whole run. Nothing else is on it. Needs the right to mount.
    """
    size = int(facts["first"] + case["position"] * (0.97 * facts["all"] - facts["first"]))
    small, log = folder / "small", folder / "log.txt"
    small.mkdir(parents=True, exist_ok=True)
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(small)], check=True)
    told = _ended(start(command(case, small / "run", data), log), small / "run")
    at = marks(small / "run", epochs=facts["epochs"])[-1]
    full = "No space left" in log.read_text(errors="replace")
    subprocess.run(["mount", "-o", "remount,size=200m", str(small)], check=True)
    return {"at": at, "where": place(at), "told": f"{size} bytes: {told}", "full": full}


def _ended(job: "subprocess.Popen[bytes]", run: Path) -> str:
    try:
        code = job.wait(LIMIT)
    except subprocess.TimeoutExpired:
        job.kill()
        return f"HANGS, after {LIMIT} s"
    return f"exit {code}; {status(run)}"


def examine(case: dict[str, Any], out: Path) -> dict[str, Any]:
    """Run one case from its start to the comparison."""
    reference, facts = whole(case, out)
    folder = out / f"case_{case['case']:03d}"
    if folder.exists():  # of a campaign that was stopped here
        subprocess.run(["umount", str(folder / "small")], check=False, capture_output=True)
        shutil.rmtree(folder)
    shared = out / "data"  # made by whoever is first; one in five makes its own, and may die in it
    data = folder / "data" if case["case"] % 5 == 0 else shared
    run = (folder / "small" if case["end"] == "disk" else folder) / "run"
    met = (fill if case["end"] == "disk" else interrupt)(case, folder, data, facts)
    over = met["told"].endswith("finished")  # before its moment came: going on must change nothing
    goal = folder / "elsewhere" if case["elsewhere"] and not over else run
    begun = (run / "manifest.json").is_file()
    more = [f"resume={run}"] if begun else []
    job = start(command(case, goal, data, *more), folder / "log.txt")
    result = _ended(job, goal)
    faults = different(reference, goal) if result.startswith("exit 0") else [f"resuming failed: {result}"]
    if case["end"] == "disk":
        subprocess.run(["umount", str(folder / "small")], check=False)
    return case | met | {"resumed": begun, "faults": faults}


def _file(case: dict[str, Any]) -> str:
    return f"case_{case['case']:03d}.json"


def settle(case: dict[str, Any], out: Path) -> dict[str, Any]:
    """A case with its result, from an earlier call of the campaign where it is known."""
    kept = out / _file(case)
    known: dict[str, Any] = json.loads(kept.read_text()) if kept.is_file() else {}
    if case.items() <= known.items():
        return known
    found = examine(case, out)
    kept.write_text(json.dumps(found, indent=2) + "\n")
    told = {name: found[name] for name in ("case", "end", "kind", "workers", "at", "told", "faults")}
    sys.stdout.write(f"{told}\n")
    sys.stdout.flush()
    return found


def main(
    *,
    kills: int = 40,
    signals: int = 20,
    full_disks: int = 20,
    seed: int = 0,
    jobs: int = 2,
    workers_of: tuple[int, ...] = (0, 1, 2),
    only: tuple[int, ...] = (),
    out: Path = Path("outputs/interruptions"),
    page: Path | None = None,
) -> int:
    """Run the campaign and write its table; the status is 1 if a case differs.

    Args:
        kills: Cases that end by SIGKILL.
        signals: Cases that end by another signal.
        full_disks: Cases whose disk is full.
        seed: Of all that is drawn.
        jobs: Trainings side by side.
        workers_of: Workers of the loaders, in turn.
        only: First case, and the one after the last; all by default.
        out: Folder of the runs and of the table.
        page: A Markdown page besides.
    """
    out = out.resolve()
    out.mkdir(parents=True, exist_ok=True)
    if full_disks and (not hasattr(os, "geteuid") or os.geteuid() != 0):
        sys.stdout.write("full disks are left out: mounting a small file system takes root\n")
        full_disks = 0
    ends = ["kill"] * kills + ["signal"] * signals + ["disk"] * full_disks
    cases = plan(ends, seed=seed, workers_of=workers_of)
    now = cases[slice(*only)] if only else cases
    with ThreadPoolExecutor(jobs) as pool:
        list(pool.map(lambda case: whole(case, out), {_reference(case): case for case in now}.values()))
        list(pool.map(lambda case: settle(case, out), now))
    done = [settle(case, out) for case in cases if case in now or (out / _file(case)).is_file()]
    write_page(done, table=out / "interruptions.json", page=page)
    return int(any(case["faults"] for case in done))


if __name__ == "__main__":
    sys.exit(run(main))
