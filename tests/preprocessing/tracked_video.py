"""A video of a drawn face that is carried along, and its landmarks as a table of OpenFace."""

from pathlib import Path

import numpy as np
import pandas as pd

from datamodules.synthetic.appearance import Appearance
from datamodules.synthetic.face import LANDMARKS, landmarks, render_series
from datamodules.synthetic.latent import CHANNELS
from datamodules.synthetic.video import write_video

ROWS, SIZE, FPS = 48, 320, 24
LOST = [30, 31]


def along(points, count):
    """Points ``(T, n, 2)`` at `count` equal steps of the line through them."""
    places = np.linspace(0, points.shape[1] - 1, count)
    low = np.minimum(places.astype(int), points.shape[1] - 2)
    share = (places - low)[:, None]
    return points[:, low] * (1 - share) + points[:, low + 1] * share


def ibug68(drawn):
    """The 68 points of drawn landmarks ``(T, K, 2)``; those not drawn lie between their neighbors."""
    p = {name: drawn[:, [number]] for number, name in enumerate(LANDMARKS)}
    one, other = ("r", "l") if p["iris_r"][0, 0, 0] < p["iris_l"][0, 0, 0] else ("l", "r")

    def line(*names):
        return np.concatenate([p[name] for name in names], axis=1)

    def eye(side):
        upper = line(*(f"eye_{side}_{k}" for k in range(4)))
        lower = line(*(f"eye_{side}_{k}" for k in (4, 5)))
        if upper[0, 0, 0] > upper[0, 3, 0]:
            upper, lower = upper[:, ::-1], lower[:, ::-1]
        return [upper, lower]

    def brow(side):
        points = line(*(f"brow_{side}_{k}" for k in range(5)))
        return points if points[0, 0, 0] < points[0, -1, 0] else points[:, ::-1]

    jaw = [f"jaw_{one}_{k}" for k in range(4)] + ["jaw"] + [f"jaw_{other}_{k}" for k in (3, 2, 1, 0)]
    corners = f"mouth_{one}", f"mouth_{other}"
    outer = along(line(corners[0], "lip_upper", corners[1], "lip_lower", corners[0]), 13)[:, :12]
    inner = along(line(corners[0], "inner_upper", corners[1], "inner_lower", corners[0]), 9)[:, :8]
    nose = [
        along(line("nose_bridge", "nose_tip"), 4),
        along(line(f"ala_{one}", "nose_base", f"ala_{other}"), 5),
    ]
    return np.concatenate(
        [along(line(*jaw), 17), brow(one), brow(other), *nose, *eye(one), *eye(other), outer, inner], axis=1
    )


def tracked(path, *, seed=3):
    """Write the table of a face that nods sideways, blinks once, and is carried right by a pixel a frame.

    Returns:
        Its frames, its points ``(T, 68, 2)`` and the series that it was drawn by.
    """
    series = np.zeros((ROWS, len(CHANNELS)), np.float32)
    series[:, CHANNELS.index("pose_roll")] = 0.15 * np.sin(np.arange(ROWS) / 6)
    series[12:18, CHANNELS.index("au45")] = [0.5, 1, 1, 1, 1, 0.5]
    look = Appearance.draw(seed)
    frames = [np.roll(frame, t, axis=1) for t, frame in enumerate(render_series(look, series, SIZE))]
    points = ibug68(landmarks(look, series, SIZE)) + np.array([1, 0]) * np.arange(ROWS)[:, None, None]
    table = {"frame": np.arange(1, ROWS + 1), "timestamp": np.arange(ROWS) / FPS, "confidence": 0.98}
    table |= {"success": np.where(np.isin(np.arange(ROWS), LOST), 0, 1)}
    table |= {f"{axis}_{k}": points[:, k, number] for number, axis in enumerate("xy") for k in range(68)}
    pd.DataFrame(table).to_csv(path, index=False)
    return frames, points, series


def write_tracked(stem: Path, *, seed: int) -> tuple[Path, Path]:
    """Write `<stem>.mp4` and `<stem>.csv`."""
    frames, _, _ = tracked(stem.with_suffix(".csv"), seed=seed)
    write_video(stem.with_suffix(".mp4"), frames, fps=FPS)
    return stem.with_suffix(".mp4"), stem.with_suffix(".csv")
