import pytest
from hydra import compose, initialize_config_dir
from omegaconf import OmegaConf, open_dict

from engine.config.compose import ConfigError, plain_config
from engine.config.source_code import ROOT
from tests.conftest import SERIES, hydra_config

KEYS = {"seed", "model", "paths"}


def test_resolves_to_plain_containers():
    config = OmegaConf.create({"seed": 0, "model": {"dims": [1, 2], "seed": "${seed}"}})
    plain = plain_config(config, keys=KEYS)
    assert plain == {"seed": 0, "model": {"dims": [1, 2], "seed": 0}}
    assert type(plain["model"]) is dict
    assert type(plain["model"]["dims"]) is list


def test_refuses_a_misspelt_root_key_with_the_nearest_name():
    with pytest.raises(ConfigError, match=r"'seeed'.*did you mean 'seed'"):
        plain_config(OmegaConf.create({"seeed": 3}), keys=KEYS)


def test_a_missing_value_says_how_to_give_it():
    with pytest.raises(ConfigError, match=r"model\.path has no value.*model\.path="):
        plain_config(OmegaConf.create({"model": {"path": "???"}}), keys=KEYS)


def test_the_tests_compose_what_hydra_composes():
    overrides = [*SERIES, "protocol=kfold", "protocol.folds=2", "~trainer.max_epochs", "+trainer.new={a: 1}"]
    with initialize_config_dir(str(ROOT / "conf"), version_base="1.3"):
        expected = compose("train", overrides)
    config = hydra_config(*overrides)
    with open_dict(config):
        del config["hydra"]
    assert OmegaConf.to_yaml(config) == OmegaConf.to_yaml(expected)
