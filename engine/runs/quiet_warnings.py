"""Suppress Lightning's start-up messages that carry no information about the run."""

import logging
import warnings

from engine.runs.ranks import is_main

_MESSAGES = (
    "litlogger",  # an advertisement
    *("GPU available:", "TPU available:", "HPU available:"),  # twice a run; `EpochLog` names the device
    "`Trainer.fit` stopped: `max_e",  # the last epoch was the last
    *(
        "`weights_only` was not set",
        "/.lr_find_",
    ),  # files of the range test of `find_lr`
)
_LOGGERS = ("utilities.rank_zero", "trainer.connectors.checkpoint_connector")
_UNFIT = (
    # our samplers keep all samples, which tests hold; Lightning cannot know
    r".*You are using a custom batch sampler.*",
    # its own call of a torch function that was renamed
    r".*isinstance\(treespec, LeafSpec\).*",
    # whether a worker more pays is measured by debug=profile, not guessed from the number of cores
    r".*does not have many workers.*",
    # `KeptCSVLogger` keeps them
    r".*Experiment logs directory .* exists and is not empty.*",
    r".*Checkpoint directory .* exists and is not empty.*",  # of a run that goes on there
    # `configure_model` shards with trainer=fsdp only, where an average is refused
    r".*You're using the WeightAveraging callback with a model that overrides.*",
    # `StepCheckpoint` skips what was trained
    r".*You're resuming from a checkpoint that ended before the epoch ended.*",
    r".*The number of training batches .* is smaller than the logging interval.*",
)


class _Silent(logging.Filter):
    def filter(self, record: logging.LogRecord) -> bool:
        return not any(text in record.getMessage() for text in _MESSAGES)


def quiet() -> None:
    """Install the filters, and leave to ranks but the first only warnings; again, this changes nothing."""
    if not is_main():
        logging.getLogger().setLevel(logging.WARNING)
    for pattern in _UNFIT:
        warnings.filterwarnings("ignore", message=pattern)
    for name in _LOGGERS:
        logger = logging.getLogger(f"pytorch_lightning.{name}")
        if not any(isinstance(known, _Silent) for known in logger.filters):
            logger.addFilter(_Silent())
