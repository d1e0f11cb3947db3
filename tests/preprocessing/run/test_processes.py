"""Workers die, fail and go on: every recording gets an answer."""

import functools
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from preprocessing.cache.entry import Entry
from preprocessing.run.executor import ATTEMPTS, Lost
from preprocessing.run.processes import Processes
from tests.preprocessing.run.made_entries import job, tries, work


@pytest.fixture
def run(tmp_path):
    """Run jobs of these names; the answers by name."""

    def answers(executor, *names):
        jobs = [job(name, __file__) for name in names]
        found = executor.run(functools.partial(work, notes=str(tmp_path)), jobs)
        return {one.recording_id: answer for one, answer in found}

    return answers


def check_answers(found, notes):
    """What both executors must say of the same recordings."""
    assert isinstance(found["fine_1"], Entry)
    assert isinstance(found["fine_2"], Entry)
    assert isinstance(found["once"], Entry), "a recording is tried again after its worker died"
    assert tries(notes, "once") == 2
    assert isinstance(found["dies"], Lost)
    assert tries(notes, "dies") == ATTEMPTS
    assert "its worker died 2 times" in found["dies"].reason
    assert found["fault"].reason == "the program failed at it: RuntimeError: a bug"
    assert "made_entries.py" in found["fault"].trace
    assert tries(notes, "fault") == 1
    assert found["taken"] is None
    assert len(found) == 6


def test_a_worker_that_dies_costs_its_recording_only(run, tmp_path):
    found = run(Processes(workers=2), "dies", "once", "fine_1", "fault", "taken", "fine_2")
    check_answers(found, tmp_path)
    assert "SIGKILL, as when memory runs out" in found["dies"].reason


def test_a_full_disk_stops_all(run):
    with pytest.raises(OSError, match="No space left"):
        run(Processes(workers=1), "full", "fine_1")


def test_there_is_a_worker_and_no_more_than_recordings(run, tmp_path):
    with pytest.raises(ValueError, match=r"executor\.workers=0"):
        Processes(workers=0)
    found = run(Processes(workers=64), "leaves", "fine_1")
    assert "exit code 3" in found["leaves"].reason
    assert run(Processes(), *()) == {}


_COMMAND = """
import signal, time
from preprocessing.run.processes import Processes
from tests.preprocessing.run.made_entries import job

def _sleep(job):
    print("at work", flush=True)
    time.sleep(100)

if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.default_int_handler)  # which tests begun in the background ignore
    jobs = [job(str(number), __file__) for number in range(2)]
    for _ in Processes(workers=2).run(_sleep, jobs):
        pass
"""


@pytest.mark.slow
@pytest.mark.parametrize("end", ["SIGINT", "SIGKILL"])
def test_workers_end_with_their_command(tmp_path, end):
    script = tmp_path / "command.py"
    script.write_text(_COMMAND)
    command = subprocess.Popen(
        [sys.executable, str(script)],
        stdout=subprocess.PIPE,
        text=True,
        env={"PYTHONPATH": ".", "PATH": "/usr/bin:/bin"},
    )
    workers = _children(command.pid) if command.stdout.readline() and command.stdout.readline() else []
    assert len(workers) >= 2
    command.send_signal(getattr(signal, end))
    command.wait(30)
    deadline = time.monotonic() + 20
    while any(_alive(worker) for worker in workers):
        assert time.monotonic() < deadline, "workers outlive their command"
        time.sleep(0.1)


def _children(process):
    told = subprocess.run(["pgrep", "-P", str(process)], capture_output=True, text=True, check=False)
    return [int(line) for line in told.stdout.split()]


def _alive(process):
    try:
        state = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state != "Z"
