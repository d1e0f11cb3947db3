"""Other ways to read the same clips, written from the public description of how others do it.

Each takes a path and the numbers of the frames, and returns uint8 (T, 3, H, W).
"""

import functools
from collections.abc import Callable, Sequence
from pathlib import Path

import av
import cv2
import numpy as np
import torch
from av.video.reformatter import VideoReformatter
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from datamodules.readers.resize import resize

Read = Callable[[Path, Sequence[int]], Tensor]


def bare(path: Path, indices: Sequence[int], *, size: int) -> Tensor:
    """PyAV and nothing around it: seek by the constant rate of the file, decode to the last frame, resize.

    It checks nothing, needs a constant rate, and decodes no frame that need not be decoded.
    """
    wanted, pixels, convert = set(indices), {}, VideoReformatter()
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        assert stream.time_base is not None
        assert stream.average_rate is not None
        first, ticks = stream.start_time or 0, float(1 / (stream.average_rate * stream.time_base))
        container.seek(round(first + min(indices) * ticks), stream=stream, backward=True)
        for frame in container.decode(stream):
            number = round((frame.pts - first) / ticks)
            if number in wanted:
                pixels[number] = convert.reformat(frame, format="rgb24", threads=1).to_ndarray()
            if number >= max(indices):
                break
    frames = torch.from_numpy(np.stack([pixels[number] for number in indices])).permute(0, 3, 1, 2)
    return resize(frames, height=size, width=size)


def decord_batch(path: Path, indices: Sequence[int], *, size: int) -> Tensor:
    """As MMAction2's transforms use decord: a reader of one thread a clip, `get_batch`, resized by OpenCV."""
    from decord import VideoReader, cpu  # of the extra `readers`

    with path.open("rb") as file:
        frames = VideoReader(file, ctx=cpu(0), num_threads=1).get_batch(list(indices)).asnumpy()
    return by_opencv(frames, size)


def pyav_window(path: Path, indices: Sequence[int], *, size: int) -> Tensor:
    """As PyTorchVideo reads a clip: all frames from start to end in seconds, an even choice, scaled."""
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        assert stream.time_base is not None
        assert stream.average_rate is not None
        start, end = (float(number / stream.average_rate) for number in (min(indices), max(indices) + 1))
        container.seek(max(0, int(start / stream.time_base)), stream=stream, backward=True)
        window = {}
        for frame in container.decode(stream):
            seconds = float(frame.pts * stream.time_base)
            if seconds >= end:
                break
            if seconds >= start:
                window[frame.pts] = frame.to_rgb().to_ndarray()
    frames = torch.from_numpy(np.stack([window[pts] for pts in sorted(window)])).permute(3, 0, 1, 2)
    places = torch.linspace(0, frames.shape[1] - 1, len(indices)).long()
    return by_torch(frames.index_select(1, places).permute(1, 0, 2, 3), size)


def by_opencv(frames: NDArray[np.uint8], size: int) -> Tensor:
    """Frames (T, H, W, 3) at another size, their shape not kept."""
    small = [cv2.resize(frame, (size, size), interpolation=cv2.INTER_LINEAR) for frame in frames]
    return torch.from_numpy(np.stack(small)).permute(0, 3, 1, 2).contiguous()


def by_torch(frames: Tensor, size: int) -> Tensor:
    """Frames (T, 3, H, W) at another size, their shape not kept, without antialiasing."""
    small = functional.interpolate(frames.float(), size=(size, size), mode="bilinear", align_corners=False)
    return small.round().to(torch.uint8)


def peers(size: int) -> dict[str, Read]:
    """The ways by name, at one size of the frames."""
    ways = {"bare PyAV": bare, "decord, as MMAction2": decord_batch, "PyAV, as PyTorchVideo": pyav_window}
    return {name: functools.partial(read, size=size) for name, read in ways.items()}


def right_frames(read: Read, name: str, path: Path, clips: Sequence[Sequence[int]], *, size: int) -> float:
    """Share of frames that are those asked for: the nearest of all of the file, scaled as the way does.

    Args:
        read: The way.
        name: Of it; ours and the bare loop scale alike.
        path: A video.
        clips: Numbers of the frames.
        size: Of the frames that are returned.
    """
    with av.open(str(path)) as container:
        frames = np.stack([frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)])
    channels = torch.from_numpy(frames).permute(0, 3, 1, 2)
    if name.startswith("decord"):
        whole = by_opencv(frames, size)
    else:
        whole = by_torch(channels, size) if "Video" in name else resize(channels, height=size, width=size)
    flat, right = whole.flatten(1).float(), []
    for indices in clips:
        shown = read(path, indices).flatten(1).float()
        right.append(torch.cdist(shown, flat, p=1).argmin(1) == torch.tensor(indices))
    return float(torch.cat(right).float().mean())
