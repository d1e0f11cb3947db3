"""What a shown command is composed to, and what would stop it before anything is read."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from copy import deepcopy
from functools import cache
from typing import Any
from unittest import mock

from hydra import compose, initialize_config_dir
from hydra._internal.config_repository import ConfigRepository
from hydra.plugins.config_source import ConfigResult
from omegaconf import DictConfig, open_dict

from engine.config.compose import plain_config, root_keys
from engine.config.selection import check_run
from engine.config.source_code import ROOT
from engine.config.targets import check_targets
from engine.config.unknown_keys import wrong_words
from engine.sweeping.command_line import apart
from engine.sweeping.space import read_space
from tests.conftest import hydra_config

MULTIRUN = {"-m", "--multirun"}
OPTIONS = {*MULTIRUN, "--help"}
TEMPLATE = ROOT / "docs" / "extending" / "template" / "euthymia_template"  # installed by who follows its page
PACKAGES = {TEMPLATE.name, "my_package"}


@contextmanager
def leaves_read_once() -> Iterator[None]:
    """Let Hydra keep the files of `conf/` that it has read: half of the time goes into reading them anew.

    Each composition has a copy: Hydra sets the values of its overrides in the very nodes that it has read.
    """
    read = ConfigRepository.load_config
    known: dict[str, ConfigResult | None] = {}

    def load(self: ConfigRepository, config_path: str) -> ConfigResult | None:
        if config_path not in known:
            known[config_path] = read(self, config_path)
        return deepcopy(known[config_path])

    with mock.patch.object(ConfigRepository, "load_config", load):
        yield


@cache
def _composed(name: str, overrides: tuple[str, ...]) -> DictConfig:
    with initialize_config_dir(str(ROOT / "conf"), version_base="1.3", job_name=name):
        return compose(name, list(overrides))


def tree(name: str, words: list[str]) -> DictConfig:
    """The config of a Hydra command, of the first job of a sweep; interpolations are kept."""
    overrides = [word for word in words if not word.startswith("-")]
    if MULTIRUN & set(words):
        overrides = [word.partition(",")[0] for word in overrides]
    if name != "train":
        return _composed(name, tuple(overrides))
    config = hydra_config(*overrides)
    with open_dict(config):
        del config["hydra"]
    return config


def trained(words: list[str]) -> list[str]:
    """The settings of the first training of `sweep.py`."""
    space = read_space(apart(words)[1])
    first = {
        name: space.points[name][0] if name in space.points else one.low
        for name, one in space.dimensions.items()
    }
    return space.overrides(first, seed=space.seeds[0] if space.seeds else None)


def _of_template(word: str) -> bool:
    """Whether a word chooses a leaf of the template package, or trusts it."""
    group, _, leaf = word.partition("=")
    return group == "trust" or (TEMPLATE / "conf" / group / f"{leaf}.yaml").is_file()


def check(name: str, words: list[str]) -> None:
    """Raise what would end the command before it reads or builds anything."""
    if strange := [word for word in words if word.startswith("-") and word not in OPTIONS]:
        raise ValueError(f"{strange}: pages know {sorted(OPTIONS)}")
    settings = [word for word in words if word != "--help"]
    trusted = re.findall(r"\w+", " ".join(word[6:] for word in settings if word.startswith("trust=")))
    if unknown := set(trusted) - PACKAGES:
        raise ValueError(f"trust={sorted(unknown)}: pages know {sorted(PACKAGES)}")
    if f"trust=[{TEMPLATE.name}]" in settings:
        settings = [word for word in settings if not _of_template(word)]
    if wrong := wrong_words(settings, command=name):
        raise ValueError("\n".join(wrong))
    if name == "sweep":
        if settings:
            check("train", trained(settings))
        settings = apart(settings)[0]
    config = tree(name, settings)
    config.paths.output = "run"
    for key in ("ckpt_path",) if name == "eval" and config.exported else ():
        config[key] = None  # as eval.py: a bundle has the record of its run
    plain: dict[str, Any] = plain_config(config, keys=root_keys(name))
    check_targets(plain)
    if name == "train":
        check_run(plain)
