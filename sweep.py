"""Search settings by validation: `python sweep.py n_trials=20 "lr=tag(log,interval(1e-4,1e-2))"`."""

import sys
from pathlib import Path

import hydra
from omegaconf import DictConfig

from engine.config.choices import register_choices
from engine.config.compose import plain_config, root_keys
from engine.config.user_errors import reported, run
from engine.runs.find_run import register
from engine.sweeping.command_line import apart, check_password

register()
register_choices()

GIVEN = sys.argv[1:]


@hydra.main(version_base="1.3", config_path="conf", config_name="sweep")
def main(config: DictConfig) -> None:
    """Run a search, or one of its workers."""
    with reported():
        plain = plain_config(config, keys=root_keys("sweep"))
        sys.argv[1:] = GIVEN
        # it takes seconds to import, which help and a misspelt override need not wait for
        from engine.sweep import sweep

        sweep(plain, apart(GIVEN)[1], folder=Path(plain["paths"]["output"]))


def begin() -> None:
    """Hand Hydra the settings of the sweep; those of the training it would take for its own."""
    own = apart(GIVEN)[0]
    check_password(" ".join(own))  # before Hydra writes the words down
    sys.argv[1:] = own
    main()


if __name__ == "__main__":
    run(begin, command="sweep")
