"""Our own formats: `.npz` with `values`, `channels`, optional `fps`, `valid`; tables, one column per channel.

Tables may have `timestamp` (seconds) or `timestamp_ms`, `frame`, `valid`, and OpenFace's `success`,
`confidence` and `face_id`; none of them is a channel. A valid row must be complete.
"""

from pathlib import Path

import numpy as np

from datamodules.series.formats.base import Format, counted_from, is_blank
from datamodules.series.series import Series, UnreadableSeries
from datamodules.series.timebase import check_rate, rate_note


def load_npz(path: Path, fps: float | None) -> Series:
    """Read an archive; `fps` is the rate where it tells none.

    Raises:
        UnreadableSeries: An array of another kind or shape than it should have, or a rate that cannot be.
    """
    with np.load(path, allow_pickle=False) as archive:
        values = as_floats(archive["values"], path)
        names = archive["channels"]
        marks = archive["valid"] if "valid" in archive else np.full(len(values), not is_blank(values))
        stated = archive.get("fps")
        unread = sorted(set(archive.files) - {"values", "channels", "valid", "fps"})
    if names.ndim != 1 or names.dtype.kind not in "US":
        raise UnreadableSeries(
            f"{path}: 'channels' is {names.dtype} {names.shape}; store names, one a column"
        )
    if names.dtype.kind == "S":
        names = np.char.decode(names, "utf-8")
    if marks.ndim != 1 or marks.dtype.kind not in "biuf" or not np.isin(marks, (0, 1)).all():
        raise UnreadableSeries(f"{path}: 'valid' is {marks.dtype} {marks.shape}; store true or false a row")
    own, notes = fps, list[str]()
    if stated is not None:
        if stated.size != 1 or stated.dtype.kind not in "iuf":
            raise UnreadableSeries(f"{path}: 'fps' is {stated.dtype} {stated.shape}; store one number")
        own = float(stated.item())
        notes = rate_note(path, own, fps)
    if unread:
        notes.append(f"{path}: nothing reads {', '.join(map(repr, unread))}; 'valid' and 'fps' are read")
    if own is not None:
        check_rate(path, own, "'fps'")
    return Series(
        values=values,
        channels=tuple(str(name).strip() for name in names),
        valid=marks.astype(bool),
        fps=own,
        seconds=None if own is None else np.arange(len(values)) / own,
        notes=tuple(notes),
    )


def as_floats(values: np.ndarray, path: Path) -> np.ndarray:
    """An array as float32, or float64 where it is wider; text is not parsed and no imaginary part dropped.

    Raises:
        UnreadableSeries: It holds something else than real numbers.
    """
    if values.dtype.kind not in "biuf":
        raise UnreadableSeries(f"{path}: the values are {values.dtype}; store real numbers, such as float32")
    # Dates have no steps left in float32; `read` casts when it has looked for them.
    return np.asarray(values, dtype=np.float32 if np.can_cast(values.dtype, np.float32) else np.float64)


PLAIN = Format(
    name="table",
    recognises=lambda path, _: path.suffix != ".txt",
    columns={},
    timeline=counted_from(None),
    strict=True,
)
