"""`euthymia <command>` is the script of that command: same arguments, same words, same exit status."""

import os
import subprocess
import sys
import tomllib
from importlib.metadata import EntryPoint

import pytest

from datamodules.commands import TYPED_AS, typed
from engine.config.source_code import ROOT
from engine.console import COMMANDS, main

WRAPPER = "import sys; from engine.console import main; sys.exit(main())"  # what pip writes into bin/euthymia
HEAVY = {"torch", "pandas", "numpy", "hydra", "omegaconf"}


@pytest.fixture
def call(monkeypatch, capsys):
    """What `euthymia` with these words returns, prints, and runs."""
    ran = []
    monkeypatch.setattr(os, "execve", lambda *told: ran.append(told) or 0)

    def run(*words):
        monkeypatch.setattr(sys, "argv", ["euthymia", *words])
        return main(), capsys.readouterr(), ran

    return run


def started(folder, *arguments):
    """A process of this Python in another folder."""
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=300,
        env={"PATH": "", "PYTHONPATH": str(ROOT), "HOME": str(folder)},
    )


def test_pip_installs_the_command():
    scripts = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["scripts"]
    assert EntryPoint("euthymia", scripts["euthymia"], "console_scripts").load() is main


def test_every_script_is_a_command():
    assert {path.name for path in ROOT.glob("*.py")} <= set(COMMANDS.values())
    assert [file for file in COMMANDS.values() if not (ROOT / file).is_file()] == []


@pytest.mark.parametrize("words", [(), ("--help",), ("-h",), ("help",)])
def test_all_commands_are_listed_with_what_they_do(words, call):
    status, shown, ran = call(*words)
    assert (status, ran) == (0, [])
    told = dict(line.split(maxsplit=1) for line in shown.out.splitlines() if line.startswith("  "))
    assert list(told) == list(COMMANDS)
    assert told["eval"] == "Evaluate a checkpoint"
    assert len(set(told.values())) == len(COMMANDS)


def test_a_command_becomes_its_script_with_the_words_as_they_are(call):
    words = ["lr=tag(log,interval(1e-4,1e-2))", "data.path=a b.csv", "--cfg", "job"]
    program, arguments, environment = call("sweep", *words)[2][-1]
    assert (program, arguments) == (sys.executable, [sys.executable, str(ROOT / "sweep.py"), *words])
    assert environment == os.environ | {TYPED_AS: "euthymia"}
    assert TYPED_AS not in os.environ
    assert call("forecast", "root=x")[2][-1][1] == [sys.executable, "-P", "-m", "engine.forecast", "root=x"]


def test_an_unknown_command_is_told_the_nearest(call):
    status, shown, ran = call("trian", "epochs=5")
    assert (status, ran) == (2, [])
    assert shown.err == "euthymia has no command 'trian'; did you mean 'train'?\n"
    assert "doctor" in call("xyz")[1].err


def test_help_takes_the_name_of_a_command(call):
    assert call("help", "train")[2][-1][1] == [sys.executable, str(ROOT / "train.py"), "--help"]
    assert "did you mean 'train'?" in call("help", "trian")[1].err


@pytest.mark.parametrize("words", [("--version",), ("-V",), ("train", "--version"), ("doctor", "-V")])
def test_the_version_is_that_of_the_project(words, call):
    version = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
    status, shown, ran = call(*words)
    assert (status, shown.out, ran) == (0, f"euthymia {version}\n", [])


def test_listing_the_commands_imports_nothing_heavy(tmp_path):
    done = started(tmp_path, "-X", "importtime", "-c", WRAPPER)
    assert done.returncode == 0, done.stderr[-2000:]
    assert not {line.rpartition("|")[2].strip() for line in done.stderr.splitlines()} & HEAVY


@pytest.mark.parametrize(
    "words", [["train", "--help"], ["train", "lrr=1"], ["doctor", "--help"], ["doctor", "nonsense=1"]]
)
def test_words_and_status_are_those_of_the_script_in_any_folder(words, tmp_path):
    (tmp_path / "datamodules").mkdir()  # a folder of somebody's own with the name of a room
    (tmp_path / "datamodules" / "__init__.py").write_text("raise SystemExit('the wrong one')\n")
    name, *rest = words
    script = ROOT / COMMANDS[name]
    module = ".".join(script.relative_to(ROOT).with_suffix("").parts)
    direct = started(ROOT, *([str(script)] if script.parent == ROOT else ["-m", module]), *rest)
    done = started(tmp_path, "-P", "-c", WRAPPER, *words)
    said = [text.replace(typed(name), f"euthymia {name}") for text in (direct.stdout, direct.stderr)]
    assert (done.returncode, done.stdout, done.stderr) == (direct.returncode, *said)
    assert typed(name) not in done.stdout + done.stderr
    assert f"euthymia {name}" in done.stdout + done.stderr or rest == ["lrr=1"]
    assert done.returncode == {"--help": 0, "lrr=1": 1, "nonsense=1": 2}[rest[0]]
