"""Every command answers `--help` with status 0 and its settings, and those that it names exist."""

import json
import re
import runpy
import shlex
import sys

import pytest
from hydra import compose, initialize_config_dir
from omegaconf import OmegaConf

from datamodules.command_line import help_text
from datamodules.sources import trees
from datamodules.sources.shared.registry import corpora
from engine.config.choices import choices, options, register_choices
from engine.config.compose import ConfigError, plain_config, root_keys
from engine.config.source_code import ROOT
from engine.sweeping.command_line import apart
from engine.sweeping.space import read_space

CONF = ROOT / "conf"
HYDRA = {
    "train": [],
    "eval": ["ckpt_path=x"],
    "predict": ["ckpt_path=x", "input=x"],
    "analyze": ["analysis=sun2023"],
    "preprocess": ["input=x", "output=y"],
    "encode": ["data.path=x", "output=y"],
    "probe": ["data.path=x", "data.channels=8"],
    "sweep": [],
    "export": ["ckpt_path=x"],
}
SHORT = {"lr", "epochs", "batch", "workers"}  # null at the root, told with what they stand for
PLAIN = {
    path.relative_to(ROOT).with_suffix("").as_posix().replace("/", ".").removesuffix(".__main__"): path
    for room in ("benchmarks", "studies", "datamodules", "evaluation", "engine")
    for path in sorted((ROOT / room).rglob("*.py"))
    if 'if __name__ == "__main__":' in path.read_text(encoding="utf-8")
}


def settings(text):
    """The settings that a help of a Hydra command names, with what it says their value is."""
    block = re.search(r"^Settings.*\n((?:  .+\n)+)", text, re.MULTILINE)[1]
    lines = [re.fullmatch(r"  (\S+) +.*?(?: \[(.*)\])?", line).groups() for line in block.splitlines()]
    assert len(lines) == len(block.splitlines()) > 3
    return dict(lines)


@pytest.fixture
def helped():
    """The help of a command, and the config that it is of."""
    register_choices()

    def run(command, *overrides):
        with initialize_config_dir(str(ROOT / "conf"), version_base="1.3", job_name=command):
            config = compose(command, [*HYDRA[command], *overrides], return_hydra_config=True)
        return config.hydra.help.template, config

    return run


@pytest.mark.parametrize("name", PLAIN)
@pytest.mark.filterwarnings("ignore:.*found in sys.modules.*:RuntimeWarning")
def test_a_command_answers_help_with_its_settings(name, monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", [name, "--help"])
    with pytest.raises(SystemExit) as ended:
        runpy.run_module(name, run_name="__main__", alter_sys=True)
    assert ended.value.code == 0
    shown = capsys.readouterr().out
    assert f"usage: python -m {name} " in shown
    told = re.sub(r"\n {31}", " ", shown.partition("usage:")[2]).splitlines()[2:]
    for line in told:
        assert re.match(r"  (\w+=\S*|\[key=value \.\.\.\]) +\S", line), f"says nothing of {line}"


def test_the_corpora_of_a_help_are_those_that_exist(capsys):
    from datamodules.sources.trees.__main__ import main

    listed = re.search(r"imitate: ([\w, ]+)\.", re.sub(r"\s+", " ", help_text(main)))[1]
    assert listed.split(", ") == sorted(corpora(trees, "write"))


def composed(config, name):
    """The value of a setting as it is written on a command line: a group's leaf, or a key's value."""
    chosen = config.hydra.runtime.choices
    value = chosen[name] if name in chosen else OmegaConf.select(config, name)
    plain = OmegaConf.to_container(value) if OmegaConf.is_config(value) else value
    return plain if isinstance(plain, str) else json.dumps(plain)


@pytest.mark.parametrize("command", HYDRA)
def test_the_settings_of_a_hydra_command_exist_and_have_the_values_told(command, helped):
    text, config = helped(command)
    told = {name: value for name, value in settings(text).items() if name not in SHORT}
    for name in told:
        known = name.split(".")[0] in config or (CONF / name).is_dir()
        assert known, f"{command} has no {name}"
    shown = {name: value for name, value in told.items() if value is not None}
    assert len(shown) > 1
    assert {name: composed(config, name) for name in shown} == shown
    assert len(text.splitlines()) < 70


def test_the_help_of_a_training_names_what_is_changed_first(helped):
    text, config = helped("train")
    first = {"experiment", "data", "data.path", "model", "trainer", "seed", "protocol", "logger"}
    assert set(settings(text)) == first | SHORT
    assert settings(text)["lr"] == str(config.model.optimizer.lr)
    assert settings(text)["epochs"] == str(config.trainer.max_epochs)
    assert settings(helped("train", "experiment=mpdrm_series")[0])["data"] == "synthetic_series"


def test_a_command_lists_its_own_groups_and_no_leaves_for_others():
    training = choices("train")
    assert re.search(r"^  model/trunk +dep_mgnn, ", training, re.MULTILINE)
    assert all(name in training for name in options("data"))
    assert "analysis" not in training
    assert "_task" not in training
    assert "hydra" not in training
    assert choices("predict").split()[-5:] == ["trainer", "cpu,", "ddp,", "fsdp,", "gpu"]
    assert re.search(
        r"^  analysis +faces_of_the_mind, parikh2024, sun2023$", choices("analyze"), re.MULTILINE
    )


def test_an_analysis_must_be_chosen_from_those_there_are():
    with initialize_config_dir(str(CONF), version_base="1.3"):
        config = compose("analyze", ["paths.output=x"])
    with pytest.raises(ConfigError, match=r"analysis has no value.*one of faces_of_the_mind, parikh2024"):
        plain_config(config, keys=root_keys("analyze"))


@pytest.mark.slow
@pytest.mark.parametrize("command", HYDRA)
def test_the_examples_of_a_help_compose(command, helped):
    text, _ = helped(command)
    block = text.partition("Examples")[2].partition("\n\n")[0].replace("\\\n", " ")  # as a shell does
    examples = re.findall(rf"python {command}\.py ([^#\n]*)", block)
    assert examples
    for words in examples:
        given = shlex.split(re.sub(r"<\w+>", "x", words))
        if command == "sweep":  # the rest is of train.py, and a space of values rather than one
            given, trained = apart(given)
            assert read_space(trained).dimensions
        helped(command, *given)
