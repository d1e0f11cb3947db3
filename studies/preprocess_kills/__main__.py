"""`preprocess.py` is killed at any moment and goes on; its cache is held against an uninterrupted one.

`python -m studies.preprocess_kills kills=20` starts real commands on small videos of drawn persons, sends
SIGKILL to the command alone, to its whole group, or to one of its workers, gives the same command again, and
compares every file of the cache but logs and the page, byte by byte. Moments are drawn over what is done:
before the first recording, and between one and the next. Cases that are done are kept in `out`.
"""

import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from datamodules.command_line import run
from studies.preprocess_kills.page import write_page
from studies.preprocess_kills.videos import write_videos

ROOT = Path(__file__).resolve().parents[2]
EXECUTORS = ("processes", "ray")
WHOM = ("command", "group", "worker")
LIMIT = 300  # seconds that one command may take
_WORKERS = {"processes": "spawn_main", "ray": "ray::_task"}  # in their command lines


def plan(kills: int, *, seed: int) -> list[dict[str, Any]]:
    """The cases: executors and victims in turn, moments at random but spread over all of the way."""
    rng = random.Random(seed)
    each = {executor: rng.sample(range(kills), kills) for executor in EXECUTORS}
    return [
        {
            "case": f"{executor}_{number:02d}",
            "executor": executor,
            "whom": WHOM[number % len(WHOM)],
            "position": (each[executor][number] + rng.random()) / kills,
        }
        for number in range(kills)
        for executor in EXECUTORS
    ]


def start(executor: str, videos: Path, cache: Path, log: Path) -> "subprocess.Popen[bytes]":
    """Begin the command in a session of its own."""
    log.parent.mkdir(parents=True, exist_ok=True)
    words = [f"input={videos}", f"output={cache}", f"executor={executor}", "executor.workers=2"]
    with log.open("ab") as out:
        return subprocess.Popen(
            [sys.executable, str(ROOT / "preprocess.py"), *words],
            cwd=ROOT, stdout=out, stderr=subprocess.STDOUT, start_new_session=True,
        )  # fmt: skip


def done(cache: Path) -> int:
    """Recordings that have an entry."""
    return len(list(cache.glob("entries/[!.]*.json")))


def whole(executor: str, out: Path) -> tuple[Path, dict[str, Any]]:
    """A cache that nobody interrupted, and the seconds at which its recordings were done."""
    cache, facts = out / f"whole_{executor}", out / f"whole_{executor}.json"
    if not facts.is_file():
        shutil.rmtree(cache, ignore_errors=True)
        begun, times = time.monotonic(), list[float]()
        job = start(executor, out / "videos", cache, out / "logs" / f"whole_{executor}.txt")
        while job.poll() is None:
            times += [time.monotonic() - begun] * (done(cache) - len(times))
            time.sleep(0.02)
        if job.returncode != 0:
            raise RuntimeError(f"{out}/logs/whole_{executor}.txt: the command failed, {job.returncode}")
        facts.write_text(json.dumps({"times": times, "end": time.monotonic() - begun}))
    return cache, json.loads(facts.read_text())


def kill(
    case: dict[str, Any], job: "subprocess.Popen[bytes]", cache: Path, facts: dict[str, Any]
) -> dict[str, Any]:
    """Wait for the moment of a case and kill; returns what was met."""
    marks = [0.0, *facts["times"]]
    index, share = divmod(case["position"] * len(marks), 1)
    following = [*marks[1:], facts["end"]][int(index)]
    while done(cache) < int(index) and job.poll() is None:
        time.sleep(0.01)
    time.sleep(share * (following - marks[int(index)]))
    met = {"entries": done(cache), "whom": case["whom"]}
    if case["whom"] == "worker" and (victims := _workers(job.pid, _WORKERS[case["executor"]])):
        os.kill(random.Random(case["case"]).choice(victims), signal.SIGKILL)
        return met
    if job.poll() is not None:
        return met | {"whom": "nobody, it had ended"}
    if case["whom"] == "group":
        os.killpg(job.pid, signal.SIGKILL)
    else:
        job.kill()  # where no worker is at work yet, the command in its place
        met["whom"] = "command"
    return met


def _workers(session: int, mark: str) -> list[int]:
    """Processes below the command whose command line has a mark."""
    parents, table = {session}, []
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            parent = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
            table.append((int(entry.name), parent, (entry / "cmdline").read_bytes().decode(errors="replace")))
        except OSError:
            continue
    for _ in range(5):
        parents |= {process for process, parent, _ in table if parent in parents}
    return [process for process, _, line in table if process in parents and mark in line]


def different(reference: Path, cache: Path) -> list[str]:
    """What differs between two caches; empty if nothing does."""
    first, second = (_files(folder) for folder in (reference, cache))
    faults = [f"{name} is missing" for name in first.keys() - second.keys()]
    faults += [f"{name} is left over" for name in second.keys() - first.keys()]
    return faults + [name for name in first.keys() & second.keys() if first[name] != second[name]]


def _files(folder: Path) -> dict[str, bytes]:
    """Content of all files, hidden ones too; logs tell times, and the page tells the rate."""
    names = [path for path in folder.rglob("*") if path.is_file()]
    places = {path.relative_to(folder).as_posix(): path for path in names}
    return {
        name: path.read_bytes() if name != "faces.html" else b""
        for name, path in places.items()
        if not name.startswith("logs/")
    }


def examine(case: dict[str, Any], out: Path) -> dict[str, Any]:
    """Run one case: kill, go on, compare."""
    reference, facts = whole(case["executor"], out)
    cache, log = out / case["case"], out / "logs" / f"{case['case']}.txt"
    shutil.rmtree(cache, ignore_errors=True)
    job = start(case["executor"], out / "videos", cache, log)
    met = kill(case, job, cache, facts)
    job.wait(LIMIT)
    code = start(case["executor"], out / "videos", cache, log).wait(LIMIT)
    faults = different(reference, cache) if code == 0 else [f"going on failed: exit {code}"]
    if not faults:
        shutil.rmtree(cache)
    return case | met | {"of": len(facts["times"]), "faults": faults}


def main(
    *,
    kills: int = 20,
    videos: int = 7,
    seed: int = 0,
    executors: tuple[str, ...] = EXECUTORS,
    out: Path = Path("outputs/preprocess_kills"),
    page: Path | None = None,
) -> int:
    """Run the cases and write their table; the status is 1 if a cache differs.

    Args:
        kills: Cases of each executor.
        videos: Recordings of the cache.
        seed: Of all that is drawn.
        executors: Those that are examined now; what is kept of others is told as well.
        out: Folder of the caches and of the results.
        page: A Markdown page besides.
    """
    out = out.resolve()
    if not (out / "videos").is_dir():
        write_videos(out / "videos", videos)
    results = []
    for case in plan(kills, seed=seed):
        kept = out / f"{case['case']}.json"
        if not kept.is_file() and case["executor"] in executors:
            kept.write_text(json.dumps(examine(case, out), indent=2) + "\n")
            sys.stdout.write(f"{kept.read_text()}")
            sys.stdout.flush()
        if kept.is_file():
            results.append(json.loads(kept.read_text()))
    write_page(results, page=page)
    return int(any(case["faults"] for case in results))


if __name__ == "__main__":
    sys.exit(run(main))
