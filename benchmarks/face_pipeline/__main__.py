"""Speed of `preprocess.py` from a video of 640 x 480 to its finished files, beside the library calls alone.

`python -m benchmarks.face_pipeline` renders a moving photograph of a person (`skimage.data.astronaut`, public
domain) with noise, and takes it through everything that one worker does with a recording, from the digest of
the file to the entry. Beside it stands a plain loop of the calls of libraries that this takes: both decodings
with their conversion to RGB, the networks on crops of the sizes that they take (the detector in one frame of
fifteen), the cut of 224 pixels, what OpenCV does for the checks of a crop, and the encoding. CPU time of one
thread, rounds in turn: of the times the fastest round counts, for what else a machine does only
ever adds to it, and of the ratio the median of the rounds, with their quartiles.
"""

import os
import platform
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from statistics import median, quantiles
from time import process_time
from typing import Any

import av
import cv2
import numpy as np
from skimage.data import astronaut
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

from benchmarks.face_pipeline.parts import timed_parts
from benchmarks.face_pipeline.plain_loop import SIZE, PlainLoop
from datamodules.command_line import UsageError, run
from datamodules.synthetic.video import h264, write_video
from engine.runs.processor import processor
from preprocessing.alignment.aligner import Aligner
from preprocessing.cache.folder import Cache
from preprocessing.faces.face import Frame
from preprocessing.faces.litert import LitertFaces
from preprocessing.quality.gate import QualityGate
from preprocessing.run.job import Job
from preprocessing.run.pipeline import Pipeline
from preprocessing.run.recording import preprocess_recording
from preprocessing.stores.h264 import H264Store

WIDTH, HEIGHT, FPS = 640, 480, 30.0
TARGET, OVERHEAD = 100.0, 0.15  # frames/s a core, and the most that all but the calls may cost


def render(path: Path, frames: int) -> Path:
    """A video of the photograph that turns, grows and drifts slowly, with the noise of a camera."""
    photograph, rng = astronaut(), np.random.default_rng(0)
    noise = [rng.normal(0, 4, (HEIGHT, WIDTH, 1)) for _ in range(8)]

    def scene() -> Iterator[Frame]:
        for number in range(frames):
            turn, scale = 8 * np.sin(number / 40), 1.5 + 0.1 * np.sin(number / 60)
            matrix = cv2.getRotationMatrix2D((222, 115), turn, scale)  # around the face
            matrix[:, 2] += [98 + 40 * np.sin(number / 50), 85 + 15 * np.sin(number / 35)]
            picture = cv2.warpAffine(photograph, matrix, (WIDTH, HEIGHT), borderMode=cv2.BORDER_REFLECT)
            yield np.clip(picture + noise[number % 8], 0, 255).astype(np.uint8)

    write_video(path, scene(), fps=FPS, coding=h264(crf=23, gop=60))
    return path


def preprocess(path: Path, folder: Path, pipeline: Pipeline) -> int:
    """Everything that a worker does with a recording; returns its frames.

    Raises:
        RuntimeError: Not every frame came out usable, so that less was done than is measured.
    """
    shutil.rmtree(folder, ignore_errors=True)
    cache = Cache.open(folder, settings={}, provenance={})
    labels = {"recording_id": "a", "subject_id": "a", "session_id": "1"}
    entry = preprocess_recording(
        Job(recording_id="a", path=path, labels=labels), pipeline=pipeline, cache=cache
    )
    if entry is None or entry.usable < 0.95 * entry.frames:
        raise RuntimeError(f"{path}: {entry}")
    return entry.frames


def measure(frames: int, rounds: int) -> dict[str, Any]:
    """CPU milliseconds a frame of both and their parts, each of its fastest round, and the ratios of all."""
    with tempfile.TemporaryDirectory() as name, threadpool_limits(limits=1):
        cv2.setNumThreads(1)
        folder = Path(name)
        path = render(folder / "video.mp4", frames)
        pipeline = Pipeline(
            backend=LitertFaces(), aligner=Aligner(size=SIZE), gate=QualityGate(), store=H264Store()
        )
        loop = PlainLoop()
        preprocess(path, folder / "cache", pipeline)  # opens the networks
        whole, plain, parts = [], [], []
        for _ in range(rounds):
            whole.append(_milliseconds(lambda: preprocess(path, folder / "cache", pipeline)))
            loop.seconds.clear()
            plain.append(_milliseconds(lambda: loop(path, folder / "plain.mp4")))
            parts.append({part: 1000 * spent / frames for part, spent in loop.seconds.items()})
        own = timed_parts(lambda: preprocess(path, folder / "cache", pipeline), frames)
    return {
        "frames": frames,
        "pipeline": min(whole),
        "loop": min(plain),
        "ratios": [one / other for one, other in zip(whole, plain, strict=True)],
        "loop_parts": parts[plain.index(min(plain))],
        "pipeline_parts": own,
    }


def _milliseconds(work: Callable[[], int]) -> float:
    start = process_time()
    frames = work()
    return 1000 * (process_time() - start) / frames


def written(found: dict[str, Any]) -> str:
    """The result as Markdown."""
    rate, overhead = 1000 / found["pipeline"], median(found["ratios"]) - 1
    low, _, high = (100 * (quartile - 1) for quartile in quantiles(found["ratios"]))
    lines = [
        "# Speed of preprocessing",
        "",
        (__doc__ or "")
        .partition("\n\n")[2]
        .replace("`python -m benchmarks.face_pipeline`", "This benchmark")
        .strip(),
        "",
        "    python -m benchmarks.face_pipeline page=docs/results/face_pipeline.md",
        "",
        f"{found['frames']} frames of {WIDTH} x {HEIGHT}, crops of {SIZE} pixels; one thread of",
        f"{processor()}, {os.cpu_count()} cores, Python {platform.python_version()}, PyAV {av.__version__},",
        f"OpenCV {cv2.__version__}.",
        "",
        "| | CPU ms a frame | frames/s a core |",
        "|---|---:|---:|",
        f"| preprocess.py | {found['pipeline']:.2f} | {rate:.0f} |",
        f"| loop of the calls | {found['loop']:.2f} | {1000 / found['loop']:.0f} |",
        "",
        f"All else costs {100 * overhead:.0f} % of the calls (quartiles {low:.0f} and {high:.0f} %). "
        f"Wanted: {TARGET:.0f} frames/s a core or more "
        f"({'reached' if rate >= TARGET else 'missed'}), at most {100 * OVERHEAD:.0f} % "
        f"({'kept' if overhead <= OVERHEAD else 'exceeded'}).",
        "",
        "## Parts",
        "",
        "| part of preprocess.py | ms a frame |",
        "|---|---:|",
        *(f"| {part} | {spent:.2f} |" for part, spent in found["pipeline_parts"].items()),
        "",
        "| call | ms a frame |",
        "|---|---:|",
        *(f"| {part} | {spent:.2f} |" for part, spent in found["loop_parts"].items()),
    ]
    return "\n".join(lines) + "\n"


def main(*, frames: int = 450, rounds: int = 9, page: Path | None = None) -> int:
    """Measure, and print the result.

    Args:
        frames: Of the video.
        rounds: Of both, in turn; two at least, as quartiles are told.
        page: A Markdown page besides.
    """
    if rounds < 2:
        raise UsageError(f"rounds={rounds}: give 2 or more, whose quartiles are told")
    found = measure(frames, rounds)
    text = written(found)
    sys.stdout.write(text)
    if page is not None:
        page.write_text(text)
    return 0


if __name__ == "__main__":
    sys.exit(run(main))
