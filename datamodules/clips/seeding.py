"""Stateless seeding: the random numbers of a clip depend on names and numbers, not on what came before.

A run that resumes at epoch 7, on other workers or ranks, draws the same clips as one that never stopped.
"""

import hashlib

import numpy as np

_BYTES = 8


def clip_seed(seed: int, epoch: int, recording_id: str, clip: int) -> int:
    """Hash (seed, epoch, recording, clip) to an integer in [0, 2^63).

    Examples:
        >>> clip_seed(0, 3, "visit", 1) == clip_seed(0, 3, "visit", 1) != clip_seed(0, 4, "visit", 1)
        True
    """
    # The id comes last: it is the only part that may hold the separator.
    text = f"{seed}/{epoch}/{clip}/{recording_id}".encode()
    digest = hashlib.blake2b(text, digest_size=_BYTES).digest()
    return int.from_bytes(digest, "big") >> 1  # fits int64, the type it travels in


def rng(seed: int, epoch: int, recording_id: str) -> np.random.Generator:
    """Return a fresh generator for the clips of a recording; arguments as in `clip_seed`."""
    return np.random.default_rng(clip_seed(seed, epoch, recording_id, 0))
