"""Probe a store of tokens with small heads: `python probe.py data.path=<table> data.channels=<width>`."""

from pathlib import Path

import hydra
from omegaconf import DictConfig

from engine.config.choices import register_choices
from engine.config.compose import plain_config, root_keys
from engine.config.user_errors import reported, run

register_choices()


@hydra.main(version_base="1.3", config_path="conf", config_name="probe")
def main(config: DictConfig) -> None:
    """Train many heads at once and write what they reach."""
    with reported():
        plain = plain_config(config, keys=root_keys("probe"))
        # it takes seconds to import, which help and a misspelt override need not wait for
        from engine.probe import probe

        probe(plain, folder=Path(plain["paths"]["output"]))


if __name__ == "__main__":
    run(main, command="probe")
