"""Predict by a checkpoint: `python predict.py ckpt_path=<best.ckpt> input=<folder or manifest>`."""

from pathlib import Path

import hydra
from omegaconf import DictConfig

from engine.checkpoints.given_paths import check_given_paths
from engine.config.choices import register_choices
from engine.config.compose import plain_config, root_keys
from engine.config.user_errors import reported, run

register_choices()


@hydra.main(version_base="1.3", config_path="conf", config_name="predict")
def main(config: DictConfig) -> None:
    """Write a table of predictions for videos without labels."""
    with reported():
        plain = plain_config(config, keys=root_keys("predict"))
        check_given_paths(plain)
        # it takes seconds to import, which help and a misspelt override need not wait for
        from engine.predict import check_any, predict

        folder = Path(plain["paths"]["output"])
        check_any(predict(plain, folder=folder), folder / "predictions.csv")


if __name__ == "__main__":
    run(main, command="predict")
