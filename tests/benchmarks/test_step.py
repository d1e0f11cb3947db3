import json

import pytest

from benchmarks import loader, step


@pytest.mark.slow
def test_steps_are_measured_beside_a_bare_loop(tmp_path, capsys):
    small = (
        "width=16",
        "data.module.subjects=2",
        "data.module.visits=2",
        "data.module.train_clips.length=16",
    )
    step.main(rounds=2, steps=2, only=("series",), overrides=small, out=tmp_path)
    found = json.loads((tmp_path / "step.json").read_text())
    assert len(found["series"]["seconds"]["ours"]) == 2
    assert found["series"]["ours"]["median"] > 0
    assert "| ours |" in capsys.readouterr().out


@pytest.mark.slow
def test_loaders_are_measured_beside_a_bare_read(tmp_path, capsys):
    pytest.importorskip("decord")
    loader.main(rounds=1, recordings=1, seconds=3.0, size=32, only=("store",), clips=2, out=tmp_path)
    found = json.loads((tmp_path / "loader.json").read_text())
    assert found["store"]["right"]["ours"] == 1.0
    assert set(found["store"]["seconds"]) == {
        *("ours", "bare PyAV", "decord, as MMAction2", "PyAV, as PyTorchVideo"),
    }
    assert "right frames: ours 100%" in capsys.readouterr().out
