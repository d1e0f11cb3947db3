"""Rows of a manifest as records, made when they are asked for: a million of them take no memory."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self, overload

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from datamodules.manifests.columns import FEATURES, FILES, feature_columns
from datamodules.manifests.index.arrow_table import Column, columns_of
from datamodules.manifests.index.shared_columns import SharedColumns
from datamodules.manifests.scales import SCALES
from datamodules.schema import IDS

TRAITS = ("O", "C", "E", "A", "N")
"""The Big Five in the order of every batch; columns `trait_O` to `trait_N` of a manifest."""

_TEXT = (*IDS, *FILES, "task", "scale")
_NUMBERS = ("fps", "n_frames", "score", "binary", *(f"trait_{trait}" for trait in TRAITS))
_BLOCK = 4096  # rows that become records at once where all are gone through


@dataclass(frozen=True, kw_only=True)
class Recording:
    """One row of a manifest, paths absolute; an unknown `fps` or `n_frames` is 0, a missing label None.

    `traits` follow `TRAITS`, NaN where unknown. `features` are the files of the feature sets that it has, by
    the name of the set.
    """

    recording_id: str
    subject_id: str
    session_id: str
    task: str
    path: Path | None
    series_path: Path | None
    landmark_path: Path | None
    tokens_path: Path | None
    fps: float
    n_frames: int
    scale: str | None
    score: float | None
    binary: int | None
    band: int | None
    traits: tuple[float, ...]
    features: Mapping[str, Path] = field(default_factory=dict, hash=False)


class Recordings(Sequence[Recording]):
    """Records of rows of a table, in a given order.

    Args:
        columns: Of the whole table, as `columns_read` gives them.
        root: Folder that relative paths start at.
        rows: Row numbers int64 (N,); None takes all in their order.
    """

    def __init__(self, columns: SharedColumns, root: Path, rows: NDArray[np.int64] | None = None) -> None:
        self._columns, self._root, self._rows = columns, root, rows

    def __len__(self) -> int:
        return len(self._columns["recording_id"]) if self._rows is None else len(self._rows)

    @overload
    def __getitem__(self, place: int) -> Recording: ...

    @overload
    def __getitem__(self, place: slice) -> Self: ...

    def __getitem__(self, place: int | slice) -> Recording | Self:
        if isinstance(place, slice):
            rows = np.arange(len(self)) if self._rows is None else self._rows
            return type(self)(self._columns, self._root, rows[place])
        row = range(len(self))[place]
        return self.of_row(row if self._rows is None else int(self._rows[row]))

    def __iter__(self) -> Iterator[Recording]:
        for start in range(0, len(self), _BLOCK):
            chosen = (
                slice(start, start + _BLOCK) if self._rows is None else self._rows[start : start + _BLOCK]
            )
            block = [_listed(column, chosen) for column in self._columns.values()]
            for values in zip(*block, strict=True):
                yield _recording(dict(zip(self._columns, values, strict=True)), self._root)

    def of_rows(self, rows: NDArray[np.int64]) -> "Recordings":
        """Those of some rows of the table, whatever rows these are."""
        return Recordings(self._columns, self._root, rows)

    def of_row(self, row: int) -> Recording:
        """The record of a row of the table, whatever rows these are."""
        values = {name: _cell(column, row) for name, column in self._columns.items()}
        return _recording(values, self._root)


def columns_read(table: pd.DataFrame) -> SharedColumns:
    """The columns of a manifest's table that its records are made of."""
    known = [name for name in (*_TEXT, *_NUMBERS) if name in table]
    return SharedColumns(columns_of(table[[*known, *feature_columns(table)]]))


def _listed(column: Column, rows: slice | NDArray[np.int64]) -> list[Any]:
    if isinstance(column, np.ndarray):
        numbers: list[Any] = column[rows].tolist()
        return numbers
    chosen = column[rows] if isinstance(rows, slice) else column.take(rows)
    found: list[Any] = chosen.to_pylist()
    return found


def _cell(column: Column, row: int) -> Any:
    return column.item(row) if isinstance(column, np.ndarray) else column[row].as_py()


def _recording(value: dict[str, Any], root: Path) -> Recording:
    scale, score = value.get("scale") or None, _number(value.get("score"))
    binary = _number(value.get("binary"))
    return Recording(
        recording_id=value["recording_id"],
        subject_id=value["subject_id"],
        session_id=value["session_id"],
        task=value.get("task", ""),
        path=_file(value["path"], root),
        series_path=_file(value.get("series_path", ""), root),
        landmark_path=_file(value.get("landmark_path", ""), root),
        tokens_path=_file(value.get("tokens_path", ""), root),
        fps=_number(value.get("fps")) or 0.0,
        n_frames=int(_number(value.get("n_frames")) or 0),
        scale=scale,
        score=score,
        binary=None if binary is None else int(binary),
        band=None if scale is None or score is None else SCALES[scale].band(score),
        traits=tuple(float(value.get(f"trait_{trait}", np.nan)) for trait in TRAITS),
        features={
            name.removeprefix(FEATURES): root / file
            for name, file in value.items()
            if file and name.startswith(FEATURES)
        },
    )


def _file(value: str, root: Path) -> Path | None:
    return root / value if value else None


def _number(value: float | None) -> float | None:
    return None if value is None or np.isnan(value) else float(value)
