"""Clocks of feature sets: time stamps that are not in milliseconds are refused."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from datamodules.series.series import UnreadableSeries
from datamodules.series.timebase import rate

# Rows per second, our choice. Cameras have up to 240, frames of audio 100, gait up to 200. Slower than a row
# in 30 s, a set is one that a camera of 30 frames/s or less made, in microseconds.
SLOWEST, FASTEST = 1 / 30, 500.0
_LONGEST = 3 * 3600.0  # seconds, our choice: a set this slow and long is 10 s in microseconds
_THOUSAND = (500.0, 2000.0)  # our choice: between two sets, one of which covers half of the recording
_UNITS = {1e3: ("seconds", "multiply it by 1000"), 1e-3: ("microseconds", "divide it by 1000"),
          1e-6: ("nanoseconds", "divide it by 1000000")}  # fmt: skip


def check_set_rate(path: Path, seconds: NDArray[np.float64]) -> None:
    """Stop at time stamps of a rate that no extractor has.

    Sparse sets pass, such as a row every 10 s, and one row has no rate. What the rate alone does not tell,
    the other sets of the recording do, see `check_spans`.

    Args:
        path: The file, for messages.
        seconds: Time stamps (T,) that rise, as if they were stored in milliseconds.

    Raises:
        UnreadableSeries: Names the file, the rate, the likely unit, and what to do.
    """
    own = rate(seconds)
    if own is None:
        return
    span = float(seconds[-1] - seconds[0])
    long = span > _LONGEST and own < FASTEST / 1000
    if SLOWEST <= own <= FASTEST and not long:
        return
    factor = next((one for one in _UNITS if SLOWEST <= own / one <= FASTEST), None)
    likely = "" if factor is None else f"; it looks like {_UNITS[factor][0]}: {_UNITS[factor][1]}"
    raise UnreadableSeries(
        f"{path}: 'timestamps_ms' gives {own:.4g} rows/s over {span:.4g} s, and sets have {SLOWEST:.2g} to "
        f"{FASTEST:g}, those below {FASTEST / 1000:g} for {_LONGEST / 3600:g} hours at the most{likely}; "
        "store milliseconds from the beginning of the recording on. Of a set that is so sparse, add rows "
        "that are not valid in between; a faster one is to be averaged"
    )


def check_spans(clocks: Mapping[Path, NDArray[np.float64]]) -> None:
    """Stop where one set of a recording lasts about a thousand times as long as another.

    Args:
        clocks: Seconds (T,) of each file of the recording that has two rows or more.

    Raises:
        UnreadableSeries: Names both files, their spans, and what to do.
    """
    spans = {path: float(seconds[-1] - seconds[0]) for path, seconds in clocks.items()}
    for short, brief in spans.items():
        for long, whole in spans.items():
            if _THOUSAND[0] <= whole / brief <= _THOUSAND[1]:
                raise UnreadableSeries(
                    f"{short}: its times span {brief:.4g} s, and those of {long.name} of the same recording "
                    f"{whole:.4g} s, about a thousand times as long ({long}): one of them is not in "
                    "milliseconds; write timestamps_ms in milliseconds in both. A set that was extracted of "
                    "so small a part has rows that are not valid at both ends of the recording"
                )
