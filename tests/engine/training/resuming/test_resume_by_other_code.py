"""What a run was trained with cannot all be read off its config: its code may have meant something else."""

import json

import pytest
import torch

from engine.checkpoints.checkpoint import KEY, CheckpointError, all_weights, seal
from engine.training.resuming.earlier_run import earlier_run


def test_a_run_of_code_that_measured_something_else_does_not_go_on(small_fit, tmp_path):
    path = small_fit(tmp_path / "run") / "checkpoints" / "last.ckpt"
    content = torch.load(path, weights_only=True)
    del content[KEY]["statistics"]["series_person_level"]  # as before made-up persons lay as far apart
    content[KEY] = seal(all_weights(content), {k: v for k, v in content[KEY].items() if k != "digest"})
    torch.save(content, path)
    with pytest.raises(CheckpointError, match=r"last\.ckpt: was trained by other code: series_person_level"):
        small_fit(tmp_path / "on", f"ckpt_path={path}")


def test_another_commit_is_told_where_a_run_goes_on(compose_run, tmp_path, caplog, monkeypatch):
    config = compose_run(output=tmp_path)
    record = {"status": "running", "argv": ["train.py"], "config": config, "git": {"commit": "a" * 40}}
    (tmp_path / "manifest.json").write_text(json.dumps(record))
    for commit, told in (("a" * 40, False), (None, False), ("b" * 40, True)):
        monkeypatch.setattr(
            "engine.training.resuming.earlier_run.git_state", lambda commit=commit: {"commit": commit}
        )
        caplog.clear()
        assert earlier_run(config, tmp_path) == tmp_path
        assert ("was run with commit aaaaaaaaaaaa, and this is bbbbbbbbbbbb" in caplog.text) == told
