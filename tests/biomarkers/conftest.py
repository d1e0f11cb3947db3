import numpy as np
import pytest

from datamodules.series import Series


@pytest.fixture
def make_series():
    """Build a series from channels by name; invalid rows hold 0 as the readers guarantee."""

    def build(*, fps=10.0, valid=None, seconds="rate", **channels) -> Series:
        values = np.stack([np.asarray(x, dtype=np.float32) for x in channels.values()], axis=1)
        valid = np.ones(len(values), dtype=bool) if valid is None else np.asarray(valid)
        if isinstance(seconds, str):
            seconds = None if fps is None else np.arange(len(values)) / fps
        return Series(
            values=np.where(valid[:, None], values, 0).astype(np.float32),
            channels=tuple(channels),
            valid=valid,
            fps=fps,
            seconds=seconds,
        )

    return build
