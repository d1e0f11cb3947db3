"""One pass of the loader from a cache and from raw videos: `python -m benchmarks.cache_loader`.

No network: what is measured is how long a training would wait for its clips. The same recordings, sampler and
size of the network's input; a photograph of a face moves in a scene with sensor noise, coded as cameras do
(groups of a second, B-frames). The cache holds the same face as `preprocess.py` stores it.
"""

import platform
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import av
import cv2
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from datamodules.clips.dataset import ClipSource, PixelClips
from datamodules.clips.faces import FaceClips
from datamodules.clips.samplers import UniformClips
from datamodules.command_line import run
from datamodules.datamodule import ClipDataModule
from datamodules.manifests.manifest import Manifest, manifest_from_table
from datamodules.readers import VideoSource
from preprocessing.stores.h264 import H264Store

Picture = NDArray[np.uint8]

RAW = {"raw 1080 x 720": (720, 1080), "raw 640 x 480": (480, 640)}
FPS, CROP, FACE = 30, 224, 0.25  # frames/s, pixels of the cache, face's share of the picture's width
CLIPS = UniformClips(length=8, stride=8, clips=8)  # as data=faces evaluates


def main(
    *,
    recordings: int = 4,
    seconds: float = 20.0,
    size: int = 112,
    rounds: int = 3,
    workers: int = 0,
    out: Path = Path("outputs/benchmarks"),
) -> None:
    """Measure, write `cache_loader.csv`, and show the table.

    Args:
        recordings: Of each kind.
        seconds: Length of a recording.
        size: Of the network's input in pixels.
        rounds: Passes; the best one counts.
        workers: Of the loader; 0 reads in this process.
        out: Folder of the table.
    """
    with tempfile.TemporaryDirectory() as folder:
        manifests = {name: written(Path(folder), name, recordings, seconds) for name in (*RAW, "cache")}
        best = dict.fromkeys(manifests, (np.inf, np.inf))
        for _ in range(rounds):  # in turns, so that a busy moment touches all of them
            for name, manifest in manifests.items():
                video = VideoSource(height=size, width=size)
                source = FaceClips(video=video) if name == "cache" else PixelClips(video=video)
                wall, cpu = one_pass(manifest, source, workers)
                best[name] = (min(best[name][0], wall), min(best[name][1], cpu))
    table = pd.DataFrame(
        {
            "from": name,
            "clips_per_s": recordings * CLIPS.clips / wall,
            "cpu_ms_a_clip": 1000 * cpu / (recordings * CLIPS.clips),
            "times_the_cache": wall / best["cache"][0],
            "cpu_times_the_cache": cpu / best["cache"][1],
        }
        for name, (wall, cpu) in best.items()
    )
    out.mkdir(parents=True, exist_ok=True)
    table.to_csv(out / "cache_loader.csv", index=False)
    shown = table.to_string(index=False, float_format=lambda value: f"{value:.1f}")
    sys.stdout.write(f"{platform.processor() or platform.machine()}, PyAV {av.__version__}\n{shown}\n")


def one_pass(manifest: Manifest, source: ClipSource, workers: int) -> tuple[float, float]:
    """Wall and CPU seconds of this process for all clips of all recordings."""
    data = ClipDataModule(
        manifest=manifest,
        split=None,
        source=source,
        train_clips=CLIPS,
        eval_clips=CLIPS,
        num_workers=workers,
    )
    loader = data.predict_dataloader()
    wall, cpu = time.perf_counter(), time.process_time()
    count = sum(len(batch["clip"]) for batch in loader)
    if count != len(manifest.table) * CLIPS.clips:
        raise RuntimeError(f"{manifest.name}: {count} clips came, not all of them")
    return time.perf_counter() - wall, time.process_time() - cpu


def written(folder: Path, name: str, recordings: int, seconds: float) -> Manifest:
    """Write the recordings of a kind."""
    place, rows = folder / name.replace(" ", "_"), []
    place.mkdir()
    count = round(FPS * seconds)
    for number in range(recordings):
        path = place / f"{number}.mp4"
        height, width = RAW.get(name, RAW["raw 1080 x 720"])
        frames = scene(number, count, height, width)
        if name == "cache":
            crops = (cut for _, cut in frames)
            H264Store().write(path, crops, np.arange(count) / FPS, fps=FPS)
            marks = {"frame": np.arange(count), "timestamp": np.arange(count) / FPS, "valid": 1}
            pd.DataFrame(marks | {"x": 0.0}).to_parquet(place / f"{number}.parquet", index=False)
        else:
            encode(path, (frame for frame, _ in frames), height, width)
        rows.append({"recording_id": str(number), "subject_id": str(number), "session_id": "1"})
        rows[-1] |= {"path": path.name, "series_path": f"{number}.parquet" if name == "cache" else ""}
    return manifest_from_table(pd.DataFrame(rows), root=place, name=place.name)


def scene(seed: int, count: int, height: int, width: int) -> Iterator[tuple[Picture, Picture]]:
    """Frames of a face that moves before a textured wall, each with its crop of `CROP` pixels."""
    from skimage.data import astronaut  # of the extra `dev`

    rng = np.random.default_rng(seed)
    side = round(FACE * width / 0.5)  # the face is half of what is pasted
    face = cv2.resize(astronaut()[0:240, 100:340], (side, side), interpolation=cv2.INTER_AREA)
    wall = cv2.resize(
        rng.integers(60, 200, (height // 24, width // 24, 3), dtype=np.uint8),
        (width + 80, height + 80),
        interpolation=cv2.INTER_CUBIC,
    )
    noise = rng.normal(0, 3, (8, height, width, 1)).astype(np.int16)
    for number in range(count):
        angle = number / 40 + seed
        left, top = (round(40 + 30 * turn) for turn in (np.sin(angle / 3), np.cos(angle / 3)))
        frame = wall[top : top + height, left : left + width].copy()
        x = round((width - side) / 2 + 0.15 * width * np.sin(angle))
        y = round((height - side) / 2 + 0.1 * height * np.cos(1.3 * angle))
        x, y = max(0, min(x, width - side)), max(0, min(y, height - side))
        frame[y : y + side, x : x + side] = face
        frame = (frame + noise[rng.integers(8)]).clip(0, 255).astype(np.uint8)
        cut = cv2.resize(frame[y : y + side, x : x + side], (CROP, CROP), interpolation=cv2.INTER_AREA)
        yield frame, cut.astype(np.uint8)


def encode(path: Path, frames: Iterator[Picture], height: int, width: int) -> None:
    """H.264 as of a camera: a keyframe a second, three B-frames."""
    options = {"g": str(FPS), "bf": "3", "preset": "veryfast", "crf": "23"}
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=FPS, options=options)
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        for frame in frames:
            container.mux(stream.encode(av.VideoFrame.from_ndarray(frame, format="rgb24")))
        container.mux(stream.encode(None))


if __name__ == "__main__":
    sys.exit(run(main))
