"""Clips of tokens that a frozen encoder made once: what `encode.py` stores is read instead of frames."""

from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from tokenize import TokenError
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
_open: Any = np.lib.format.open_memmap  # type: ignore[attr-defined,unused-ignore]
# A header is read as Python text, and what a flipped byte makes of it ends in any of these.
_NO_ARRAY = (OSError, ValueError, EOFError, TypeError, SyntaxError, TokenError, OverflowError, MemoryError)

AGAIN = "Delete this file and give the command of encode.py once more: it makes what is missing"
"""What mends a damaged file of a store."""


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
        return len(_stored(recording)[1])

    def measured(self, recording: Recording) -> Series:
        """Which windows hold a token, without channels.

        Raises:
            UnreadableSeries: The file is missing or damaged.
        """
        path, tokens = _stored(recording)
        valid = np.array([_real(window, path, place).any() for place, window in enumerate(tokens)])
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
        path, tokens = _stored(recording)
        window = np.array(tokens[indices[0]])  # a copy: the file is mapped, and never changed
        valid = _real(window, path, indices[0])
        return {"tokens": as_tensor(window), "valid": torch.from_numpy(valid)}


def is_valid(tokens: NDArray[Any]) -> NDArray[np.bool_]:
    """Which tokens (..., N, D) are real, (..., N): of unreal frames every value is stored as NaN.

    Raises:
        ValueError: A token is neither NaN as a whole nor finite as a whole, as no encoder stores it.
    """
    if tokens.dtype == BFLOAT16:  # an exponent of ones: NaN with a fraction, infinite without
        lacks, odd = (tokens & 0x7FFF) > 0x7F80, (tokens & 0x7F80) == 0x7F80
    else:
        lacks, odd = np.isnan(tokens), ~np.isfinite(tokens)
    unreal: NDArray[np.bool_] = np.asarray(lacks.all(axis=-1))
    if broken := int((odd.any(axis=-1) & ~unreal).sum()):
        raise ValueError(f"{broken} token(s) hold values that are not finite among others that are")
    return ~unreal


def _real(window: NDArray[Any], path: Path, place: int) -> NDArray[np.bool_]:
    try:
        return is_valid(window)
    except ValueError as fault:
        raise UnreadableSeries(f"{path}: is damaged, in window {place} {fault}. {AGAIN}") from fault


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


def _stored(recording: Recording) -> tuple[Path, NDArray[Any]]:
    """The file of a recording, and its mapped tokens (windows, N, D)."""
    path = recording.tokens_path
    if path is None:
        raise UnreadableSeries(
            f"recording {recording.recording_id!r} has no tokens; give the manifest.csv of a store of "
            "encode.py, or read videos with data=manifest"
        )
    try:
        status = path.stat()
    except OSError as fault:
        raise UnreadableSeries(f"{path}: cannot be read ({fault.strerror}); encode it again") from fault
    return path, _mapped(path, status.st_size, status.st_mtime_ns)


@lru_cache(maxsize=_OPEN)
def _mapped(path: Path, size: int, mtime_ns: int) -> NDArray[Any]:
    """The tokens of a file of this size and time; one that was replaced is mapped anew."""
    try:
        tokens: Any = _open(path, mode="r")
    except _NO_ARRAY as fault:
        raise UnreadableSeries(f"{path}: cannot be read as tokens ({fault}). {AGAIN}") from fault
    if tokens.ndim != _DIMENSIONS or tokens.dtype not in _KINDS or not tokens.size:
        raise UnreadableSeries(
            f"{path}: holds {tokens.dtype} {tokens.shape}, no tokens (windows, N, D). {AGAIN}"
        )
    if not tokens.flags.c_contiguous:
        raise UnreadableSeries(f"{path}: its header says Fortran order, unlike those of encode.py. {AGAIN}")
    if (wanted := tokens.offset + tokens.nbytes) != size:
        raise UnreadableSeries(
            f"{path}: has {size} bytes, and {tokens.shape} of {tokens.dtype} are {wanted}. {AGAIN}"
        )
    found: NDArray[Any] = tokens
    return found
