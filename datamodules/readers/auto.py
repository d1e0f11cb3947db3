"""The choice between readers that agree to the bit."""

import functools
import logging
from pathlib import Path

from .packets import packet_index
from .protocol import UnsupportedVideo, VideoReader
from .pyav import PyavReader
from .torchcodec import TorchcodecReader, load_problem, why_not

_log = logging.getLogger(__name__)


def open_auto(path: Path) -> VideoReader:
    """Open with torchcodec where it is exact and loads, else with PyAV; the pixels are the same.

    Raises:
        UnreadableVideo: if the file is missing, empty, truncated or corrupt.
    """
    _say_once()
    if not why_not(packet_index(path)):
        try:
            return TorchcodecReader(path)
        except UnsupportedVideo as error:
            _log.debug("%s", error)
    return PyavReader(path)


@functools.cache
def _say_once() -> None:
    problem = load_problem()
    _log.debug(
        "reader=auto: %s", f"pyav, as torchcodec does not load ({problem})" if problem else "torchcodec"
    )
