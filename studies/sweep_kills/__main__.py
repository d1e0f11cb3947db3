"""Workers of `sweep.py` are killed at random moments; its trials are held against an undisturbed sweep.

`python -m studies.sweep_kills kills=20` trains a small network on the synthetic cohort under the samplers
random, grid and TPE with 4 workers, sends SIGKILL to one worker after another and, every fifth time, to the
command with all its workers, after which the same command is given again. Random and grid have to give the
table of a sweep that nobody disturbed; of TPE no trial may be lost, finished twice, or left running. With
`server=true` the study is kept in a PostgreSQL server that is started for it. Commands are forks of this
process.
"""

import json
import os
import random
import re
import shutil
import signal
import time
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pandas as pd

from datamodules.command_line import run
from studies.sweep_kills.forks import Forked
from studies.sweep_kills.page import write_page
from studies.sweep_kills.postgres import server as postgres
from studies.sweep_kills.pretended import run as pretended

ROOT = Path(__file__).resolve().parents[2]
SAMPLERS = ("random", "grid", "tpe")
SPACE = {
    "grid": [
        "model.optimizer.lr=1e-4,3e-4,1e-3,3e-3,1e-2,3e-2",
        "model.optimizer.weight_decay=0,1e-3,1e-2,1e-1",
    ]
}
_SPACE = ["model.optimizer.lr=tag(log,interval(1e-4,1e-2))", "model.optimizer.weight_decay=0.0,0.01,0.1"]
SMALL = [
    *("experiment=mpdrm_series", "model.network.depression.trunk.blocks=1", "width=16", "logger=none"),
    *(
        "data.cohort.n_subjects=10",
        "data.cohort.n_visits=2",
        "data.cohort.fps=10",
        "data.cohort.duration_s=2",
    ),
    *("data.cohort.workers=1", "protocol.val=0.3", "trainer.max_epochs=6", "evaluation.n_boot=1000"),
    *("evaluation.lines=[statistics]", "data.module.num_workers=0", "data.module.subjects=2"),
    *("data.module.train_clips.length=8", "data.module.eval_clips.length=8"),
]
_KEY = ("sampler", "storage", "trainings")  # of a case
_EVERY = 5  # kills, of which one is of the whole command
_ON = re.compile(r"epochs (?!1 )\d+ to")  # what a training says that begins later than with its first epoch
_LIMIT = 3600  # seconds that a sweep may take


def command(sampler: str, folder: Path, *, data: Path, storage: str | None, trials: int) -> list[str]:
    """The words of a sweep."""
    kept = [] if storage is None else [f"storage='{storage}'"]
    return [
        "python", "sweep.py", f"study={folder.name}", f"sampler={sampler}", f"n_trials={trials}",
        "workers=4", "heartbeat=5", "retries=30", f"hydra.run.dir={folder}", *kept,
        *SPACE.get(sampler, _SPACE), *SMALL, f"paths.data={data}",
    ]  # fmt: skip


def begin(words: list[str], log: Path) -> Forked:
    """Start a sweep in a session of its own."""
    log.parent.mkdir(parents=True, exist_ok=True)
    environment = dict(os.environ) | {"OMP_NUM_THREADS": "1"}
    with log.open("ab") as out:
        return Forked(words, out, environment, leads=True)


def at_work(folder: Path, url: str | None) -> list[int]:
    """The workers that are at a trial."""
    marks = [one.user_attrs["worker"] for one in _attempts(folder, url) if one.state.name == "RUNNING"]
    workers = {int(mark.rpartition(":")[2]) for mark in marks}
    return [worker for worker in workers if Path(f"/proc/{worker}").exists()]


def disturbed(
    words: list[str], log: Path, folder: Path, *, url: str | None, kills: int, pause: float, seed: int
) -> dict[str, int]:
    """Run a sweep to its end while its processes are killed; counts the kills by whom they met."""
    rng, met = random.Random(seed), {"worker": 0, "command": 0, "commands given": 1}
    job = begin(words, log)
    until = time.monotonic() + _LIMIT
    while time.monotonic() < until:
        moment = time.monotonic() + rng.uniform(0.2, 1.8) * pause
        while time.monotonic() < moment and job.poll() is None:
            time.sleep(0.05)
        if job.poll() is not None:
            if job.returncode == 0:
                return met
            raise RuntimeError(f"{log}: the sweep ended with status {job.returncode}")
        done = met["worker"] + met["command"]
        if done >= kills:
            continue
        if (done + 1) % _EVERY == 0 and at_work(folder, url):
            os.killpg(job.pid, signal.SIGKILL)
            job.wait(60)
            job = begin(words, log)
            met["command"] += 1
            met["commands given"] += 1
        elif victims := at_work(folder, url):
            os.kill(rng.choice(victims), signal.SIGKILL)
            met["worker"] += 1
    os.killpg(job.pid, signal.SIGKILL)
    raise RuntimeError(f"{log}: the sweep did not end")


def _attempts(folder: Path, url: str | None) -> list[Any]:
    """All attempts at trials, read with Optuna alone; none where the study has not begun."""
    import optuna

    optuna.logging.set_verbosity(optuna.logging.ERROR)
    if url is None and not (folder / "study.db").is_file():
        return []
    try:
        storage = url or f"sqlite:///{folder}/study.db"
        return list(optuna.load_study(study_name=folder.name, storage=storage).trials)
    except Exception:  # its tables are being made
        return []


