"""Validation of numbers: those out of their range, and columns that contradict each other."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd

from datamodules.manifests.columns import describe_rows
from datamodules.manifests.questionnaires import ITEMS
from datamodules.schema import UNKNOWN


@dataclass(frozen=True)
class _Range:
    """What a number may be, and what to do about one that is not."""

    low: float
    high: float
    remedy: str
    whole: bool = False


_FROM_FILE = "leave it empty to read it from the file"
_SHARE = "it is a share of the picture from 0 to 1, leave it empty if unknown"
# Our choices: wide enough for whatever can be true of a recording of a person.
_RANGES = {
    "fps": _Range(0.1, 1000, f"frames per second; {_FROM_FILE}"),
    "n_frames": _Range(1, 1e8, f"a count of frames; {_FROM_FILE}", whole=True),
    "duration_s": _Range(1e-3, 1e6, f"seconds; {_FROM_FILE}"),
    "width": _Range(1, 65_536, f"pixels; {_FROM_FILE}", whole=True),
    "height": _Range(1, 65_536, f"pixels; {_FROM_FILE}", whole=True),
    "age": _Range(0, 120, "years; leave it empty if unknown"),
    "brightness": _Range(0, 1, f"mean gray level from 0, black, to 1, white; {_FROM_FILE}"),
    "border": _Range(0, 1e6, "leave it empty if unknown"),
    "blur": _Range(0, 1e9, "leave it empty if unknown"),
    "face_x": _Range(-1, 2, _SHARE),
    "face_y": _Range(-1, 2, _SHARE),
    "face_size": _Range(0, 10, _SHARE),
    "yaw": _Range(-360, 360, "an angle; leave it empty if unknown"),
    "pitch": _Range(-360, 360, "an angle; leave it empty if unknown"),
    "roll": _Range(-360, 360, "an angle; leave it empty if unknown"),
    "usable": _Range(0, 1, "the share of frames whose face can be used; leave it empty if unknown"),
    "visit_order": _Range(-1e9, 1e9, "numbers the visits of a person in time", whole=True),
}
_ITEM_REMEDY = "subtract 1 from items coded from 1, leave unanswered ones empty"
_RANGES |= {name: _Range(0, high, _ITEM_REMEDY, whole=True) for name, high in ITEMS.items()}
_OTHERS = {
    "trait_": _Range(-1000, 1000, "a score of a trait; leave it empty if unknown"),
    "item_": _Range(0, 100, "an answer counted from 0; leave it empty if there is none", whole=True),
}  # by prefix
_SLACK = 0.05  # of n_frames against fps times duration, our choice: containers round


def check_numbers(table: pd.DataFrame) -> list[str]:
    """Report every number that cannot be, and every pair of statements that cannot both be true."""
    return [*_ranges(table), *_item_names(table), *_lengths(table), *_orders(table)]


def _ranges(table: pd.DataFrame) -> Iterator[str]:
    for name in table.columns:
        others = (limits for prefix, limits in _OTHERS.items() if name.startswith(prefix))
        limits = _RANGES.get(name) or next(others, None)
        if limits is None:
            continue
        values = table[name].to_numpy(dtype=np.float64)
        odd = (values < limits.low) | (values > limits.high)  # False where it is missing
        if limits.whole:
            odd |= ~np.isnan(values) & (values % 1 != 0)
        if odd.any():
            yield (
                f"'{name}' is not {'a whole number ' if limits.whole else ''}from {limits.low:g} to "
                f"{limits.high:g} in {describe_rows(table, odd, values)}: {limits.remedy}"
            )


def _item_names(table: pd.DataFrame) -> Iterator[str]:
    """Columns that are an item of a known questionnaire but for zeros in front of its number."""
    known = {_bare(name): name for name in ITEMS}
    for name in table.columns:
        item = known.get(_bare(name), name)
        if name.startswith("item_") and item != name:
            yield f"column '{name}' is '{item}' of a questionnaire with another spelling; rename it"


def _bare(name: str) -> str:
    return re.sub(r"_0*(?=\d+$)", "_", name.lower())


def _lengths(table: pd.DataFrame) -> Iterator[str]:
    """Counts of frames that rate and duration contradict."""
    if not {"n_frames", "fps", "duration_s"} <= set(table):
        return
    frames, fps, seconds = (
        table[name].to_numpy(dtype=np.float64) for name in ("n_frames", "fps", "duration_s")
    )
    expected = fps * seconds
    wrong = np.abs(frames - expected) > np.maximum(2 * fps, _SLACK * expected)  # False where one is missing
    if wrong.any():
        said = {row: f"{frames[row]:g} against {expected[row]:g}" for row in np.flatnonzero(wrong)}
        yield (
            f"'n_frames' is not 'fps' times 'duration_s' in {describe_rows(table, said, said)}; leave all "
            "three empty to read them from the files"
        )


def _orders(table: pd.DataFrame) -> Iterator[str]:
    """Sessions of a known person with several places in the order of visits, or that share one."""
    if "visit_order" not in table:
        return
    known = table[table["visit_order"].notna() & (table["subject_id"] != UNKNOWN)]
    visits = known[["subject_id", "session_id", "visit_order"]].drop_duplicates()
    torn = visits.duplicated(["subject_id", "session_id"], keep=False)
    shared = visits.duplicated(["subject_id", "visit_order"], keep=False) & ~torn
    for what, bad in (("has several values in one session", torn), ("is shared by sessions", shared)):
        said = {
            row: f"{table['session_id'][row]}: {table['visit_order'][row]:g}" for row in visits.index[bad]
        }
        if said:
            yield (
                f"'visit_order' {what} of a person: {describe_rows(table, said, said)}; number the visits of "
                "each person in time"
            )
