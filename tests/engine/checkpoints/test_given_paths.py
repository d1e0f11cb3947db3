"""A path that is not there is told before anything heavy is imported."""

import subprocess
import sys

import pytest

from engine.checkpoints.given_paths import check_given_paths
from engine.config.compose import ConfigError
from engine.config.source_code import ROOT


def test_a_path_that_is_not_there_is_named_with_what_to_give(tmp_path):
    (tmp_path / "best.ckpt").touch()
    given = {"ckpt_path": str(tmp_path / "best.ckpt"), "manifest": None, "input": str(tmp_path), "seed": 1}
    check_given_paths(given)
    for name in ("ckpt_path", "exported", "manifest", "input", "history"):
        with pytest.raises(ConfigError, match=rf"^{name}=\S+absent: no such file\. Give "):
            check_given_paths(given | {name: str(tmp_path / "absent")})


@pytest.mark.parametrize(
    ("script", "words"),
    [
        ("eval", ["ckpt_path=absent.ckpt"]),
        ("eval", ["ckpt_path=.", "manifest=absent.csv"]),
        ("predict", ["ckpt_path=absent.ckpt", "input=."]),
        ("export", ["ckpt_path=absent.ckpt"]),
    ],
)
def test_a_command_refuses_it_without_waiting_for_torch(script, words, tmp_path):
    command = [sys.executable, "-X", "importtime", str(ROOT / f"{script}.py"), *words]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=200)
    assert done.returncode == 1
    assert "absent." in done.stderr
    assert "no such file" in done.stderr
    imported = {line.rpartition("|")[2].strip() for line in done.stderr.splitlines()}
    assert "hydra" in imported
    assert not imported & {"torch", "pytorch_lightning", "pandas"}
