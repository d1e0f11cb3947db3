"""Encode frames to a real video file that decodes fast and is the same to the last byte every time."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import numpy.typing as npt

from datamodules.synthetic.files import partial_path

GOP = 12  # short groups keep random access cheap
_CRF = 20
_CLOCK = 90_000  # ticks a second, of MPEG: whole numbers for 24, 25, 30 frames/s and their NTSC variants


@dataclass(frozen=True, kw_only=True)
class Coding:
    """How frames are coded.

    Attributes:
        codec: FFmpeg's name of the encoder.
        pixels: FFmpeg's name of the format of pixels.
        container: FFmpeg's name of the container.
        gop: frames from one keyframe to the next.
        options: of the encoder.
    """

    codec: str
    pixels: str
    container: str
    gop: int = GOP
    options: Mapping[str, str] = field(default_factory=dict)


def h264(*, crf: int, gop: int = GOP) -> Coding:
    """H.264 that decodes fast: 8 bit 4:2:0, no B-frames, CAVLC, no deblocking; `crf` 0 is best, 51 worst."""
    # With mbtree on, one in a hundred encodings of tiny pictures came out with other bytes (x264 core 165).
    options = {
        "crf": str(crf),
        "preset": "veryfast",
        "tune": "fastdecode",
        "x264-params": "scenecut=0:bframes=0:mbtree=0",
    }
    return Coding(codec="libx264", pixels="yuv420p", container="mp4", gop=gop, options=options)


_DRAWN = h264(crf=_CRF)


def write_video(
    path: Path,
    frames: Iterable[npt.NDArray[np.uint8]],
    *,
    fps: float,
    seconds: npt.NDArray[np.float64] | None = None,
    coding: Coding = _DRAWN,
) -> int:
    """Encode RGB frames and put the file in place in one step.

    One encoder thread and bit-exact muxing, so that the same frames give the same bytes. A crash leaves no
    file under the final name.

    Args:
        path: the file to write, with a suffix of its container, such as ``.mp4``.
        frames: uint8 ``(H, W, 3)`` RGB, all of one even size.
        fps: frames per second, on average where `seconds` are given.
        seconds: times of the frames ``(T,)``, ascending; evenly spaced by default.
        coding: how they are coded.

    Returns:
        Number of frames written.

    Raises:
        ValueError: there is no frame, a frame has an odd or changing size, or their number is not that of
            the times.
    """
    partial = partial_path(path)  # runs may share a cohort
    try:
        count = _encode(partial, frames, fps=fps, seconds=seconds, coding=coding)
        if seconds is not None and count != len(seconds):
            raise ValueError(f"{path.name}: {count} frames, but {len(seconds)} times")
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)
    return count


def _encode(
    path: Path,
    frames: Iterable[npt.NDArray[np.uint8]],
    *,
    fps: float,
    seconds: npt.NDArray[np.float64] | None,
    coding: Coding,
) -> int:
    count = 0
    rate = Fraction(fps).limit_denominator(1001)
    unit = 1 / rate if seconds is None else Fraction(1, _CLOCK)
    ticks = None if seconds is None else _ticks(seconds)
    options = {"movflags": "+faststart", "fflags": "+bitexact"}
    with av.open(str(path), "w", format=coding.container, options=options) as container:
        stream = None
        for frame in frames:
            if stream is None:
                stream = _stream(container, frame.shape[0], frame.shape[1], rate, unit, coding)
            if frame.shape[:2] != (stream.height, stream.width):
                first = (stream.height, stream.width)
                raise ValueError(f"{path.name}: frame {count} is {frame.shape[:2]}, the first {first}")
            picture = av.VideoFrame.from_ndarray(frame, format="rgb24")
            picture.pts = count if ticks is None else ticks[min(count, len(ticks) - 1)]
            picture.time_base = unit
            container.mux(stream.encode(picture))
            count += 1
        if stream is None:
            raise ValueError(f"{path.name}: no frame to encode; a video needs at least one")
        container.mux(stream.encode(None))
    return count


def _ticks(seconds: npt.NDArray[np.float64]) -> list[int]:
    """Times of frames in ticks from the first one on; two frames in one tick are one tick apart."""
    ticks = np.rint((seconds - seconds[:1]) * _CLOCK).astype(np.int64)
    steps = np.arange(len(ticks))
    return [int(tick) for tick in np.maximum.accumulate(ticks - steps) + steps]


def _stream(
    container: av.container.OutputContainer,
    height: int,
    width: int,
    rate: Fraction,
    unit: Fraction,
    coding: Coding,
) -> av.VideoStream:
    if height % 2 or width % 2:
        raise ValueError(f"4:2:0 video needs even sizes, not {width}x{height}: choose an even `size`")
    stream = container.add_stream(coding.codec, rate=rate, options=dict(coding.options))
    stream.width, stream.height, stream.pix_fmt = width, height, coding.pixels
    stream.codec_context.gop_size = coding.gop
    stream.codec_context.max_b_frames = 0
    stream.codec_context.thread_count = 1
    stream.codec_context.time_base = unit
    return stream
