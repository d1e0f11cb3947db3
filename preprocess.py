"""Cut faces out of raw videos: `python preprocess.py input=<folder, table or video> output=<cache>`."""

from pathlib import Path

import hydra
from omegaconf import DictConfig

from engine.config.choices import register_choices
from engine.config.compose import plain_config, root_keys
from engine.config.user_errors import reported, run

register_choices()


@hydra.main(version_base="1.3", config_path="conf", config_name="preprocess")
def main(config: DictConfig) -> None:
    """Write a cache of aligned face clips and facial series."""
    with reported():
        plain = plain_config(config, keys=root_keys("preprocess"))
        # it takes seconds to import, which help and a misspelt override need not wait for
        from engine.preprocess import preprocess

        preprocess(plain, folder=Path(plain["paths"]["output"]))


if __name__ == "__main__":
    run(main, command="preprocess")
