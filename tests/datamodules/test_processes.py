"""Workers end with the process that made them, by whatever it made them."""

import multiprocessing
import os
import subprocess
import sys
import time

import pytest

from datamodules.processes import cores, die_with
from engine.config.source_code import ROOT

MAKER = """
import multiprocessing, os, sys, time
from tests.datamodules.test_processes import wait
if __name__ == "__main__":
    worker = multiprocessing.get_context(sys.argv[1]).Process(target=wait, args=(os.getpid(),))
    worker.start()
    print(worker.pid, flush=True)
    time.sleep(60)
"""


def wait(parent):
    die_with(parent)
    time.sleep(60)


def alive(process):
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    return True


@pytest.mark.skipif(sys.platform == "win32", reason="processes are forked")
@pytest.mark.parametrize("method", ["fork", pytest.param("spawn", marks=pytest.mark.slow), "forkserver"])
def test_a_worker_lives_as_long_as_its_maker(method, tmp_path):
    assert method in multiprocessing.get_all_start_methods()
    script = tmp_path / "maker.py"
    script.write_text(MAKER)
    maker = subprocess.Popen(
        [sys.executable, str(script), method],
        stdout=subprocess.PIPE, text=True, env=os.environ | {"PYTHONPATH": str(ROOT)},
    )  # fmt: skip
    worker = int(maker.stdout.readline())
    time.sleep(1.2)  # two looks of the watching thread
    assert alive(worker)
    maker.kill()
    maker.wait()
    end = time.monotonic() + 20
    while alive(worker) and time.monotonic() < end:
        time.sleep(0.1)
    assert not alive(worker)


@pytest.mark.parametrize(
    ("limit", "bound", "expected"),
    [
        ("max 100000", 8, 8),
        ("250000 100000", 8, 3),
        ("50000 100000", 8, 1),
        ("900000 100000", 4, 4),
        ("?", 4, 4),
    ],
)
def test_cores_are_those_bound_to_and_granted(tmp_path, monkeypatch, limit, bound, expected):
    file = tmp_path / "cpu.max"
    file.write_text(limit + "\n")
    monkeypatch.setattr(os, "sched_getaffinity", lambda process: set(range(bound)), raising=False)
    assert cores(file) == expected
    assert cores(tmp_path / "none") == bound
