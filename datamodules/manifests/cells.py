"""Parsing of a manifest's cells: ids and words to text as it was meant, numbers to floats."""

import logging
import re
from datetime import datetime, time

import numpy as np
import pandas as pd

from datamodules.manifests.columns import FEATURES, FILES, NUMBERS, PREFIXES, describe_rows
from datamodules.manifests.spelling import is_nothing, plain

_log = logging.getLogger(__name__)

_WORDS = ("task", "site", "corpus", "sex", "split", "scale", "content_hash")  # of TEXT: may be missing
_EXACT = 2**53  # above, a float has lost digits of a whole number
_NUMBER = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]{1,3})?")  # Python reads more than that


def parse_cells(table: pd.DataFrame) -> tuple[pd.DataFrame, list[str]]:
    """The table with ids and text as stripped strings and numbers as floats, and the faults of its cells."""
    columns: dict[str, list[str] | np.ndarray] = {}
    problems = []
    for name in table.columns:
        values: list[object] = table[name].tolist()
        if name in NUMBERS or name.startswith(PREFIXES):
            numbers, faulty = _numbers(values)
            if faulty:
                comma = any(re.fullmatch(r"\s*[+-]?\d+,\d*\s*", str(values[row])) for row in faulty)
                problems.append(
                    f"'{name}' is not a number in {describe_rows(table, faulty, values)}; "
                    + ("write it with a decimal point" if comma else "write it in plain digits")
                    + ", and leave it empty if unknown"
                )
            columns[name] = numbers
        else:
            texts = [_text(value) for value in values]
            if name not in FILES and not name.startswith(FEATURES):
                texts = [plain(text) for text in texts]
            columns[name] = _without_nothing(name, texts) if name in _WORDS else texts
    return pd.DataFrame(columns), problems


def _text(value: object) -> str:
    """A cell as text: whole numbers of a column of floats lose their `.0`, times of midnight are days."""
    if isinstance(value, str):
        return value.strip()
    if _absent(value):
        return ""
    if isinstance(value, float) and value.is_integer() and abs(value) < _EXACT:
        return str(int(value))
    if isinstance(value, datetime) and value.time() == time():
        return value.date().isoformat()
    return str(value).strip()


def _without_nothing(name: str, texts: list[str]) -> list[str]:
    """`NA`, `nan`, `-` and the like are no site, sex or task; what is taken for missing is said."""
    absent = {text for text in set(texts) if text and is_nothing(text)}
    if absent:
        count = sum(text in absent for text in texts)
        _log.warning(
            "column '%s': %s in %d row(s) is read as missing; a value of that name needs another",
            name,
            ", ".join(sorted(map(repr, absent))),
            count,
        )
    return ["" if text in absent else text for text in texts]


def _absent(value: object) -> bool:
    return value is None or value is pd.NA or value is pd.NaT or value != value  # NaN is not itself


def _numbers(values: list[object]) -> tuple[np.ndarray, list[int]]:
    read: dict[object, float | None] = {}  # of text: most numbers of a column repeat, and none is read twice
    found: list[float] = []
    faulty: list[int] = []
    for row, value in enumerate(values):
        if isinstance(value, float):
            found.append(value)
            continue
        text = value if isinstance(value, str) else "" if _absent(value) else str(value)
        if text not in read:
            read[text] = _number(text.strip())
        if (number := read[text]) is None:
            faulty.append(row)
        found.append(np.nan if number is None else number)
    numbers = np.array(found, dtype=np.float64)
    return numbers, faulty + np.flatnonzero(np.isinf(numbers)).tolist()


def _number(text: str) -> float | None:
    """The number that a text is, NaN if it says that there is none, None if it is something else."""
    if _NUMBER.fullmatch(text):
        return float(text)
    return np.nan if is_nothing(text) else None
