"""Suppress Lightning's start-up messages that carry no information about the run."""

import logging
import warnings

_ADVERTISEMENT = "litlogger"
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


class _NoAdvertisement(logging.Filter):
    def filter(self, record: logging.LogRecord) -> bool:
        return _ADVERTISEMENT not in record.getMessage()


def quiet() -> None:
    """Install the filters; calling it again changes nothing."""
    for pattern in _UNFIT:
        warnings.filterwarnings("ignore", message=pattern)
    logger = logging.getLogger("pytorch_lightning.utilities.rank_zero")
    if not any(isinstance(known, _NoAdvertisement) for known in logger.filters):
        logger.addFilter(_NoAdvertisement())
