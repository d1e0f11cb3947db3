"""A contact sheet of drawn faces: identities, and every behavior channel from its low to its high end.

Run ``python -m datamodules.synthetic.gallery OUT.png``.
"""

from __future__ import annotations

import sys
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

from datamodules.command_line import run
from datamodules.synthetic.appearance import Appearance
from datamodules.synthetic.face import Frame, render
from datamodules.synthetic.latent import CHANNELS

_STEPS = 5
_ENDS = {"gaze": (-0.35, 0.35), "pose": (-0.35, 0.35), "pupil": (0.2, 0.6)}
_CAPTION = 16


def neutral() -> npt.NDArray[np.float32]:
    """A row of channels for a face at rest: nothing contracted, looking ahead, a middle-sized pupil."""
    row = np.zeros(len(CHANNELS), dtype=np.float32)
    row[CHANNELS.index("pupil")] = 0.4
    return row


def contact_sheet(*, size: int = 96, identities: int = 12) -> Frame:
    """Draw identities in the first rows, then a ramp of every channel, each on another person."""
    columns = 2 * (_STEPS + 1)
    cells = [
        _caption(render(Appearance.draw(seed), neutral(), size), f"person {seed}")
        for seed in range(identities)
    ]
    cells += [_blank(size)] * (-len(cells) % columns)
    for number, name in enumerate(CHANNELS):
        person = Appearance.draw(number + 20)
        low, high = _ENDS.get(name.split("_")[0], (0.0, 5.0))
        for value in np.linspace(low, high, _STEPS):
            row = neutral()
            row[CHANNELS.index(name)] = value
            cells.append(_caption(render(person, row, size), f"{name} {value:.2g}"))
        cells.append(_blank(size))
    cells += [_blank(size)] * (-len(cells) % columns)
    rows = [np.concatenate(cells[i : i + columns], axis=1) for i in range(0, len(cells), columns)]
    sheet: Frame = np.concatenate(rows, axis=0)
    return sheet


def _blank(size: int) -> Frame:
    return np.full((size + _CAPTION, size, 3), 255, dtype=np.uint8)


def _caption(frame: Frame, text: str) -> Frame:
    cell = _blank(frame.shape[0])
    cell[: frame.shape[0]] = frame
    cv2.putText(
        cell, text, (2, cell.shape[0] - 5), cv2.FONT_HERSHEY_SIMPLEX, 0.35, (60, 60, 60), 1, cv2.LINE_AA
    )
    return cell


def main(out: Path, *, size: int = 96) -> None:
    """Write the contact sheet.

    Args:
        out: PNG file to write.
        size: Side of one face in pixels.
    """
    out.parent.mkdir(parents=True, exist_ok=True)
    if not cv2.imwrite(str(out), cv2.cvtColor(contact_sheet(size=size), cv2.COLOR_RGB2BGR)):
        raise OSError(f"could not write {out}: is it a .png path in a writable folder?")


if __name__ == "__main__":
    sys.exit(run(main))
