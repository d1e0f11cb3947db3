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


@pytest.mark.parametrize("name", ["ckpt_path", "exported", "manifest", "input", "history"])
@pytest.mark.parametrize("value", [["a", "b"], {"a": 1}, 3, 0.5, True, ""])
def test_what_is_no_path_is_refused_with_what_to_give(name, value, tmp_path):
    (tmp_path / "best.ckpt").touch()
    with pytest.raises(ConfigError) as refused:
        check_given_paths({"ckpt_path": str(tmp_path / "best.ckpt")} | {name: value})
    assert str(refused.value).startswith(f"{name}={value}: ")
    assert "give one path" in str(refused.value)
    assert ". Give a" in str(refused.value) or ". Give the" in str(refused.value)


def test_what_a_command_needs_may_not_be_null(tmp_path):
    bundle = tmp_path / "best.onnx.zip"
    bundle.touch()
    for given in ({"ckpt_path": None}, {"ckpt_path": None, "exported": None, "manifest": None}):
        with pytest.raises(ConfigError, match=r"^ckpt_path=null: .* Give the path of a best\.ckpt"):
            check_given_paths(given)
    check_given_paths({"ckpt_path": None, "exported": str(bundle), "manifest": None})
    with pytest.raises(ConfigError, match=r"^input=null: .* Give a video"):
        check_given_paths({"ckpt_path": str(bundle), "input": None, "history": None})


@pytest.mark.parametrize(
    ("name", "inside"),
    [
        ("ckpt_path", "checkpoints/best.ckpt"),
        ("ckpt_path", "best.ckpt"),
        ("exported", "export/best.onnx.zip"),
        ("manifest", "manifest.csv"),
        ("history", "manifest.csv"),
    ],
)
def test_a_folder_in_the_place_of_a_file_is_told_with_the_file_that_lies_there(name, inside, tmp_path):
    given = {"ckpt_path": __file__} | {name: str(tmp_path)}
    with pytest.raises(ConfigError, match=rf"^{name}=\S+: is a folder\. Give .*[a-z]\.$"):
        check_given_paths(given)
    (tmp_path / inside).parent.mkdir(exist_ok=True)
    (tmp_path / inside).touch()
    with pytest.raises(ConfigError) as refused:
        check_given_paths(given)
    assert str(refused.value).endswith(f": {name}={tmp_path / inside}.")


def test_a_home_folder_that_no_shell_has_written_out_is_told():
    with pytest.raises(ConfigError, match=r"no such file \(~ is not read as your home folder here"):
        check_given_paths({"ckpt_path": "~/none.ckpt"})


@pytest.mark.parametrize(
    ("script", "words"),
    [
        ("eval", ["ckpt_path=absent.ckpt"]),
        ("eval", ["exported=given.zip", "manifest=absent.csv"]),
        ("predict", ["ckpt_path=absent.ckpt", "input=."]),
        ("export", ["ckpt_path=absent.ckpt"]),
    ],
)
def test_a_command_refuses_it_without_waiting_for_torch(script, words, tmp_path):
    (tmp_path / "given.zip").touch()
    command = [sys.executable, "-X", "importtime", str(ROOT / f"{script}.py"), *words]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=200)
    assert done.returncode == 1
    assert "absent." in done.stderr
    assert "no such file" in done.stderr
    imported = {line.rpartition("|")[2].strip() for line in done.stderr.splitlines()}
    assert "hydra" in imported
    assert not imported & {"torch", "pytorch_lightning", "pandas"}
