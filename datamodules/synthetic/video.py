"""Encode drawn frames to a real video file that decodes fast and is the same to the last byte every time."""

from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import numpy.typing as npt

from datamodules.synthetic.files import partial_path

GOP = 12  # short groups keep random access cheap
_CRF = 20


def write_video(path: Path, frames: Iterable[npt.NDArray[np.uint8]], *, fps: float) -> int:
    """Encode RGB frames to H.264 (8 bit 4:2:0, no B-frames, CAVLC) and put the file in place in one step.

    One encoder thread and bit-exact muxing, so that the same frames give the same bytes. A crash leaves no
    file under the final name.

    Args:
        path: the file to write, ending in ``.mp4``.
        frames: uint8 ``(H, W, 3)`` RGB, all of one even size.
        fps: frames per second.

    Returns:
        Number of frames written.

    Raises:
        ValueError: there is no frame, or a frame has an odd or changing size.
    """
    partial = partial_path(path)  # runs may share a cohort
    try:
        count = _encode(partial, frames, fps=fps)
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)
    return count


def _encode(path: Path, frames: Iterable[npt.NDArray[np.uint8]], *, fps: float) -> int:
    count = 0
    rate = Fraction(fps).limit_denominator(1001)
    with av.open(
        str(path), "w", format="mp4", options={"movflags": "+faststart", "fflags": "+bitexact"}
    ) as container:
        stream = None
        for frame in frames:
            if stream is None:
                stream = _stream(container, frame.shape[0], frame.shape[1], rate)
            if frame.shape[:2] != (stream.height, stream.width):
                first = (stream.height, stream.width)
                raise ValueError(f"{path.name}: frame {count} is {frame.shape[:2]}, the first {first}")
            picture = av.VideoFrame.from_ndarray(frame, format="rgb24")
            picture.pts = count
            picture.time_base = 1 / rate
            container.mux(stream.encode(picture))
            count += 1
        if stream is None:
            raise ValueError(f"{path.name}: no frame to encode; a video needs at least one")
        container.mux(stream.encode(None))
    return count


def _stream(
    container: av.container.OutputContainer, height: int, width: int, rate: Fraction
) -> av.VideoStream:
    if height % 2 or width % 2:
        raise ValueError(f"4:2:0 video needs even sizes, not {width}x{height}: choose an even `size`")
    # With mbtree on, one in a hundred encodings of tiny pictures came out with other bytes (x264 core 165).
    options = {
        "crf": str(_CRF),
        "preset": "veryfast",
        "tune": "fastdecode",
        "x264-params": "scenecut=0:bframes=0:mbtree=0",
    }
    stream = container.add_stream("libx264", rate=rate, options=options)
    stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
    stream.codec_context.gop_size = GOP
    stream.codec_context.max_b_frames = 0
    stream.codec_context.thread_count = 1
    stream.codec_context.time_base = 1 / rate
    return stream
