"""Export a checkpoint: `python export.py ckpt_path=<run>/checkpoints/best.ckpt format=onnx`."""

from pathlib import Path

import hydra
from omegaconf import DictConfig

from engine.checkpoints.given_paths import check_given_paths
from engine.config.choices import register_choices
from engine.config.compose import plain_config, root_keys
from engine.config.user_errors import reported, run

register_choices()


@hydra.main(version_base="1.3", config_path="conf", config_name="export")
def main(config: DictConfig) -> None:
    """Write bundles of a trained network, each with its certificate."""
    with reported():
        plain = plain_config(config, keys=root_keys("export"))
        check_given_paths(plain)
        # it takes seconds to import, which help and a misspelt override need not wait for
        from engine.export import export

        export(plain, folder=Path(plain["paths"]["output"]))


if __name__ == "__main__":
    run(main, command="export")
