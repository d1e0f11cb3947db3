"""Workers of a sweep are killed, on SQLite and on a PostgreSQL server."""

import json
import os
import subprocess
import sys

import pytest

from engine.config.source_code import ROOT
from studies.sweep_kills.postgres import programs


@pytest.mark.slow
@pytest.mark.parametrize("server", [False, pytest.param(True, marks=pytest.mark.skipif(
    programs() is None, reason="no PostgreSQL server is installed"
))])  # fmt: skip
def test_random_kills_change_no_table_and_lose_no_trial(tmp_path, server):
    asked = ["kills=5", "trials=8", "pause=2", "samplers=random", "pretend=true", f"server={server}".lower()]
    done = subprocess.run(
        [sys.executable, "-m", "studies.sweep_kills", *asked, f"out={tmp_path}"],
        cwd=ROOT, env=os.environ | {"OMP_NUM_THREADS": "1"}, capture_output=True, text=True, timeout=290,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-3000:]
    (case,) = json.loads((tmp_path / "cases.json").read_text())
    assert case["faults"] == []
    assert case["worker"] + case["command"] == 5
    assert case["restarts"] >= 4
