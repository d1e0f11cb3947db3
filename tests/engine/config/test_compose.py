import pytest
from omegaconf import OmegaConf

from engine.config.compose import ConfigError, plain_config

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
