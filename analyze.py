"""Analyze series as a paper did: `python analyze.py analysis=parikh2024 data=synthetic_series`."""

from pathlib import Path

import hydra
from omegaconf import DictConfig

from engine.config.choices import register_choices
from engine.config.compose import plain_config, root_keys
from engine.config.user_errors import reported, run

register_choices()


@hydra.main(version_base="1.3", config_path="conf", config_name="analyze")
def main(config: DictConfig) -> None:
    """Write the page and the tables of an analysis."""
    with reported():
        plain = plain_config(config, keys=root_keys("analyze"))
        # it takes seconds to import, which help and a misspelt override need not wait for
        from analysis.run import analyze

        analyze(plain, folder=Path(plain["paths"]["output"]))


if __name__ == "__main__":
    run(main, command="analyze")
