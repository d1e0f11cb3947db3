"""Composed configs for tests of the engine and of the commands."""

import pytest
from hydra import compose, initialize_config_dir

from engine.compose import TRAIN_KEYS, plain_config
from engine.targets import ROOT


@pytest.fixture
def compose_run(tmp_path):
    """Compose `conf/train.yaml` with overrides to a plain, checked config that writes below `tmp_path`."""

    def composed(*overrides, output=tmp_path / "run"):
        with initialize_config_dir(str(ROOT / "conf"), version_base="1.3"):
            config = compose("train", overrides=[*overrides, f"paths.output={output}"])
        return plain_config(config, keys=TRAIN_KEYS)

    return composed
