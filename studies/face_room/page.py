"""The page docs/results/face_room.md."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from datamodules.synthetic.room import truth
from datamodules.synthetic.room.script import EVENTS
from preprocessing.quality.gate import REASONS
from studies.face_room.measure import SAME
from studies.face_room.recovery import EARLIER, READ, UNREAD, recovery_table
from studies.face_room.score import EDGE, WIDE, Rate, masks, recall, wrong_person

_HEAD = """# Faces in synthetic rooms

Drawn persons in larger moving scenes of 640 x 480 pixels whose truth is known for every frame
([cohort.md](../guide/cohort.md#rooms)), through the steps of `preprocess.py`: the faces of a recording, the
one person who is followed, alignment, quality gate, series. Frames go to them as drawn, without a file in
between. Drawn faces are an upper bound: nothing here says how well a real face is read.

    {command}

{rooms} rooms of 30 s at 25 frames/s with all {events} events each, seeds from {first}; channels driven
in calm rooms. {seconds:.0f} CPU seconds in all, drawing included ({machine}). Intervals: 95 %,
percentiles of 2,000 draws of as many rooms.

![A frame of every event: in green the true box of the person, in orange the second one](images/face_room.png)

## Faces found

A true box is that around the oval of the drawn face: the skull's outline below the hairline. The box
that is compared is that around the landmarks of the person who is followed; it is right from an
intersection over union of {same:g}. Asked are the {asked:,} usable frames with a face at least
{wide:.0%} of the longer side wide.

| | share of frames | target |
|---|---|---|
| found and right (recall) | {recall} | ≥ .99 |
| box of the second person, of all frames | {wrong} | 0 |
| the same, and the gate lets it pass | {wrong_used} | 0 |

Frames that were missed, by event: {missed}.
Frames with the second person's box, by event: {swapped}.

## Frames to be masked

To be masked are frames with more than {hidden:.0%} of the oval hidden by a thing or the second person,
more than {outside:.0%} of it outside the picture, a blur whose sigma is over {blur:.0%} of the face's
width, a luminance of the lit skin below {dark:g} or above {bright:g}, a turn of more than 45°, or
without a face. The target is F1 ≥ .95. Of a single reason, recall asks whether the frames that it truly
speaks against are masked, for whatever reason; precision, whether the frames that the gate names it for
are to be masked, for whatever reason. *Away from edges* leaves out frames within {edge} frames of a
change of the truth.

{masks}



"""

_RECOVERY = """## What the series recover

Pearson's r of a drawn channel with the column of the series that is to follow it, over the usable frames
of a room; mean and 95 % t interval over rooms. *In turn*: in a calm room, one channel after the other
moves through its range. *Together*: all of them at once. *Natural*: a person behaves as in the cohort,
in rooms with all events; most channels then hardly move, so that r is mostly the share of noise.
*Earlier*: measured with the same networks on other drawn faces of 224 pixels without a room, alone /
together, before this pipeline was written.

{table}

Not exported, because faces do not show them reliably to landmarks: {unread}. `au_proxy_26` is the
opening of the lips, which AU25 and AU26 both drive; what they do together has a row of its own.
`au_proxy_10` and `au_proxy_24` have no drawn channel that they could follow.
"""


def write_page(
    rooms: Sequence[pd.DataFrame],
    r: pd.DataFrame,
    path: Path,
    *,
    command: str,
    machine: str,
    first: int,
    seconds: float,
) -> str:
    """Write the page and return its text."""
    found = recall(rooms)
    text = _HEAD.format(
        command=command,
        machine=machine,
        first=first,
        seconds=seconds,
        rooms=len(rooms),
        events=len(EVENTS),
        same=SAME,
        asked=found.frames,
        wide=WIDE,
        recall=_rate(found),
        wrong=_rate(wrong_person(rooms, used=False)),
        wrong_used=_rate(wrong_person(rooms, used=True)),
        missed=_by_event(rooms, "missed"),
        swapped=_by_event(rooms, "swapped"),
        hidden=truth.HIDDEN,
        outside=truth.OUTSIDE,
        blur=truth.BLUR,
        dark=truth.DARK,
        bright=truth.BRIGHT,
        edge=EDGE,
        masks=_masks(rooms),
    ) + _RECOVERY.format(table=_recovery(r), unread=", ".join(UNREAD))
    path.write_text(text, encoding="utf-8")
    return text


def _rate(rate: Rate) -> str:
    if not np.isfinite(rate.value):
        return "-"
    return f"{_short(rate.value)} [{_short(rate.low)}, {_short(rate.high)}]"


def _short(value: float) -> str:
    return f"{value:.3f}".removeprefix("0") if value < 1 else "1"


def _masks(rooms: Sequence[pd.DataFrame]) -> str:
    lines = ["| reason | frames | precision | recall | F1 | F1 away from edges |", "|---" * 6 + "|"]
    true = [reason for reason in REASONS if f"true_{reason}" in rooms[0]]
    for reason in (None, *true):
        every, inner = masks(rooms, reason, edges=True), masks(rooms, reason, edges=False)
        cells = [_rate(every[name]) for name in ("precision", "recall", "F1")] + [_rate(inner["F1"])]
        lines.append(f"| {reason or '**all**'} | {every['recall'].frames:,} | {' | '.join(cells)} |")
    return "\n".join(lines)


def _by_event(rooms: Sequence[pd.DataFrame], what: str) -> str:
    table = pd.concat(rooms)
    wrong = table["overlap"] < SAME
    if what == "missed":
        rows = table[wrong & table["true_usable"] & (table["width"] >= WIDE)]
    else:
        rows = table[wrong & (table["overlap_other"] >= SAME)]
    counts = rows["event"].replace("", "in between").value_counts()
    return ", ".join(f"{name} {count}" for name, count in counts.items()) or "none"


def _recovery(r: pd.DataFrame) -> str:
    means = {(row["channel"], row["kind"]): row for row in recovery_table(r)}
    lines = ["| drawn channel | column | in turn | together | natural | earlier |", "|---" * 6 + "|"]
    for channel, (column, sign) in READ.items():
        cells = [_mean(means, channel, kind) for kind in ("in turn", "together", "natural")]
        earlier = EARLIER.get(channel)
        quoted = f"{_two(earlier[1])} / {_two(earlier[0])}" if earlier else "-"
        name = f"-`{column}`" if sign < 0 else f"`{column}`"
        lines.append(f"| `{channel}` | {name} | {' | '.join(cells)} | {quoted} |")
    return "\n".join(lines)


def _mean(means: Mapping[tuple[str, str], Mapping[str, Any]], channel: str, kind: str) -> str:
    row = means.get((channel, kind))
    return f"{_two(row['r'])} ± {_two(row['half'])}" if row else "-"


def _two(value: float) -> str:
    return f"{value:.2f}".replace("0.", ".", 1) if abs(value) < 1 else f"{value:.2f}"
