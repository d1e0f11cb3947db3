"""A signal to one process of a training ends them all, soon, and the run can go on."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pandas as pd
import pytest

from engine.config.source_code import ROOT

TWO = [
    "trainer=ddp",
    "trainer.accelerator=cpu",
    "trainer.precision=32-true",
    "trainer.deterministic=true",
    "trainer.max_epochs=12",
    "data.module.subjects=2",
    "data.cohort.n_subjects=12",
    "data.cohort.duration_s=3",
]
STUCK = """
import os, signal, sys, time
from pathlib import Path
from types import SimpleNamespace
from engine.runs import ranks
from engine.runs.provenance import RunManifest

ranks.GRACE = 0.5
strategy = SimpleNamespace(launcher=None)
trainer = SimpleNamespace(world_size=2, strategy=strategy, _signal_connector=SimpleNamespace())
with RunManifest(folder=Path(sys.argv[1]), config={"paths": {"output": "x"}}):
    ranks.attend(trainer)
    try:
        os.kill(os.getpid(), signal.SIGTERM)
    finally:
        time.sleep(60)  # as in a collective that nobody else takes part in
"""


def start(*arguments):
    return subprocess.Popen(
        [sys.executable, *arguments],
        cwd=ROOT,
        env=os.environ | {"OMP_NUM_THREADS": "1"},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )


def alive(session):
    """Processes of a session that are more than an entry in the kernel's table."""
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            state, _, _, of, *_ = stat.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        if int(of) == session and state != "Z":
            found.append(int(stat.parent.name))
    return found


def wait_until(true, seconds):
    end = time.monotonic() + seconds
    while not true() and time.monotonic() < end:
        time.sleep(0.05)
    return true()


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="processes are looked up in /proc")
def test_two_processes_end_by_a_signal_to_one_and_go_on(series_overrides, cohorts, tmp_path):
    own = ("data.module.num_workers", "data.cohort.n_subjects", "logger", "data.cohort.duration_s")
    kept = [one for one in series_overrides if not one.startswith((*own, "trainer.", "data.module.subjects"))]
    run = tmp_path / "run"
    line = ["train.py", *kept, *TWO, f"paths.data={cohorts}"]
    job = start(*line, f"hydra.run.dir={run}")
    try:
        assert wait_until(lambda: (run / "history.csv").is_file() or job.poll() is not None, 200)
        job.send_signal(signal.SIGTERM)
        assert job.wait(timeout=60) == 128 + signal.SIGTERM
        assert wait_until(lambda: not alive(job.pid), 30), alive(job.pid)
    finally:
        if alive(job.pid):
            os.killpg(job.pid, signal.SIGKILL)
        job.wait()
    record = json.loads((run / "manifest.json").read_text())
    assert record["status"].startswith("interrupted at step")
    assert record["status"].endswith("by SIGTERM")
    assert len(pd.read_csv(run / "history.csv")) < 12
    assert start(*line, f"resume={run}").wait(timeout=200) == 0
    assert json.loads((run / "manifest.json").read_text())["status"] == "finished"
    assert pd.read_csv(run / "history.csv")["epoch"].tolist() == list(range(12))


@pytest.mark.slow
def test_a_process_that_hangs_after_a_signal_ends_and_says_so(tmp_path):
    job = start("-c", STUCK, str(tmp_path))
    try:
        assert job.wait(timeout=40) == 128 + signal.SIGTERM
    finally:
        job.kill()
        job.wait()
    record = json.loads((tmp_path / "manifest.json").read_text())
    assert record["status"] == "interrupted before the first step by SIGTERM"
    assert record["exit_status"] == 128 + signal.SIGTERM
