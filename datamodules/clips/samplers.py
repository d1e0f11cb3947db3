"""Clip samplers: choose the frames of a clip from the recording's length, the clip number and a generator.

Every sampler returns `indices` int64 (T,) and `mask` bool (T,). A recording that is too short first gets a
smaller stride; if even stride 1 does not fit, the last frame is held and masked out, so T never changes.
"""

from collections.abc import Sequence
from typing import Protocol

import numpy as np

Frames = tuple[np.ndarray, np.ndarray]

_GOLDEN = (5**0.5 - 1) / 2  # successive multiples modulo 1 stay apart, however many are drawn


class ClipSampler(Protocol):
    """Chooses frames."""

    def count(self, n_frames: int) -> int:
        """Clips of a recording that `__call__` accepts numbers for; 1 where they are drawn at random."""
        ...

    def __call__(self, n_frames: int, clip: int, rng: np.random.Generator | None) -> Frames:
        """Frames of one clip: `indices` int64 (T,), `mask` bool (T,)."""
        ...


def fit_stride(n_frames: int, length: int, stride: int) -> int:
    """Largest stride up to `stride` at which `length` frames fit; 1 if none does.

    Raises:
        ValueError: The recording has no frames.
    """
    if n_frames < 1:
        raise ValueError(f"a recording needs at least one frame, got n_frames={n_frames}")
    return stride if length == 1 else max(1, min(stride, (n_frames - 1) // (length - 1)))


def window(n_frames: int, start: int, length: int, stride: int) -> Frames:
    """Frames `start, start + stride, ...`; beyond the end the last frame is held and masked out.

    Examples:
        >>> indices, mask = window(3, 0, 5, 1)
        >>> indices.tolist(), mask.tolist()
        ([0, 1, 2, 2, 2], [True, True, True, False, False])
    """
    wanted = start + stride * np.arange(length, dtype=np.int64)
    return np.minimum(wanted, n_frames - 1), wanted < n_frames


def _last_start(n_frames: int, length: int, stride: int) -> int:
    return max(0, n_frames - (length - 1) * stride - 1)


class RandomClips:
    """A random start at a random rate, for training.

    The generator is the recording's draw of this epoch and the clip number moves within it: clips 0 and 1
    start at least 0.38 of the available range apart, which a contrast within one visit needs.

    Args:
        length: Frames of a clip.
        strides: Strides to choose from, in frames.
    """

    def __init__(self, *, length: int, strides: Sequence[int] = (2, 4)) -> None:
        _check_positive(length=length, **{f"strides[{i}]": stride for i, stride in enumerate(strides)})
        if not strides:
            raise ValueError("strides is empty; give at least one, such as (2, 4)")
        self.length = length
        self.strides = tuple(strides)

    def count(self, n_frames: int) -> int:
        """Return 1: any number of clips may be asked for."""
        return 1

    def __call__(self, n_frames: int, clip: int, rng: np.random.Generator | None) -> Frames:
        """Draw the clip.

        Raises:
            ValueError: There is no generator, or the recording has no frames.
        """
        if rng is None:
            raise ValueError("RandomClips needs a generator; evaluation takes UniformClips or DenseClips")
        choice = int(rng.integers(len(self.strides)))
        stride = fit_stride(n_frames, self.length, self.strides[(choice + clip) % len(self.strides)])
        place = (rng.random() + clip * _GOLDEN) % 1.0
        start = int(place * (_last_start(n_frames, self.length, stride) + 1))
        return window(n_frames, start, self.length, stride)


class UniformClips:
    """Clips spread evenly from the first frame to the last, for evaluation; short recordings give fewer.

    Args:
        length: Frames of a clip.
        stride: Frames between two frames of a clip.
        clips: Clips of a recording.
    """

    def __init__(self, *, length: int, stride: int, clips: int) -> None:
        _check_positive(length=length, stride=stride, clips=clips)
        self.length, self.stride, self.clips = length, stride, clips

    def count(self, n_frames: int) -> int:
        """As many as wanted, but never two with the same start."""
        stride = fit_stride(n_frames, self.length, self.stride)
        return min(self.clips, _last_start(n_frames, self.length, stride) + 1)

    def __call__(self, n_frames: int, clip: int, rng: np.random.Generator | None) -> Frames:
        """Clip number `clip`; the generator is not used.

        Raises:
            IndexError: There is no such clip.
        """
        count = self.count(n_frames)
        _check_clip(clip, count)
        stride = fit_stride(n_frames, self.length, self.stride)
        last = _last_start(n_frames, self.length, stride)
        start = last // 2 if count == 1 else round(clip * last / (count - 1))
        return window(n_frames, start, self.length, stride)


class DenseClips:
    """A sliding window over all of a recording, for evaluation; the last window ends with the last frame.

    Args:
        length: Frames of a clip.
        stride: Frames between two frames of a clip.
        hop: Frames between two clips.
    """

    def __init__(self, *, length: int, stride: int, hop: int) -> None:
        _check_positive(length=length, stride=stride, hop=hop)
        self.length, self.stride, self.hop = length, stride, hop

    def count(self, n_frames: int) -> int:
        """Windows needed to reach the last frame."""
        stride = fit_stride(n_frames, self.length, self.stride)
        return 1 + -(-_last_start(n_frames, self.length, stride) // self.hop)

    def __call__(self, n_frames: int, clip: int, rng: np.random.Generator | None) -> Frames:
        """Clip number `clip`; the generator is not used.

        Raises:
            IndexError: There is no such clip.
        """
        _check_clip(clip, self.count(n_frames))
        stride = fit_stride(n_frames, self.length, self.stride)
        start = min(clip * self.hop, _last_start(n_frames, self.length, stride))
        return window(n_frames, start, self.length, stride)


def _check_positive(**values: int) -> None:
    for name, value in values.items():
        if value < 1:
            raise ValueError(f"{name}={value} must be at least 1")


def _check_clip(clip: int, count: int) -> None:
    if not 0 <= clip < count:
        raise IndexError(f"clip {clip} does not exist: the recording has {count}")
