"""Evaluate a checkpoint: `python eval.py ckpt_path=<run>/checkpoints/best.ckpt [manifest=<csv>]`."""

from pathlib import Path

import hydra
from omegaconf import DictConfig, OmegaConf

from engine.checkpoints.given_paths import check_given_paths
from engine.config.choices import register_choices
from engine.config.compose import plain_config, root_keys
from engine.config.user_errors import reported, run

register_choices()


@hydra.main(version_base="1.3", config_path="conf", config_name="eval")
def main(config: DictConfig) -> None:
    """Write predictions, metrics and report of a checkpoint to a folder of their own."""
    with reported():
        if config.exported is not None and OmegaConf.is_missing(config, "ckpt_path"):
            config.ckpt_path = None  # a bundle has the record of its run
        plain = plain_config(config, keys=root_keys("eval"))
        check_given_paths(plain)
        # it takes seconds to import, which help and a misspelt override need not wait for
        from engine.evaluate import evaluate

        evaluate(plain, folder=Path(plain["paths"]["output"]))


if __name__ == "__main__":
    run(main, command="eval")
