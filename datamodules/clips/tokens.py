"""Clips of tokens that a frozen encoder made once: what `encode.py` stores is read instead of frames."""

from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from datamodules.manifests.manifest import Recording
from datamodules.series import Series, UnreadableSeries

BFLOAT16 = np.dtype("uint16")
"""How a file holds bfloat16, of which numpy knows nothing: by its bits."""

_KINDS = (np.float32, np.float16, BFLOAT16)
_DIMENSIONS = 3  # windows, tokens of each, width
_OPEN = 4096  # mapped files a process, our choice: they take addresses, and no memory


class TokenClips:
    """Clips of a store of tokens: `tokens` (N, D) of one window of the grid, and `valid` bool (N,).

    A recording has as many "frames" as its grid has windows, and a clip is one of them, so that samplers take
    `length=1`. The grid, its stride and what the encoder saw were settled when it was encoded: frames are
    neither drawn anew nor augmented.
    """

    def prepared(self, recordings: Sequence[Recording]) -> "TokenClips":
        """Return itself."""
        return self

    def length(self, recording: Recording) -> int:
        """Windows of the recording.

        Raises:
            UnreadableSeries: The file is missing or damaged.
        """
        return len(_stored(recording))

    def measured(self, recording: Recording) -> Series:
        """Which windows hold a token, without channels.

        Raises:
            UnreadableSeries: The file is missing or damaged.
        """
        tokens = _stored(recording)
        valid = np.array([is_valid(window).any() for window in tokens])
        return Series(values=np.zeros((len(tokens), 0), np.float32), channels=(), valid=valid, fps=None)

    def clip(self, recording: Recording, indices: Sequence[int]) -> dict[str, Any]:
        """Read one window.

        Raises:
            UnreadableSeries: The file is missing or damaged.
            ValueError: The sampler asks for several windows at once.
        """
        if len(indices) != 1:
            raise ValueError(
                f"a clip of tokens is one window of the grid, and the sampler asks for {len(indices)}: set "
                "data.module.train_clips.length=1 and data.module.eval_clips.length=1"
            )
        window = np.array(_stored(recording)[indices[0]])  # a copy: the file is mapped, and never changed
        valid = is_valid(window)
        return {"tokens": as_tensor(window), "valid": torch.from_numpy(valid)}


def is_valid(tokens: NDArray[Any]) -> NDArray[np.bool_]:
    """Which tokens (..., N, D) are real, (..., N): those of unreal frames are stored as NaN."""
    first = tokens[..., 0]
    # of bfloat16: an exponent of ones with a fraction is NaN
    lacks = (first & 0x7FFF) > 0x7F80 if tokens.dtype == BFLOAT16 else np.isnan(first)
    return np.logical_not(lacks)


def as_tensor(tokens: NDArray[Any]) -> torch.Tensor:
    """Stored tokens as a tensor of the kind that they are."""
    if tokens.dtype == BFLOAT16:
        return torch.from_numpy(tokens.view(np.int16)).view(torch.bfloat16)
    return torch.from_numpy(tokens)


def as_stored(tokens: torch.Tensor) -> NDArray[Any]:
    """A tensor as it is stored, `as_tensor` undone."""
    if tokens.dtype == torch.bfloat16:
        return tokens.contiguous().view(torch.int16).numpy().view(BFLOAT16)
    return tokens.numpy()


def _stored(recording: Recording) -> NDArray[Any]:
    """The mapped tokens of a recording, (windows, N, D)."""
    path = recording.tokens_path
    if path is None:
        raise UnreadableSeries(
            f"recording {recording.recording_id!r} has no tokens; give the manifest.csv of a store of "
            "encode.py, or read videos with data=manifest"
        )
    return _mapped(path)


@lru_cache(maxsize=_OPEN)
def _mapped(path: Path) -> NDArray[Any]:
    try:
        tokens: NDArray[Any] = np.load(path, mmap_mode="r", allow_pickle=False)
    except (OSError, ValueError, EOFError) as fault:
        raise UnreadableSeries(f"{path}: cannot be read as tokens ({fault}); encode it again") from fault
    if tokens.ndim != _DIMENSIONS or tokens.dtype not in _KINDS or not tokens.size:
        raise UnreadableSeries(
            f"{path}: holds {tokens.dtype} {tokens.shape}, no tokens (windows, N, D); encode it again"
        )
    return tokens
