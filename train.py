"""Train a network, test and report it: `python train.py experiment=mpdrm trainer=gpu seed=1`."""

from pathlib import Path

import hydra
from hydra.core.hydra_config import HydraConfig
from hydra.types import RunMode
from omegaconf import DictConfig

from engine.config.choices import register_choices
from engine.config.compose import plain_config, root_keys
from engine.config.user_errors import reported, run
from engine.runs.find_run import register

register()
register_choices()


@hydra.main(version_base="1.3", config_path="conf", config_name="train")
def main(config: DictConfig) -> float | None:
    """Run one training, or one job of a sweep, and return the validation metric that chose its epoch."""
    with reported():
        plain = plain_config(config, keys=root_keys("train"))
        # torch and Lightning take seconds to import: help and a misspelt override do not wait for them
        from engine.config.selection import check_sweep
        from engine.train import train

        if HydraConfig.get().mode == RunMode.MULTIRUN:
            check_sweep(plain)
        value: float | None = train(plain, folder=Path(plain["paths"]["output"]))
    return value


if __name__ == "__main__":
    run(main, command="train")
