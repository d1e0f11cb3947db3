"""Validation of a manifest table: finds every fault in one pass, so that a table is repaired once."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from datamodules.manifests.scales import SCALES
from datamodules.schema import IDS
from datamodules.wording import nearest

REQUIRED = (*IDS, "path")
FILES = ("path", "series_path", "landmark_path")
NUMBERS = (
    "fps", "n_frames", "duration_s", "width", "height", "score", "binary", "age",
    "brightness", "border", "blur", "face_x", "face_y", "face_size", "yaw", "pitch", "roll", "visit_order",
)  # fmt: skip
TEXT = (
    *REQUIRED,
    "task",
    "split",
    "site",
    "corpus",
    "scale",
    "sex",
    "series_path",
    "landmark_path",
    "content_hash",
)
PREFIXES = ("item_", "trait_")
LABELS = ("score", "binary")  # of NUMBERS; besides them the columns that PREFIXES begin
_LONGEST = 200  # characters of a path in a message
_SHOWN = 5  # rows named per problem: enough to find the fault, few enough to read


def describe_rows(table: pd.DataFrame, rows: Sequence[int], values: Sequence[object] | None = None) -> str:
    """Name rows by number (the first row under the header is 1), recording and, if given, value."""
    named = []
    for position, row in enumerate(rows[:_SHOWN]):
        recording = str(table["recording_id"].iloc[row]) if "recording_id" in table else ""
        value = "" if values is None else f" = {values[position]!r}"
        named.append(f"row {row + 1}" + (f" ({recording})" if recording else "") + value)
    rest = f" and {len(rows) - _SHOWN} more" if len(rows) > _SHOWN else ""
    return ", ".join(named) + rest


def check_columns(table: pd.DataFrame) -> list[str]:
    """Report required columns that are missing; the rest of the checks needs them all."""
    return [
        f"column '{name}' is missing{nearest(name, set(table.columns) - set(REQUIRED))}"
        f" (found: {', '.join(map(str, table.columns))})"
        for name in REQUIRED
        if name not in table
    ]


def unused_columns(table: pd.DataFrame) -> list[str]:
    """Columns that nothing reads, each with the known name it resembles."""
    known = {*TEXT, *NUMBERS}
    return [
        f"'{name}'{nearest(str(name), known - set(table.columns))}"
        for name in table.columns
        if name not in known and not str(name).startswith(PREFIXES)
    ]


def check_rows(table: pd.DataFrame, root: Path) -> list[str]:
    """Report faults of labels and files of a parsed table: text columns are strings, numbers are floats."""
    return [*_check_labels(table), *_check_files(table, root)]


def _check_labels(table: pd.DataFrame) -> list[str]:
    scales = table["scale"] if "scale" in table else pd.Series("", index=table.index)
    problems = []
    for scale in sorted(set(scales) - {"", *SCALES}):
        rows = np.flatnonzero(scales == scale).tolist()
        problems.append(
            f"unknown scale {scale!r} in {describe_rows(table, rows)}{nearest(scale, SCALES)}"
            f" (known: {', '.join(SCALES)})"
        )
    if "score" in table:
        bare = np.flatnonzero(table["score"].notna() & (scales == "")).tolist()
        if bare:
            problems.append(
                f"'score' without 'scale' in {describe_rows(table, bare)}; name the questionnaire"
            )
        problems.extend(_check_scores(table, scales))
    return problems + _check_binary(table, scales)


def _check_scores(table: pd.DataFrame, scales: pd.Series) -> list[str]:
    faults: dict[str, list[tuple[int, float]]] = {}
    for row, (name, score) in enumerate(zip(scales, table["score"], strict=True)):
        if name not in SCALES or np.isnan(score):
            continue
        try:
            SCALES[name].check(score)
        except ValueError as fault:
            # The value is named with its row; the rest of the sentence groups equal faults.
            faults.setdefault(str(fault).split(" ", 1)[1], []).append((row, score))
    return [
        f"'score' {what}: {describe_rows(table, [row for row, _ in where], [score for _, score in where])}"
        for what, where in faults.items()
    ]


def _check_binary(table: pd.DataFrame, scales: pd.Series) -> list[str]:
    if "binary" not in table:
        return []
    binary = table["binary"]
    problems = []
    odd = np.flatnonzero(binary.notna() & ~binary.isin([0, 1])).tolist()
    if odd:
        problems.append(f"'binary' must be 0 or 1: {describe_rows(table, odd, binary.iloc[odd].tolist())}")
    score = table["score"] if "score" in table else pd.Series(np.nan, index=table.index)
    contrary = [
        row
        for row, (name, total, label) in enumerate(zip(scales, score, binary, strict=True))
        if name in SCALES and not np.isnan(total) and label in (0, 1) and SCALES[name].binary(total) != label
    ]
    if contrary:
        rules = ", ".join(f"{n} >= {SCALES[n].binary_threshold}" for n in sorted(set(scales.iloc[contrary])))
        problems.append(
            f"'binary' contradicts the score (rule: {rules}) in "
            f"{describe_rows(table, contrary, score.iloc[contrary].tolist())}; drop the column to derive it"
        )
    return problems


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except (OSError, ValueError):  # a name that no file system takes: too long, in no folder that opens
        return False


def _check_files(table: pd.DataFrame, root: Path) -> list[str]:
    problems = []
    series = table["series_path"] if "series_path" in table else pd.Series("", index=table.index)
    neither = np.flatnonzero((table["path"] == "") & (series == "")).tolist()
    if neither:
        problems.append(f"neither 'path' nor 'series_path' in {describe_rows(table, neither)}")
    for name in FILES:
        if name not in table:
            continue
        missing = [row for row, value in enumerate(table[name]) if value and not _is_file(root / value)]
        if missing:
            texts = [value if len(value) <= _LONGEST else value[:_LONGEST] + "..." for value in table[name]]
            where = describe_rows(table, missing, [texts[row] for row in missing])
            problems.append(f"'{name}' names no file in {where}; relative paths start at {root}")
    return problems
