import logging
import warnings

import pytest

from engine.runs.quiet_warnings import quiet


def test_what_says_nothing_about_the_run_is_silent_and_the_rest_is_heard(caplog):
    quiet()
    filters = list(warnings.filters)
    quiet()
    assert warnings.filters == filters
    with warnings.catch_warnings(record=True) as heard:
        warnings.warn("The 'train_dataloader' does not have many workers which may be slow", stacklevel=1)
    assert heard == []
    with pytest.warns(UserWarning, match="loss"):
        warnings.warn("the loss is not finite", stacklevel=1)
    logger = logging.getLogger("pytorch_lightning.utilities.rank_zero")
    with caplog.at_level(logging.INFO, logger=logger.name):
        logger.addHandler(caplog.handler)
        logger.info("Tip: install litlogger")
        logger.info("GPU available: False, used: False")
        logger.info("Restored all states from the checkpoint at last.ckpt")
        logger.removeHandler(caplog.handler)
    assert {record.getMessage() for record in caplog.records} == {
        "Restored all states from the checkpoint at last.ckpt"
    }
