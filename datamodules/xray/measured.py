"""What one pass over a file keeps of its array: facts of a few hundred bytes, whatever its size."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from datamodules.split_leakage.fingerprint import LONGEST_S, NOTHING, RATE, Fingerprint, fingerprint
from datamodules.xray.arrays import RawArray
from datamodules.xray.clocks import Clock, clock_of
from datamodules.xray.face_shape import Jump, largest_jump, points_of, proportions
from datamodules.xray.still_rows import (
    Block,
    Stretch,
    longest_runs,
    longest_stretch,
    measured_on,
    repeated_block,
)

SKETCH = 64  # numbers of an array that is too short for a fingerprint; our choice
_DIFFERENT = (
    8  # numbers that an array must have to be compared: two short ones of 0 and 1 are equal by chance
)
_SANE = (0.1, 1000.0)  # rows/s with which a fingerprint is made; else rows count


@dataclass(frozen=True, eq=False, kw_only=True)
class Measured:
    """Facts of one file.

    `file` is relative to the root, `column` names it in the manifest (with what it holds of CLNF), `owners`
    are the recordings whose rows name it; `set` is what may be compared with it: files of that column and
    these channels. `constant` says that all valid rows are equal, `still` are the values of channels without
    a change, `runs` (F,) the longest stretches of all, `scaled` (F,) whether they are on a scale, `low` and
    `high` (F,) their ends. `first` is the first value.
    """

    file: str
    column: str
    owners: tuple[str, ...]
    set: str
    rows: int
    valid: int
    width: int
    constant: bool
    first: float
    still: Mapping[str, float]
    stretch: Stretch | None
    block: Block | None
    clock: Clock | None
    jump: Jump | None
    digest: str
    sketch: NDArray[np.float32]
    shown: Fingerprint
    gap: float = 0.0
    runs: NDArray[np.int64] = field(default_factory=lambda: np.zeros(0, dtype=np.int64))
    scaled: NDArray[np.bool_] = field(default_factory=lambda: np.zeros(0, dtype=bool))
    low: NDArray[Any] = field(default_factory=lambda: np.zeros(0))
    high: NDArray[Any] = field(default_factory=lambda: np.zeros(0))
    channels: tuple[str, ...] = ()

    @property
    def rate(self) -> float | None:
        """Rows per second that its times tell, else what it states; None where it says nothing."""
        return None if self.clock is None else self.clock.rows_rate or self.clock.stated

    def lean(self) -> "Measured":
        """The facts without those of every channel, which are summed up over files."""
        none = self.low[:0].copy()
        return replace(
            self, runs=self.runs[:0].copy(), scaled=none.astype(bool), low=none, high=none, channels=()
        )


def measure(raw: RawArray, *, file: str, column: str, owners: Sequence[str]) -> Measured:
    """Facts of an array.

    Args:
        raw: As read.
        file: Relative to the root.
        column: Of the manifest.
        owners: Recordings that name it.
    """
    rows = np.flatnonzero(raw.valid)
    values = raw.values[rows]
    if values.dtype != np.float64:
        values = values.astype(np.float32, copy=False)
    clock = clock_of(raw.times, per_second=raw.per_second, frames=raw.frames, stated=raw.fps)
    names = hashlib.sha256("\x1f".join(raw.channels).encode()).hexdigest()[:8]
    facts: dict[str, Any] = {
        "file": file, "column": column, "owners": tuple(owners), "set": f"{column}|{names}",
        "rows": len(raw.valid), "valid": len(rows), "width": values.shape[1], "clock": clock,
        "gap": _longest_gap(raw.valid),
    }  # fmt: skip
    if len(rows) < 2:
        blank: dict[str, Any] = {"constant": False, "still": {}, "stretch": None, "block": None, "jump": None}
        first = float(values[0, 0]) if len(rows) else 0.0
        return Measured(**facts, **blank, first=first, shown=NOTHING, **_content(values))
    runs, scaled = longest_runs(values), measured_on(values)
    constant = bool((runs == len(values)).all())
    points = points_of(values, raw.channels)
    return Measured(
        **facts,
        constant=constant,
        first=float(values[0, 0]),
        still={raw.channels[at]: float(values[0, at]) for at in np.flatnonzero(runs == len(values)).tolist()},
        stretch=longest_stretch(values[:, scaled], rows) if scaled.any() else None,
        block=repeated_block(values[:, scaled], rows) if scaled.any() else None,
        jump=None if points is None else largest_jump(proportions(points), rows),
        shown=NOTHING if constant else _shown(raw, clock, column),
        runs=runs,
        scaled=scaled,
        low=values.min(axis=0),
        high=values.max(axis=0),
        channels=raw.channels,
        **_content(values),
    )


def _longest_gap(valid: NDArray[np.bool_]) -> float:
    ends = np.flatnonzero(np.concatenate([[True], valid, [True]]))
    return float(np.diff(ends).max() - 1) / max(len(valid), 1)


def _content(values: NDArray[Any]) -> dict[str, Any]:
    """Digest of the valid rows, whatever file and type they are stored in, and a sketch of few ones."""
    stored = np.ascontiguousarray(values, dtype=np.float32) + np.float32(0)
    some = stored[:: max(1, len(stored) // 256)]
    if not stored.size or len(np.unique(some)) < _DIFFERENT:
        return {"digest": "", "sketch": stored.ravel()[:0]}
    digest = hashlib.sha256(repr(stored.shape).encode() + stored.tobytes()).hexdigest()
    flat = (stored - stored.mean(axis=0) if len(stored) > 1 else stored).ravel()
    places = np.random.default_rng(flat.size).choice(flat.size, min(SKETCH, flat.size), replace=False)
    return {"digest": digest, "sketch": flat[np.sort(places)]}


def _shown(raw: RawArray, clock: Clock | None, column: str) -> Fingerprint:
    """The fingerprint of an array; where nothing sane tells the rate, rows are steps."""
    own = clock.rows_rate if clock is not None else None
    fps = own if own is not None and _SANE[0] <= own <= _SANE[1] else float(RATE)
    length = int(LONGEST_S["series"] * fps) + 1
    names = [f"{column}:{name}" for name in raw.channels]  # only files of one column show the same
    values = np.where(raw.valid[:length, None], raw.values[:length], 0)
    return fingerprint(values, names, valid=raw.valid[:length], fps=fps, kind="series")
