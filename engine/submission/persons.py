"""Predictions by person: the mean over the recordings of a person, everybody of a part once."""

from collections.abc import Sequence
from dataclasses import dataclass

import pandas as pd

from datamodules.wording import first_few

_HEADS = {  # which settings of a training give columns that begin so
    "DASS-21": "model/heads=items data/items=dass_21",
    "item_dass21": "model/heads=items data/items=dass_21",
    "score": "model/heads=score_binary",
    "binary": "model/heads=score_binary",
}


class SubmissionError(ValueError):
    """Predictions that make no table of a challenge; the message names persons, columns and the remedy."""


@dataclass(frozen=True)
class Persons:
    """Means of predicted columns, one row a person by `subject_id`, and what readers must be told."""

    table: pd.DataFrame
    notes: tuple[str, ...]


def by_person(predictions: pd.DataFrame, expected: pd.DataFrame, columns: Sequence[str]) -> Persons:
    """Combine the recordings of each person.

    Args:
        predictions: `predictions.csv` of a run, an evaluation or a prediction.
        expected: Manifest rows of the part that is submitted: `recording_id, subject_id`, perhaps `task`.
        columns: Of the predictions, that the submission needs.

    Returns:
        Means over the recordings that have all of the columns. A person with fewer recordings than others is
        told, as is one with a recording that was not predicted.

    Raises:
        SubmissionError: A column is missing, a recording is there twice, or a person has no prediction.
    """
    _check_columns(predictions, columns)
    known = predictions[predictions["recording_id"].isin(set(expected["recording_id"]))]
    if (twice := known["recording_id"].duplicated()).any():
        names = first_few(known.loc[twice, "recording_id"].tolist())
        raise SubmissionError(f"predicted twice: {names}; give the table of one run")
    whole = known.dropna(subset=list(columns)).set_index("recording_id")
    rows = expected[["recording_id", "subject_id"]].assign(
        there=expected["recording_id"].isin(set(whole.index)).to_numpy()
    )
    found = rows.groupby("subject_id", sort=True)["there"].agg(["sum", "size"])
    if absent := found.index[found["sum"] == 0].tolist():
        raise SubmissionError(
            f"{len(absent)} of {len(found)} person(s) have no prediction: {first_few(absent)}; predict all "
            "recordings of the part, as a submission has a row for everybody"
        )
    means = rows[rows["there"]].join(whole[list(columns)], on="recording_id")
    table = means.groupby("subject_id", sort=True)[list(columns)].mean().reset_index()
    return Persons(table, _notes(found))


def _notes(found: pd.DataFrame) -> tuple[str, ...]:
    """Who has fewer predictions than recordings, and who has fewer recordings than the others."""
    lost = found[found["sum"] < found["size"]]
    short = found[found["size"] < found["size"].max()]
    notes = []
    if len(lost):
        named = [f"{name} ({row['sum']} of {row['size']})" for name, row in lost.iterrows()]
        notes.append(f"{len(lost)} person(s) have recordings without a prediction: {first_few(named)}")
    if len(short):
        named = [f"{name} ({row['size']} of {found['size'].max()})" for name, row in short.iterrows()]
        notes.append(f"{len(short)} person(s) have fewer recordings than others: {first_few(named)}")
    return tuple(notes)


def _check_columns(predictions: pd.DataFrame, columns: Sequence[str]) -> None:
    lacking = [name for name in columns if name not in predictions]
    if lacking:
        heads = {head for key, head in _HEADS.items() for name in lacking if name.startswith(key)}
        raise SubmissionError(
            f"the predictions have no column {first_few(lacking)}; a network trained with "
            f"{' or '.join(sorted(heads))} gives it"
        )
