"""Recordings in which the proportions of the face jump further than those of one person: `two_persons`."""

from collections.abc import Iterator, Sequence

import numpy as np

from datamodules.xray.defect import Defect, defect_of
from datamodules.xray.measured import Measured
from datamodules.xray.survey import Survey

# All our choices; docs/guide/xray.md says why.
_SIZE = 0.05  # root mean square of the logarithms: 5 %, where persons differ by 5 to 10 % in each
_TIMES_SPREAD = 2.0  # what proportions wander by around the jump
_TIMES_OTHERS = 3.5  # the largest jump in half of the recordings


def two_persons(found: Survey) -> tuple[list[Defect], int]:
    """Defects by set, and in how many recordings enough rows showed a face to look."""
    looked = [one for one in found.measured if one.jump is not None]
    defects = [defect for own in found.sets().values() for defect in _jumping(own)]
    return defects, len({one.owners for one in looked})


def _jumping(own: Sequence[Measured]) -> Iterator[Defect]:
    sizes = [one.jump.size for one in own if one.jump is not None]
    if not sizes:
        return
    usual = float(np.median(sizes)) if len(sizes) > 2 else 0.0
    jumping = [one for one in own if one.jump is not None and _is_large(one, usual)]
    if jumping:
        first = max(jumping, key=lambda one: one.jump.size if one.jump is not None else 0.0)
        assert first.jump is not None
        yield defect_of(
            "two_persons",
            f"{first.column}: in {len(jumping)} of {len(sizes)} recording(s) the proportions of the face "
            f"jump as from one person to another: {first.file} by {100 * first.jump.size:.0f} % at row "
            f"{first.jump.row}, where half of the recordings stay below {100 * usual:.1f} %",
            jumping,
        )


def _is_large(one: Measured, usual: float) -> bool:
    jump = one.jump
    return (
        jump is not None
        and jump.size >= _SIZE
        and jump.size >= _TIMES_SPREAD * jump.spread
        and jump.size >= _TIMES_OTHERS * usual
    )
