"""The tokens of all windows of a store, in memory, and what a step or an evaluation reads of them."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from datamodules.clips.tokens import TokenClips
from datamodules.manifests.manifest import Recording
from datamodules.progress import Progress
from engine.config.compose import ConfigError
from models.types import Batch


@dataclass(frozen=True, eq=False)
class Windows:
    """Windows that show anything, of R recordings one after another.

    Attributes:
        tokens: (W,N,D) as they are stored.
        real: (W,N), which tokens are.
        counts: (R,), windows of each recording.
    """

    tokens: Tensor
    real: Tensor
    counts: NDArray[np.int64]

    def drawn(self, seed: int, step: int) -> Batch:
        """One window of each recording, the same ones whoever asks."""
        rng = np.random.default_rng((seed, step))
        first = np.cumsum(self.counts) - self.counts
        return self._batch(torch.from_numpy(first + rng.integers(self.counts)))

    def batches(self, size: int) -> Iterator[Batch]:
        """All windows, in order."""
        for begin in range(0, len(self.tokens), size):
            yield self._batch(torch.arange(begin, min(begin + size, len(self.tokens))))

    def _batch(self, rows: Tensor) -> Batch:
        return {"tokens": self.tokens[rows], "mask": self.real[rows]}

    def mean(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """The mean over the windows of each recording, (K,W) to (K,R)."""
        first = np.cumsum(self.counts) - self.counts
        sums: NDArray[np.float64] = np.add.reduceat(values, first, axis=1)
        return sums / self.counts


def read_windows(recordings: Sequence[Recording]) -> Windows:
    """Read the tokens of recordings.

    Raises:
        UnreadableSeries: A file is missing or damaged.
        ConfigError: A recording shows nothing, or files have tokens of several shapes.
    """
    source, tokens, counts = TokenClips(), [], []
    for recording in Progress(recordings, desc="Tokens", unit="rec"):
        clips = [source.clip(recording, [window]) for window in range(source.length(recording))]
        kept = [(clip["tokens"], clip["valid"]) for clip in clips if clip["valid"].any()]
        if not kept:
            raise ConfigError(f"{recording.recording_id} has no real token; take it out of the manifest")
        tokens += kept
        counts.append(len(kept))
    shapes = {(*one.shape, one.dtype) for one, _ in tokens}
    if len(shapes) > 1:
        raise ConfigError(f"the files hold tokens of {len(shapes)} shapes or kinds: encode all in one store")
    values, real = (torch.stack(list(one)) for one in zip(*tokens, strict=True))
    return Windows(values, real, np.array(counts, dtype=np.int64))
