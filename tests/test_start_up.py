"""Help and misspelt overrides are answered before torch, which takes seconds, is imported."""

import subprocess
import sys

import pytest

from engine.config.source_code import ROOT

HEAVY = {"torch", "pytorch_lightning", "timm", "sklearn", "pandas"}


def run(folder, *arguments):
    """A command, and which of the heavy packages it imported."""
    done = subprocess.run(
        [sys.executable, "-X", "importtime", *arguments],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
        env={"PATH": "", "PYTHONPATH": str(ROOT), "HOME": str(folder)},
    )
    imported = {line.rpartition("|")[2].strip() for line in done.stderr.splitlines()}
    return done, imported & HEAVY


@pytest.mark.parametrize("command", ["train", "eval", "predict", "analyze", "sweep"])
def test_a_command_is_imported_without_what_it_runs(command, tmp_path):
    done, heavy = run(tmp_path, "-c", f"import {command}")
    assert (done.returncode, heavy) == (0, set()), done.stderr[-2000:]


@pytest.mark.parametrize("command", ["train.py", "eval.py", "predict.py", "analyze.py", "sweep.py"])
def test_help_is_printed_without_torch(command, tmp_path):
    done, heavy = run(tmp_path, str(ROOT / command), "--help")
    assert (done.returncode, heavy) == (0, set()), done.stderr[-2000:]
    assert "Settings" in done.stdout


KEYS = {
    "lrr=1": "Unknown key 'lrr'; did you mean lr=",
    "data.batch_size=4": "Unknown key 'data.batch_size': write batch=",
    "model.optimizer.lrr=1": "did you mean model.optimizer.lr= (in short lr=)?",
    "+lrr=1": "Unknown key 'lrr' at the root",
    "+data.persons=4": "Unknown key 'data.persons' of `data`",
    "+data.module.persons=4": "of datamodules.datamodule.ClipDataModule",
    "+selection.metric=val/auc": "Unknown key 'selection.metric' of `selection`",
    "+model.optimizer.lrr=1": "of torch.optim.AdamW: nothing reads it; did you mean 'lr'?",
    "+trainer.max_epochz=1": "of pytorch_lightning.Trainer: nothing reads it; did you mean 'max_epochs'?",
}
QUICK = {"lrr=1", "+selection.metric=val/auc", "+trainer.max_epochz=1"}  # a second of a process for each


@pytest.mark.parametrize(
    ("override", "told"),
    [pytest.param(*one, marks=[] if one[0] in QUICK else [pytest.mark.slow]) for one in KEYS.items()],
)
def test_a_key_that_nothing_reads_is_refused_without_torch(override, told, tmp_path):
    done, heavy = run(tmp_path, str(ROOT / "train.py"), override)
    assert (done.returncode, heavy) == (1, set()), done.stderr[-2000:]
    assert told in done.stderr
    assert not {"Traceback (most recent call last):"} & set(done.stderr.splitlines())
