"""Arrays and channels that never change, and rows that stay the same for long: `constant` and `frozen`."""

from collections.abc import Iterator, Sequence

import numpy as np

from datamodules.wording import first_few
from datamodules.xray.defect import Defect, defect_of
from datamodules.xray.measured import Measured
from datamodules.xray.survey import ChannelRuns, Survey

# All our choices; docs/guide/xray.md says why.
_ROWS, _CHANNEL_ROWS = 4, 16  # below which an array, a channel may rest by chance
_CHANNEL_S = 1.5  # seconds that one channel may rest by chance, at a clip of its scale
_TIMES_ARRAY, _TIMES = 3.0, 10.0  # as long as the longest stretch in 9 of 10 files where it moves
_USUAL = 0.9
_MOVING = 3  # files in which a channel must move
_LONG_S, _LONG_SHARE, _LONG_ROWS = 3.0, 0.15, 16  # seconds or share of the rows, and rows
_SHORT_SHARE, _SHORT_ROWS = 0.25, 8  # of short recordings
_TIMES_STILL = 3.0  # as long as the longest stretch in half of the files


def constant(found: Survey) -> list[Defect]:
    """Arrays whose rows never change, and channels that do in other files, by set."""
    return [defect for name, own in found.sets().items() for defect in _constant(own, found.runs.get(name))]


def _constant(own: Sequence[Measured], runs: ChannelRuns | None) -> Iterator[Defect]:
    if runs is None:
        return
    usual, alive = runs.usual(_USUAL), runs.alive()
    on_scale = runs.scaled > 0
    # of what is only ever counted, an array at rest is no news; where nothing ever moves, nobody knows
    judged = on_scale | (alive == 0)
    # as long as all channels together rest where they move: each alone may rest for much longer
    still = [one.stretch.rows for one in own if one.stretch is not None]
    least = float(np.quantile(still, _USUAL)) if still else 1.0
    whole = [
        one for one in own if one.constant and judged.any() and one.valid >= max(_ROWS, _TIMES_ARRAY * least)
    ]
    if whole:
        told = "all 0" if all(one.first == 0 for one in whole) else f"from {whole[0].first:.6g} on"
        yield defect_of(
            "constant",
            f"{whole[0].column}: the rows of {len(whole)} of {len(own)} array(s) never change ({told}), "
            f"e.g. {whole[0].file}",
            whole,
        )
    place = {name: at for at, name in enumerate(runs.channels)}
    needed = np.maximum(_CHANNEL_ROWS, _TIMES * usual)
    stuck: dict[str, list[Measured]] = {}
    for one in own:
        if one.constant:
            continue
        for name, value in one.still.items():
            at = place[name]
            # at rest at one end of the scale, as an intensity of 0, is where others rest as well
            ends = value in (runs.low[at], runs.high[at])
            long = one.valid >= needed[at] and (one.rate is None or one.valid / one.rate >= _CHANNEL_S)
            if alive[at] >= _MOVING and on_scale[at] and long and not ends:
                stuck.setdefault(name, []).append(one)
    if stuck:
        files = list({one.file: one for some in stuck.values() for one in some}.values())
        yield defect_of(
            "constant",
            f"{files[0].column}: {len(stuck)} channel(s) rest throughout {len(files)} recording(s) and move "
            f"in others: {first_few(list(stuck), 5)}",
            files,
        )


def frozen(found: Survey) -> list[Defect]:
    """Files in which all channels on a scale stay the same for long, by set."""
    return [defect for own in found.sets().values() for defect in _frozen(own)]


def _frozen(own: Sequence[Measured]) -> Iterator[Defect]:
    moving = [one for one in own if one.stretch is not None]
    if not moving:
        return
    usual = float(np.median([one.stretch.rows for one in moving if one.stretch is not None]))
    hung = [one for one in moving if _is_long(one, usual)]
    if hung:
        first = max(hung, key=lambda one: one.stretch.rows if one.stretch is not None else 0)
        assert first.stretch is not None
        yield defect_of(
            "frozen",
            f"{first.column}: in {len(hung)} of {len(moving)} array(s) all channels stay the same for long, "
            f"as of a tracker that hangs: {first.file} for {first.stretch.rows} of {first.valid} rows, "
            f"from row {first.stretch.start} on",
            hung,
        )


def _is_long(one: Measured, usual: float) -> bool:
    rows = one.stretch.rows if one.stretch is not None else 0
    share = rows / max(one.valid, 1)
    seconds = rows / one.rate if one.rate else 0.0
    long = rows >= _LONG_ROWS and (seconds >= _LONG_S or share >= _LONG_SHARE)
    return (long or (rows >= _SHORT_ROWS and share >= _SHORT_SHARE)) and rows >= _TIMES_STILL * usual
