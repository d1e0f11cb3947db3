"""CPU time of the parts of the face pipeline, measured while it runs."""

from collections import defaultdict
from collections.abc import Callable
from time import process_time
from typing import Any
from unittest.mock import patch

from datamodules.readers.pyav import Cursor
from preprocessing.alignment.aligner import Aligner
from preprocessing.faces.networks import LitertNetworks
from preprocessing.page.contact_sheet import ContactSheet
from preprocessing.quality.gate import QualityGate
from preprocessing.run import crops, recording

_PARTS = (
    ("decoding", Cursor, "_timed"),
    ("to RGB", "datamodules.readers.stream", "to_rgb"),
    ("detector", LitertNetworks, "detect"),
    ("mesh", LitertNetworks, "landmarks"),
    ("irises", LitertNetworks, "eyes"),
    ("looks of the person", "preprocessing.tracking.follow", "appearance"),
    ("matrices", Aligner, "matrices"),
    ("crop", Aligner, "crop"),
    ("measuring of the crop", crops, "measure"),
    ("gate", QualityGate, "__call__"),
    ("series", recording, "face_series"),
    ("contact sheet", ContactSheet, "add"),
)


def timed_parts(work: Callable[[], Any], frames: int) -> dict[str, float]:
    """CPU milliseconds a frame of each part; the rest is encoding, digests and what holds all together."""
    seconds: dict[str, float] = defaultdict(float)
    patches = [_timed(part, owner, name, seconds) for part, owner, name in _PARTS]
    for one in patches:
        one.start()
    start = process_time()
    try:
        work()
    finally:
        spent = process_time() - start
        for one in patches:
            one.stop()
    seconds["encoding and the rest"] = spent - sum(seconds.values())
    return {part: 1000 * one / frames for part, one in seconds.items()}


def _timed(part: str, owner: Any, name: str, seconds: dict[str, float]) -> Any:
    from importlib import import_module

    place = import_module(owner) if isinstance(owner, str) else owner
    original = getattr(place, name)

    def measured(*args: Any, **kwargs: Any) -> Any:
        start = process_time()
        try:
            return original(*args, **kwargs)
        finally:
            seconds[part] += process_time() - start

    return patch.object(place, name, measured)
