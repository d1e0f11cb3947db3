"""Identity keys of a manifest: the person and visit by which splits, leakage guard and batches group."""

import numpy as np
import pandas as pd

from datamodules.schema import UNKNOWN


def person_keys(table: pd.DataFrame) -> list[str]:
    """One key a row: the subject, or the recording itself where the subject is unknown.

    Two unknown recordings may show the same person. Treating them as different persons is the only choice
    that lets them be used at all; a split that holds them is reported as unauditable.
    """
    # as lists: the cells of a column of text are slow to get one by one
    subjects, recordings = table["subject_id"].tolist(), table["recording_id"].tolist()
    return [
        f"{UNKNOWN}:{recording}" if subject == UNKNOWN else f"subject:{subject}"
        for subject, recording in zip(subjects, recordings, strict=True)
    ]


def person_codes(table: pd.DataFrame) -> np.ndarray:
    """One code a row, int64 `(len(table),)`, the same for all recordings of a person.

    An unknown person has a code of its own below 0: whatever compares persons leaves negative codes out,
    because two of them may be one person as well as two.
    """
    unknown, numbers = (table["subject_id"] == UNKNOWN).to_numpy(dtype=np.bool_), _numbers_of_persons(table)
    return np.where(unknown, -1 - numbers, numbers)


def visit_keys(table: pd.DataFrame) -> list[tuple[str, str]]:
    """One key a row: the person and the session, because session ids repeat from person to person."""
    return list(zip(person_keys(table), table["session_id"].astype(str), strict=True))


def visit_codes(table: pd.DataFrame) -> np.ndarray:
    """One code a row, int64 `(len(table),)`, the same for all recordings of a visit."""
    sessions, names = pd.factorize(table["session_id"].astype(str))
    return pd.factorize(_numbers_of_persons(table) * len(names) + sessions)[0]


def _numbers_of_persons(table: pd.DataFrame) -> np.ndarray:
    """Codes of `person_keys` in the order of their first rows, int64 `(len(table),)`."""
    subjects = table["subject_id"]
    numbers = pd.factorize(subjects)[0].astype(np.int64)
    unknown = (subjects == UNKNOWN).to_numpy(dtype=np.bool_)
    # whoever is unknown has a number that no other row has
    return pd.factorize(np.where(unknown, len(table) + np.arange(len(table)), numbers))[0]
