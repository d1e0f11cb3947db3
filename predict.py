"""Predict: `python predict.py ckpt_path=<run>/checkpoints/best.ckpt input=<video, folder or manifest>`."""

from pathlib import Path

import hydra
from omegaconf import DictConfig

from engine.config.choices import register_choices
from engine.config.compose import plain_config, root_keys

register_choices()


@hydra.main(version_base="1.3", config_path="conf", config_name="predict")
def main(config: DictConfig) -> None:
    """Write a table of predictions for videos without labels."""
    plain = plain_config(config, keys=root_keys("predict"))
    from engine.predict import predict  # takes seconds, which help and a misspelt override need not wait for

    predict(plain, folder=Path(plain["paths"]["output"]))


if __name__ == "__main__":
    main()
