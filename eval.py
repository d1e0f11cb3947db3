"""Evaluate a checkpoint: `python eval.py ckpt_path=<run>/checkpoints/best.ckpt [manifest=<csv>]`."""

from pathlib import Path

import hydra
from omegaconf import DictConfig

from engine.config.choices import register_choices
from engine.config.compose import plain_config, root_keys

register_choices()


@hydra.main(version_base="1.3", config_path="conf", config_name="eval")
def main(config: DictConfig) -> None:
    """Write predictions, metrics and report of a checkpoint to a folder of their own."""
    plain = plain_config(config, keys=root_keys("eval"))
    from engine.evaluate import (
        evaluate,  # takes seconds, which help and a misspelt override need not wait for
    )

    evaluate(plain, folder=Path(plain["paths"]["output"]))


if __name__ == "__main__":
    main()
