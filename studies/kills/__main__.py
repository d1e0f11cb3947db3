"""Commands are killed at any moment, given once more, and held against what nobody disturbed.

`python -m studies.kills kills=60` ends folds of a cross-validation, preprocessing, encoding and the writing
of reports by SIGKILL or SIGTERM, gives the same command again, and compares every digit of the results.
Moments are drawn over what a command leaves on disk (a file that comes or changes) and the time until the
next, not over seconds, most of which are its start. Cases that are done are kept in `out`, so that the study
goes on where it was stopped; `limit_s` ends it early with the cases that there are.
"""

import json
import os
import random
import shutil
import signal
import sys
import time
from multiprocessing.context import ForkServerProcess
from pathlib import Path
from typing import Any

from datamodules.command_line import run
from studies.kills.commands import COMMANDS
from studies.kills.page import write_page
from studies.kills.process import start

LIMIT = 300  # seconds that one command may take
_SIGNALS = ("SIGKILL", "SIGTERM")
_POLL = 0.01  # seconds between two looks at a folder
_TELLS_TIMES = ("logs", ".lock")


class Watch:
    """Counts what happens in a folder: every file that comes, and every change of one.

    Args:
        folder: Need not be there yet.
    """

    def __init__(self, folder: Path) -> None:
        self._folder, self._seen = folder, set[tuple[str, int]]()
        self.names: list[str] = []  # of the file of each event, in their order

    def look(self) -> int:
        """Look once more; returns the events so far."""
        for path in sorted(self._folder.rglob("*")):
            name = path.relative_to(self._folder).as_posix()
            if name.startswith(_TELLS_TIMES) or ".partial" in name:
                continue
            try:
                event = (name, path.stat().st_mtime_ns)
            except OSError:  # renamed in this moment
                continue
            if path.is_file() and event not in self._seen:
                self._seen.add(event)
                self.names.append(name)
        return len(self.names)


def plan(kills: int, *, seed: int, commands: tuple[str, ...]) -> list[dict[str, Any]]:
    """The cases: commands and signals in turn, moments at random but spread over all of the way."""
    rng = random.Random(seed)
    each = -(-kills // len(commands))
    places = {name: rng.sample(range(each), each) for name in commands}
    return [
        {
            "case": number,
            "command": (name := commands[number % len(commands)]),
            "signal": _SIGNALS[number // len(commands) % len(_SIGNALS)],
            "position": (places[name][number // len(commands)] + rng.random()) / each,
        }
        for number in range(kills)
    ]


def whole(name: str, out: Path) -> tuple[Path, dict[str, Any]]:
    """What a command leaves that nobody disturbs, and the seconds of its events."""
    command, folder, kept = COMMANDS[name], out / "whole" / name, out / "whole" / f"{name}.json"
    if not kept.is_file():
        shutil.rmtree(folder, ignore_errors=True)
        line = command.line(folder, out / "data")
        watch, times, begun = Watch(folder), list[float](), time.monotonic()
        job = start(line, out / "whole" / f"{name}.log")
        while job.is_alive():
            times += [time.monotonic() - begun] * (watch.look() - len(times))
            time.sleep(_POLL)
        times += [time.monotonic() - begun] * (watch.look() + 1 - len(times))  # the last one is its end
        if job.exitcode != 0:
            raise SystemExit(f"the undisturbed command failed: see {out / 'whole' / name}.log")
        last = [number for number, one in enumerate(watch.names) if one == command.since]
        kept.write_text(json.dumps({"times": times, "first": last[-1] + 1 if last else 0}))
    return folder, json.loads(kept.read_text())


def interrupt(job: ForkServerProcess, watch: Watch, *, events: int, wait: float, number: int) -> bool:
    """Send a signal some seconds after an event; returns whether the command was still going on."""
    while job.is_alive() and watch.look() < events:
        time.sleep(_POLL)
    job.join(wait)
    if not job.is_alive():
        return False
    assert job.pid is not None
    os.kill(job.pid, number)
    job.join(LIMIT)
    return job.exitcode != 0  # it had come to its end in that very moment


def examine(case: dict[str, Any], out: Path) -> dict[str, Any]:
    """Run one case from its start to the comparison."""
    command = COMMANDS[case["command"]]
    reference, facts = whole(case["command"], out)
    folder, log = out / f"case_{case['case']:03d}", out / "logs" / f"case_{case['case']:03d}.txt"
    times, number = [0.0, *facts["times"]], int(getattr(signal, case["signal"]))
    met, position, line = False, case["position"], command.line(folder, out / "data")
    while not met:  # what was over before its moment is begun anew and ended earlier
        shutil.rmtree(folder, ignore_errors=True)
        index, share = divmod(facts["first"] + position * (len(times) - 1 - facts["first"]), 1)
        wait = share * (times[int(index) + 1] - times[int(index)])
        job, watch = start(line, log), Watch(folder)
        met = interrupt(job, watch, events=int(index), wait=wait, number=number)
        position *= 0.8
    faults = _badly_ended(job, number)
    again = start(line, log)
    again.join(LIMIT)
    if again.exitcode != 0:
        again.kill()
        faults.append(f"going on failed: exit {again.exitcode}")
    else:
        faults += command.different(reference, folder)
    if not faults:
        shutil.rmtree(folder)
    return case | {"events": watch.look(), "of": len(times) - 2, "faults": faults}


def _badly_ended(job: ForkServerProcess, number: int) -> list[str]:
    """SIGTERM ends a command with a status of its own."""
    if job.is_alive():
        job.kill()
        return [f"hangs, {LIMIT} s after {signal.Signals(number).name}"]
    good = (-number,) if number == signal.SIGKILL else (128 + number, -number)
    return [] if job.exitcode in good else [f"ended with {job.exitcode}"]


def main(
    *,
    kills: int = 60,
    seed: int = 0,
    commands: tuple[str, ...] = tuple(COMMANDS),
    limit_s: float | None = None,
    out: Path = Path("outputs/kills"),
    page: Path | None = None,
) -> int:
    """Run the cases and write their table; the status is 1 if a result differs.

    Args:
        kills: Cases, of all commands together.
        seed: Of all that is drawn.
        commands: Which are killed, in turn.
        limit_s: Seconds after which no further case is begun.
        out: Folder of the runs and of the results.
        page: A Markdown page besides.
    """
    out, begun = out.resolve(), time.monotonic()
    out.mkdir(parents=True, exist_ok=True)
    results = []
    for case in plan(kills, seed=seed, commands=commands):
        kept = out / f"case_{case['case']:03d}.json"
        late = limit_s is not None and time.monotonic() - begun > limit_s
        if not kept.is_file() and not late:
            kept.write_text(json.dumps(examine(case, out), indent=2) + "\n")
            sys.stdout.write(kept.read_text())
            sys.stdout.flush()
        if kept.is_file():
            results.append(json.loads(kept.read_text()))
    write_page(results, page=page)
    return int(any(case["faults"] for case in results))


if __name__ == "__main__":
    sys.exit(run(main))
