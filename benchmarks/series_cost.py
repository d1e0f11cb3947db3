"""CPU time of a clip of a series: parsed for every clip, as before, and parsed once and kept.

`python -m benchmarks.series_cost [rounds]` makes its own files: 528 archives like those of the synthetic
cohort, and OpenFace tables of 15 minutes. Both ways take turns; shown are medians and the range of the ratio.
"""

import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from datamodules.series import kept, read
from datamodules.series.series import Series

CHANNELS = tuple(
    f"au{number:02d}" for number in (1, 2, 4, 5, 6, 7, 9, 10, 12, 14, 15, 17, 20, 23, 25, 26, 45)
)
_ARCHIVES, _CLIPS, _LENGTH = 528, 600, 32
_ROWS, _TABLES, _TABLE_CLIPS = 27_000, 2, 8


def write_archives(folder: Path) -> list[Path]:
    """Archives of 90 rows and 17 channels."""
    rng = np.random.default_rng(0)
    paths = [folder / f"{number:03d}.npz" for number in range(_ARCHIVES)]
    for path in paths:
        values = rng.uniform(0, 5, (90, len(CHANNELS))).astype(np.float32)
        np.savez(path, values=values, channels=np.array(CHANNELS), valid=np.ones(90, bool), fps=30.0)
    return paths


def write_tables(folder: Path) -> list[Path]:
    """OpenFace tables of 15 minutes at 30 frames/s with 54 columns."""
    rng = np.random.default_rng(0)
    others = [f"x_{number}" for number in range(32)]
    units = [f"AU{name.removeprefix('au')}_r" for name in CHANNELS]
    paths = [folder / f"{number}.csv" for number in range(_TABLES)]
    for path in paths:
        values = rng.uniform(0, 5, (_ROWS, len(units) + len(others)))
        with path.open("w") as stream:
            stream.write(
                ", ".join(["frame", "face_id", "timestamp", "confidence", "success", *units, *others]) + "\n"
            )
            for row, cells in enumerate(values.tolist()):
                text = ", ".join(f"{cell:.2f}" for cell in cells)
                stream.write(f"{row + 1}, 0, {row / 30:.3f}, 0.98, 1, {text}\n")
    return paths


def parsed(path: Path) -> Series:
    """The file parsed anew."""
    return read._parsed(path, CHANNELS, None)


def remembered(path: Path) -> Series:
    """The file from memory, or mapped from its parsed copy."""
    return read.read_series(path, channels=CHANNELS)


def seconds(way: Callable[[Path], Series], paths: Sequence[Path], clips: int) -> float:
    """CPU seconds for a clip, over `clips` of them at places of their own."""
    rng = np.random.default_rng(0)
    start = time.process_time()
    for _ in range(clips):
        series = way(paths[int(rng.integers(len(paths)))])
        first = int(rng.integers(len(series.values) - _LENGTH))
        np.array(series.values[first : first + _LENGTH])
    return (time.process_time() - start) / clips


def compare(name: str, paths: Sequence[Path], clips: int, rounds: int, *, forget: bool) -> str:
    """A line of the table; with `forget` nothing stays in memory, as in a corpus larger than that."""
    for path in paths:
        remembered(path)  # the first sight is paid once
    old, new = [], []
    for _ in range(rounds):
        old.append(seconds(parsed, paths, clips))
        if forget:
            kept.KEPT = kept.Kept(limit=0)
        new.append(seconds(remembered, paths, clips))
    ratios = sorted(a / b for a, b in zip(old, new, strict=True))
    return (
        f"| {name} | {1e3 * np.median(old):.3g} | {1e3 * np.median(new):.3g} | {np.median(ratios):.1f} "
        f"[{ratios[0]:.1f}..{ratios[-1]:.1f}] |"
    )


def main(rounds: int) -> None:
    """Print the table."""
    show = sys.stdout.write
    show("| series | parsed each time, CPU ms a clip | parsed once | ratio |\n|---|---|---|---|\n")
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        show(compare("528 archives of 90 x 17", write_archives(folder), _CLIPS, rounds, forget=False) + "\n")
        tables = write_tables(folder)
        show(compare("tables of 27,000 x 54, in memory", tables, _TABLE_CLIPS, rounds, forget=False) + "\n")
        show(compare("tables of 27,000 x 54, mapped anew", tables, _TABLE_CLIPS, rounds, forget=True) + "\n")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 5)
