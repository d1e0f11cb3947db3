"""Remarks on files whose frames may be right although pictures seem to be missing.

Most decoders do not notice a packet that is not there: they show the picture before, or one that leans on
it, as if it were right.
"""

from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path

import numpy as np

from datamodules.readers.index.bitstream import Heads
from datamodules.readers.index.transport_stream import losses

# A gap is longer than this many usual steps; times count as regular if the others differ by less than this
# share, and gaps or jumps are few below that one (our choices).
_GAP, _UNEVEN, _FEW = 1.8, 0.1, 0.1
_DEBRIS = "the frames behind it may show debris"


def remarks(
    *, times: Sequence[int], time_base: Fraction, heads: Heads, transport: tuple[Path, int] | None
) -> tuple[str, ...]:
    """Say what speaks against a file, a sentence each.

    Args:
        times: of its frames, or of its packets in the order of decoding.
        time_base: seconds per tick.
        heads: of its pictures, all read.
        transport: the file and the number of the stream in it, if it is an MPEG transport stream.
    """
    found = (_gaps(times, time_base), _jumps(heads), losses(*transport) if transport else "")
    return tuple(remark for remark in found if remark)


def _gaps(times: Sequence[int], time_base: Fraction) -> str:
    """Name the gaps of regular times; empty if there are none, or if many times are irregular."""
    steps = np.diff(times)
    usual = float(np.median(steps)) if len(steps) else 0.0
    gaps = np.flatnonzero(steps > _GAP * usual)
    regular = np.abs(steps - usual) <= max(1.0, _UNEVEN * usual)
    if not len(gaps) or np.count_nonzero(~regular) > len(gaps) or len(gaps) > _FEW * len(steps):
        return ""
    return (
        f"its frames are {usual * time_base:.3f} s apart, with gaps in {len(gaps)} places, the first behind "
        f"frame {gaps[0]} ({float(steps[gaps[0]] * time_base):.3f} s). If the camera dropped no pictures "
        "there, packets were lost, and the frames behind a gap may show debris"
    )


def _jumps(heads: Heads) -> str:
    """Name pictures that are missing by the numbers in the others; a habit of the coder is none."""
    if not heads.jumps or len(heads.jumps) > max(1, _FEW * heads.numbered):
        return ""
    return (
        f"pictures are missing in {len(heads.jumps)} places, the first before coded picture {heads.jumps[0]} "
        f"(the numbers of its {heads.codec} jump), and {_DEBRIS}. Copy the file again from its source"
    )
