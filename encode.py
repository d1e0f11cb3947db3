"""Encode recordings once by a frozen trunk: `python encode.py data.path=<table> output=<store>`."""

from pathlib import Path

import hydra
from omegaconf import DictConfig

from engine.config.choices import register_choices
from engine.config.compose import plain_config, root_keys
from engine.config.user_errors import reported, run

register_choices()


@hydra.main(version_base="1.3", config_path="conf", config_name="encode")
def main(config: DictConfig) -> None:
    """Write a store of tokens."""
    with reported():
        plain = plain_config(config, keys=root_keys("encode"))
        # it takes seconds to import, which help and a misspelt override need not wait for
        from engine.encode import encode

        encode(plain, folder=Path(plain["paths"]["output"]))


if __name__ == "__main__":
    run(main, command="encode")
