"""A job of Slurm: put back into the queue once its end was announced, and found again by the same command."""

import json
import os
import signal
import sys

import pytest

from engine.runs.cluster import requeue
from engine.runs.find_run import run_folder
from engine.runs.provenance import RunManifest
from engine.runs.signals import Interrupted

CONFIG = {"paths": {"output": "x"}}


@pytest.fixture
def scontrol(tmp_path, monkeypatch):
    """A fake `scontrol` that writes down what it was given; returns that file."""
    told, tool = tmp_path / "told", tmp_path / "bin" / "scontrol"
    tool.parent.mkdir()
    tool.write_text(f'#!/bin/sh\necho "$@" >> {told}\nexit ${{SCONTROL_FAILS:-0}}\n')
    tool.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tool.parent}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setenv("SLURM_JOB_ID", "4711")
    return told


@pytest.mark.parametrize("announced", ["SIGUSR1", "SIGUSR2"])
def test_the_announced_end_of_a_job_puts_it_back_once_all_is_written(announced, scontrol, tmp_path):
    folder = tmp_path / "run"
    with pytest.raises(Interrupted), RunManifest(folder=folder, config=CONFIG):
        os.kill(os.getpid(), getattr(signal, announced))
    record = json.loads((folder / "manifest.json").read_text())
    assert record["status"] == f"interrupted before the first step by {announced}"
    assert record["slurm_job"] == "4711"
    assert scontrol.read_text() == "requeue 4711\n"


def test_a_task_of_an_array_is_put_back_alone(scontrol, monkeypatch):
    monkeypatch.setenv("SLURM_ARRAY_JOB_ID", "4700")
    monkeypatch.setenv("SLURM_ARRAY_TASK_ID", "3")
    assert requeue()
    assert scontrol.read_text() == "requeue 4700_3\n"


@pytest.mark.parametrize("end", [signal.SIGTERM, None])
def test_other_ends_put_nothing_back(end, scontrol, tmp_path):
    def work():
        with RunManifest(folder=tmp_path / "run", config=CONFIG):
            if end is not None:
                os.kill(os.getpid(), end)

    if end is None:
        work()
    else:
        with pytest.raises(Interrupted):
            work()
    assert not scontrol.exists()


def test_outside_a_job_nothing_is_put_back(scontrol, tmp_path, monkeypatch):
    monkeypatch.delenv("SLURM_JOB_ID")
    with pytest.raises(Interrupted), RunManifest(folder=tmp_path / "run", config=CONFIG):
        os.kill(os.getpid(), signal.SIGUSR1)
    assert not scontrol.exists()


def test_a_queue_that_refuses_is_told_with_what_to_do(scontrol, monkeypatch, caplog):
    monkeypatch.setenv("SCONTROL_FAILS", "1")
    scontrol.parent.joinpath("bin/scontrol").write_text("#!/bin/sh\necho Access denied >&2\nexit 1\n")
    assert not requeue()
    assert "Access denied" in caplog.text
    assert "Submit the same job again" in caplog.text


def test_the_same_command_of_the_same_job_goes_on_in_its_folder(scontrol, tmp_path, monkeypatch):
    outputs = tmp_path / "outputs"
    monkeypatch.setattr(sys, "argv", ["train.py", "seed=1"])
    first = run_folder(str(outputs), None, "10-00")
    assert first == str(outputs / "10-00")
    with RunManifest(folder=outputs / "10-00", config=CONFIG):
        pass
    assert run_folder(str(outputs), None, "12-00") == first
    monkeypatch.setattr(sys, "argv", ["train.py", "seed=2"])  # another one of the same script
    assert run_folder(str(outputs), None, "12-00") == str(outputs / "12-00")
    monkeypatch.setattr(sys, "argv", ["train.py", "seed=1"])
    monkeypatch.setenv("SLURM_JOB_ID", "4712")
    assert run_folder(str(outputs), None, "12-00") == str(outputs / "12-00")