def attempts(folder: Path, url: str | None) -> dict[int, list[str]]:
    """The states of all attempts at each trial."""
    found: dict[int, list[str]] = {}
    for one in _attempts(folder, url):
        found.setdefault(int(one.user_attrs["trial"]), []).append(one.state.name)
    return found


def faults(folder: Path, url: str | None, undisturbed: Path | None, *, trials: int) -> list[str]:
    """What is wrong with a sweep; empty if nothing is."""
    states, wrong = attempts(folder, url), []
    if sorted(states) != list(range(trials)):
        wrong.append(f"trials {sorted(states)} instead of 0 to {trials - 1}")
    for number, own in states.items():
        if own.count("COMPLETE") != 1 or set(own) - {"COMPLETE", "FAIL"}:
            wrong.append(f"trial {number} is {own}")
    table = pd.read_csv(folder / "trials.csv")
    if (looked := int((table["test_looks"] > 0).sum())) != 1 or table["test_looks"].max() != 1:
        wrong.append(f"{looked} trials were tested, {table['test_looks'].max()} times")
    if undisturbed is not None:
        other = pd.read_csv(undisturbed / "trials.csv")
        same = [name for name in table if name not in ("restarts", "seconds")]
        if not table[same].equals(other[same]):
            wrong.append("the table is another one than undisturbed")
    return wrong


def examine(
    sampler: str,
    out: Path,
    *,
    trainings: str,
    trials: int,
    kills: int,
    pause: float,
    seed: int,
    url: str | None,
) -> dict[str, Any]:
    """Run one sampler undisturbed, where that can be compared, and disturbed."""
    place = "sqlite" if url is None else "postgresql"
    whole = None
    if sampler != "tpe":
        whole = out / f"{sampler}_whole"
        if not (whole / "study.html").is_file():
            shutil.rmtree(whole, ignore_errors=True)
            words = command(sampler, whole, data=out / "data", storage=None, trials=trials)
            if begin(words, out / "logs" / f"{whole.name}.txt").wait(_LIMIT) != 0:
                raise RuntimeError(f"{out}/logs/{whole.name}.txt: the sweep failed")
    folder = out / f"{sampler}_{place}"
    shutil.rmtree(folder, ignore_errors=True)
    begun = time.monotonic()
    words = command(sampler, folder, data=out / "data", storage=url, trials=trials)
    log = out / "logs" / f"{folder.name}.txt"
    met = disturbed(words, log, folder, url=url, kills=kills, pause=pause, seed=seed)
    restarts = int(pd.read_csv(folder / "trials.csv")["restarts"].sum())
    logs = "".join(path.read_text(errors="replace") for path in folder.glob("workers/*.log"))
    return {
        "sampler": sampler, "storage": place, "trainings": trainings, "trials": trials, **met,
        "restarts": restarts, "from a checkpoint": len(_ON.findall(logs)),
        "seconds": round(time.monotonic() - begun), "faults": faults(folder, url, whole, trials=trials),
    }  # fmt: skip


def main(
    *,
    kills: int = 20,
    trials: int = 12,
    samplers: tuple[str, ...] = SAMPLERS,
    pause: float = 6.0,
    pretend: bool = False,
    server: bool = False,
    seed: int = 0,
    out: Path = Path("outputs/sweep_kills"),
    page: Path | None = None,
) -> int:
    """Kill, go on, compare; the exit status is 1 where a trial was lost or a table differs.

    Args:
        kills: Of each sampler, every fifth of the whole command.
        trials: Of each sampler, 24 at most.
        samplers: Of random, grid and tpe.
        pause: Seconds between two kills, on average.
        pretend: Let trainings only wait, and write what a training writes: 20 kills in a minute.
        server: Keep the study in a PostgreSQL server that is started for it.
        seed: Of the moments and victims.
        out: Where the sweeps are made; undisturbed ones are kept.
        page: Write what all cases so far came to, as Markdown.
    """
    import engine.sweep  # noqa: F401 - before the forks, which then begin at once
    from engine.sweeping.trial_runs import TrialRuns

    if pretend:
        TrialRuns._run = pretended  # type: ignore[assignment]  # its `self` is called `runs`

    out = out.resolve()
    out.mkdir(parents=True, exist_ok=True)
    cases = out / "cases.json"
    known = json.loads(cases.read_text()) if cases.is_file() else []
    bad, trainings = 0, "pretended" if pretend else "real"
    for sampler in samplers:
        with ExitStack() as stack:
            url = None
            if server:
                url = stack.enter_context(postgres())
            given: Any = {"trials": trials, "kills": kills, "pause": pause, "seed": seed, "url": url}
            case = examine(sampler, out / trainings, trainings=trainings, **given)
        bad += bool(case["faults"])
        known = [one for one in known if any(one[name] != case[name] for name in _KEY)] + [case]
        cases.write_text(json.dumps(known, indent=2))
    if page is not None:
        write_page(page, known)
    return int(bad > 0)


if __name__ == "__main__":
    raise SystemExit(run(main))
