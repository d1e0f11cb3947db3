"""Commands as a cluster starts them: by torchrun, and as jobs of submitit."""

import json
import os
import subprocess
import sys

import pandas as pd
import pytest

from engine.config.source_code import ROOT

TWO = [
    "trainer=ddp", "trainer.accelerator=cpu", "trainer.precision=32-true", "trainer.deterministic=true",
    "data.module.subjects=2",
]  # fmt: skip


def command(*words, cwd):
    return subprocess.run(
        [sys.executable, *words],
        cwd=cwd, capture_output=True, text=True, check=False, timeout=280,
        env=os.environ | {"OMP_NUM_THREADS": "1", "PYTHONPATH": str(ROOT)},
    )  # fmt: skip


@pytest.mark.slow
def test_torchrun_starts_the_ranks_and_one_of_them_writes(series_overrides, cohorts, tmp_path):
    kept = [one for one in series_overrides if not one.startswith("data.module.subjects")]
    done = command(
        *("-m", "torch.distributed.run", "--standalone", "--nproc_per_node", "2", str(ROOT / "train.py")),
        *kept, *TWO, f"paths.data={cohorts}", f"hydra.run.dir={tmp_path}/run",
        cwd=tmp_path,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-3000:]
    record = json.loads((tmp_path / "run" / "manifest.json").read_text())
    assert record["status"] == "finished"
    table = pd.read_csv(tmp_path / "run" / "predictions.csv")
    assert not table["recording_id"].duplicated().any()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["run"]  # no other rank has a folder


@pytest.mark.slow
def test_jobs_of_submitit_are_jobs_of_the_sweep(series_overrides, cohorts, tmp_path):
    done = command(
        str(ROOT / "train.py"), "-m", "seed=0,1", "hydra/launcher=submitit_local", *series_overrides,
        f"paths.data={cohorts}", f"hydra.sweep.dir={tmp_path}/sweep",
        cwd=tmp_path,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-3000:]
    for job in "01":
        record = json.loads((tmp_path / "sweep" / job / "manifest.json").read_text())
        assert (record["status"], record["config"]["seed"]) == ("finished", int(job))
    assert (tmp_path / "sweep" / "seeds.csv").is_file()
