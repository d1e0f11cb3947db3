"""Decoding speed of each video reader, in clips per CPU-second: `python -m benchmarks.decoding`.

Every round lets each reader read the same clips once, one reader after the other, so that a busy moment of
the machine touches all of them; the best round counts. Ratios to PyAV travel between machines, clips per
second do not; differences under 15 % are noise.
"""

import functools
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import av
import numpy as np
import pandas as pd

from datamodules.command_line import run
from datamodules.readers import UnreadableVideo, VideoSource, open_video

READERS = ("pyav", "torchcodec", "decord")
# The materials: longer groups of pictures cost more per random clip. Height, width, GOP.
MATERIALS = {"480p, GOP 12": (480, 640, 12), "480p, GOP 250": (480, 640, 250), "224p, GOP 12": (224, 224, 12)}
CLIP_FRAMES, STRIDE, CLIPS_PER_OPEN = 16, 4, 8

Read = Callable[[Path, list[list[int]]], None]


def main(
    *,
    video: tuple[Path, ...] = (),
    rounds: int = 5,
    clips: int = 8,
    seconds: float = 10.0,
    out: Path = Path("outputs/benchmarks"),
) -> None:
    """Measure, write `decoding.csv`, and show the table.

    Args:
        video: Files to measure instead of generated ones.
        rounds: Per reader; the best one counts.
        clips: Per round.
        seconds: Length of the generated videos.
        out: Folder of the table.
    """
    with tempfile.TemporaryDirectory() as folder:
        videos = {path.name: path for path in video} or {
            name: write_video(Path(folder), *shape, seconds) for name, shape in MATERIALS.items()
        }
        table = pd.concat([measure(name, path, rounds, clips) for name, path in videos.items()])
    out.mkdir(parents=True, exist_ok=True)
    table.to_csv(out / "decoding.csv", index=False)
    sys.stdout.write(table.to_string(index=False, float_format=lambda value: f"{value:.2f}") + "\n")


def measure(name: str, path: Path, rounds: int, clips: int) -> pd.DataFrame:
    """Return one row per way of reading: clips per CPU-second, and the ratio to PyAV read the same way."""
    wanted = random_clips(path, clips)
    ways: dict[tuple[str, str], Read] = {
        (mode, reader): functools.partial(read, reader=reader)
        for mode, read in (("an open per clip", _open_per_clip), ("8 clips per open", _open_once))
        for reader in READERS
    }
    ways["an open per clip", "packets"] = _cut_only  # what a worker does when the device decodes
    best: dict[tuple[str, str], float] = {}
    refusals: dict[tuple[str, str], str] = {}
    for _ in range(rounds + 1):  # the first round fills caches and loads libraries; it is the slowest anyway
        for way, read in ways.items():
            if way in refusals:
                continue
            try:
                speed = clips / _cpu_seconds(read, path, wanted)
            except UnreadableVideo as error:
                refusals[way] = str(error).removeprefix(f"{path}: ")
            else:
                best[way] = max(best.get(way, 0.0), speed)
    return pd.DataFrame(
        {
            "video": name,
            "mode": mode,
            "reader": reader,
            "clips_per_cpu_second": best.get((mode, reader), float("nan")),
            "ratio_to_pyav": best.get((mode, reader), float("nan")) / best.get((mode, "pyav"), float("nan")),
            "refused": refusals.get((mode, reader), ""),
        }
        for mode, reader in ways
    )


def random_clips(path: Path, clips: int) -> list[list[int]]:
    """Draw the frames of the clips: 16 frames, every 4th, from a random start."""
    with open_video(path, reader="pyav") as video:
        last = video.n_frames - 1
    starts = np.random.default_rng(0).integers(max(1, last - CLIP_FRAMES * STRIDE), size=clips)
    return [[min(int(start) + STRIDE * step, last) for step in range(CLIP_FRAMES)] for start in starts]


def write_video(folder: Path, height: int, width: int, gop: int, seconds: float) -> Path:
    """Write textured frames that drift, H.264 with 3 B-frames: about the bit rate of a recorded face."""
    path = folder / f"{height}_{gop}.mp4"
    rng = np.random.default_rng(0)
    coarse = rng.integers(0, 256, (height // 16 + 2, width // 16 + 2, 3), dtype=np.uint8)
    texture = np.kron(coarse, np.ones((16, 16, 1), dtype=np.uint8))
    with av.open(str(path), "w") as container:
        stream = container.add_stream(
            "libx264", rate=30, options={"g": str(gop), "bf": "3", "preset": "veryfast"}
        )
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        for number in range(round(30 * seconds)):
            drifted = np.roll(texture, (number // 2, number), axis=(0, 1))[:height, :width].astype(np.int16)
            grain = rng.integers(-6, 7, (height, width, 1), dtype=np.int16)
            picture = (drifted + grain).clip(0, 255).astype(np.uint8)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        container.mux(stream.encode(None))
    return path


def _cpu_seconds(read: Read, path: Path, wanted: list[list[int]]) -> float:
    start = time.process_time()
    read(path, wanted)
    return max(time.process_time() - start, 1e-6)


def _open_per_clip(path: Path, wanted: list[list[int]], *, reader: str) -> None:
    for clip in wanted:
        with open_video(path, reader=reader) as video:
            video.frames(clip)


def _open_once(path: Path, wanted: list[list[int]], *, reader: str) -> None:
    for start in range(0, len(wanted), CLIPS_PER_OPEN):
        with open_video(path, reader=reader) as video:
            for clip in wanted[start : start + CLIPS_PER_OPEN]:
                video.frames(clip)


def _cut_only(path: Path, wanted: list[list[int]]) -> None:
    source = VideoSource(height=224, width=224, reader="pyav", decode="device")
    for clip in wanted:
        source.encoded(path, clip)


if __name__ == "__main__":
    sys.exit(run(main))
