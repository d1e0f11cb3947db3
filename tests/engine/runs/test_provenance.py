import json
import subprocess
import sys

import pytest

from datamodules.commands import TYPED_AS
from engine.config.differences import config_hash
from engine.runs import environment
from engine.runs.provenance import RunFolderError, RunManifest, add_look, read_manifest_json, write_json

CONFIG = {"seed": 3, "paths": {"output": "x"}}


def test_a_run_leaves_what_is_needed_to_repeat_it(tmp_path):
    with RunManifest(folder=tmp_path, config=CONFIG) as manifest:
        assert read_manifest_json(tmp_path)["status"] == "running"
        manifest.record(data_digest="abc", split="holdout")
    content = json.loads((tmp_path / "manifest.json").read_text())
    assert content["status"] == "finished"
    assert content["exit_status"] == 0
    assert content["config_hash"] == config_hash(CONFIG)
    assert content["seed"] == 3
    assert content["data_digest"] == "abc"
    assert content["packages"]["torch"]
    assert content["hardware"]["cores"] >= 1
    assert content["wall_s"] >= 0
    assert set(content["git"]) == {"commit", "dirty"}
    assert content["argv"]


def test_a_failure_is_written_down_and_raised(tmp_path):
    with pytest.raises(ZeroDivisionError), RunManifest(folder=tmp_path, config=CONFIG):
        raise ZeroDivisionError("by zero")
    content = read_manifest_json(tmp_path)
    assert content["status"] == "failed: ZeroDivisionError: by zero"
    assert content["exit_status"] == 1


def test_only_what_left_a_checkpoint_is_told_to_go_on(tmp_path, caplog):
    with pytest.raises(ZeroDivisionError), RunManifest(folder=tmp_path, config=CONFIG):
        raise ZeroDivisionError
    assert "Nothing to go on from" in caplog.text
    assert "To go on" not in caplog.text
    (tmp_path / "fold_0/checkpoints").mkdir(parents=True)
    (tmp_path / "fold_0/checkpoints/last.ckpt").touch()
    with pytest.raises(ZeroDivisionError), RunManifest(folder=tmp_path, config=CONFIG):
        raise ZeroDivisionError
    assert "failed. To go on: " in caplog.text


@pytest.mark.parametrize(
    ("script", "words", "told"),
    [
        ("train", ["seed=1", "model.name=a b"], "train seed=1 'model.name=a b' resume={folder}"),
        ("train", ["hydra.run.dir=x", "resume=last", "ckpt_path=a"], "train resume={folder}"),
        ("preprocess", ["input=raw", "hydra.run.dir=x"], "preprocess input=raw hydra.run.dir=x"),
    ],
)
def test_how_to_go_on_is_typed_as_the_run_was(script, words, told, tmp_path, monkeypatch, caplog):
    monkeypatch.setattr(sys, "argv", [f"/code/{script}.py", *words])
    (tmp_path / "last.ckpt").touch()
    told = told.format(folder=tmp_path)
    for program, begins in ((None, told.replace(script, f"python {script}.py", 1)), ("euthymia", told)):
        monkeypatch.delenv(TYPED_AS, raising=False)
        if program is not None:
            monkeypatch.setenv(TYPED_AS, program)
            begins = f"{program} {begins}"
        with pytest.raises(ZeroDivisionError), RunManifest(folder=tmp_path, config=CONFIG):
            raise ZeroDivisionError
        assert read_manifest_json(tmp_path)["go_on"] == begins
        assert caplog.text.rstrip().endswith(f"To go on: {begins}")


def test_a_folder_in_which_nothing_began_takes_other_settings(tmp_path):
    other = CONFIG | {"seed": 99}
    with pytest.raises(ZeroDivisionError), RunManifest(folder=tmp_path, config=CONFIG):
        raise ZeroDivisionError
    with pytest.raises(ZeroDivisionError), RunManifest(folder=tmp_path, config=other):
        raise ZeroDivisionError
    (tmp_path / "last.ckpt").touch()
    with pytest.raises(RunFolderError, match="another config"), RunManifest(folder=tmp_path, config=CONFIG):
        pass


def test_looks_at_the_test_set_add_up_over_runs_in_one_folder(tmp_path):
    with RunManifest(folder=tmp_path, config=CONFIG) as manifest:
        manifest.count_look()
    with RunManifest(folder=tmp_path, config=CONFIG) as manifest:
        manifest.count_look()
    assert read_manifest_json(tmp_path)["test_looks"] == 2
    assert add_look(tmp_path, digest="abc") == 3
    assert read_manifest_json(tmp_path)["test_looks"] == 3
    assert add_look(tmp_path / "elsewhere", digest="abc") is None


def test_looks_are_told_apart_by_their_data(tmp_path):
    with RunManifest(folder=tmp_path, config=CONFIG) as manifest:
        manifest.record(data_digest="abc")
        manifest.count_look()
    assert [add_look(tmp_path, digest="abc"), add_look(tmp_path, digest="other", own=False)] == [2, 1]
    assert add_look(tmp_path, digest="other", own=False) == 2
    content = read_manifest_json(tmp_path)
    assert content["looks"] == {"abc:test": 2, "other:all": 2}
    assert content["test_looks"] == 2


@pytest.mark.parametrize("fold", ["fold_0", "repeat_1/fold_0"])
def test_a_look_at_a_fold_is_one_at_its_cross_validation(tmp_path, fold):
    with RunManifest(folder=tmp_path, config=CONFIG) as whole:
        whole.record(data_digest="abc", folds=[fold])
        whole.count_look()
    with RunManifest(folder=tmp_path / fold, config=CONFIG) as own:
        own.record(data_digest="abc")
        own.count_look()
    assert add_look(tmp_path / fold, digest="abc") == 2
    assert read_manifest_json(tmp_path)["test_looks"] == 2


def test_helping_ranks_write_nothing(tmp_path):
    with RunManifest(folder=tmp_path, config=CONFIG, writes=False) as manifest:
        manifest.count_look()
    assert list(tmp_path.iterdir()) == []


def test_a_write_that_fails_leaves_the_old_file(tmp_path):
    path = tmp_path / "manifest.json"
    write_json(path, {"a": 1})
    with pytest.raises(ValueError, match="not JSON compliant"):
        write_json(path, {"a": float("nan")})
    assert json.loads(path.read_text()) == {"a": 1}


def test_git_state_tells_clean_from_dirty(tmp_path, monkeypatch):
    def git(*arguments):
        subprocess.run(
            ["git", "-c", "user.name=a", "-c", "user.email=a@b.c", *arguments],
            cwd=tmp_path,
            check=True,
            capture_output=True,
        )

    monkeypatch.setattr(environment, "ROOT", tmp_path)
    assert environment.git_state() == {"commit": None, "dirty": None}
    git("init")
    (tmp_path / "file").write_text("1")
    git("add", "file")
    git("commit", "-m", "first")
    state = environment.git_state()
    assert len(state["commit"]) == 40
    assert state["dirty"] is False
    (tmp_path / "file").write_text("2")
    assert environment.git_state()["dirty"] is True
