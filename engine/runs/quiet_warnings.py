"""Suppress Lightning's start-up messages that carry no information about the run."""

import logging
import warnings

from engine.runs.ranks import is_main

# an advertisement; and which accelerators the machine lacks, twice a run: `EpochLog` names the device
_MESSAGES = ("litlogger", "GPU available:", "TPU available:", "HPU available:")
_UNFIT = (
    # our samplers keep all samples, which tests hold; Lightning cannot know
    r".*You are using a custom batch sampler.*",
    # its own call of a torch function that was renamed
    r".*isinstance\(treespec, LeafSpec\).*",
    # whether a worker more pays is measured by debug=profile, not guessed from the number of cores
    r".*does not have many workers.*",
    # `KeptCSVLogger` keeps them
    r".*Experiment logs directory .* exists and is not empty.*",
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
    logger = logging.getLogger("pytorch_lightning.utilities.rank_zero")
    if not any(isinstance(known, _Silent) for known in logger.filters):
        logger.addFilter(_Silent())
