"""Earlier visits of the persons to predict, with the scores that are known of them: `predict.py history=`."""

import logging
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from datamodules.manifests.columns import NUMBERS, PREFIXES, file_columns
from datamodules.manifests.known_visits import KnownVisits, with_scores
from datamodules.manifests.manifest import Manifest
from datamodules.manifests.visits import COLUMN, REMEDY, place_of_visits
from datamodules.schema import UNKNOWN
from datamodules.splits.partition import Split
from datamodules.wording import first_few
from engine.config.compose import ConfigError
from evaluation.change.visit_pairs import NAMES
from evaluation.tables.predictions import KNOWN_VISITS

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class ScoredHistory:
    """Recordings to predict beside the earlier ones of their persons.

    Attributes:
        manifest: Both.
        split: Predicts the former.
        visits: Who may know what: the latter, with their scores, and nothing else.
    """

    manifest: Manifest
    split: Split
    visits: KnownVisits


def check_scored(history: Manifest) -> None:
    """Refuse a table of earlier visits without any score.

    Raises:
        ConfigError: With the remedy.
    """
    if "score" not in history.table or history.table["score"].isna().all():
        raise ConfigError(
            f"history={history}: no recording has a score. Fill 'scale' and 'score' where they are known; "
            "recordings of persons without any score belong into input="
        )


def with_history(asked: Manifest, history: Manifest) -> ScoredHistory:
    """Put the earlier visits of the persons to predict beside their recordings.

    Of the labels of `asked` nothing is read. Persons of the history who are not predicted are left out.

    Args:
        asked: What to predict.
        history: Earlier visits, with scores; a missing one is allowed.

    Raises:
        ConfigError: A recording is in both tables, nobody of the history is predicted, or a visit of it is
            not known to be earlier than what is predicted.
    """
    _check_apart(asked, history)
    persons = set(asked.table["subject_id"]) - {UNKNOWN}
    theirs = history.table["subject_id"].isin(persons)
    strangers = sorted(set(history.table.loc[~theirs, "subject_id"]))
    if not theirs.any():
        raise ConfigError(
            f"history={history}: none of its persons ({first_few(strangers, 5)}) is in {asked}. Both tables "
            "must name them alike in 'subject_id'"
        )
    if strangers:
        _log.warning("history=%s: not predicted, so left out: %s", history, first_few(strangers))
    scored = history.table.loc[theirs & history.table["score"].notna(), "subject_id"]
    if lacking := sorted(set(history.table.loc[theirs, "subject_id"]) - set(scored)):
        _log.warning(
            "history=%s: no score of %s is known, so that their earlier visits serve without: no change of "
            "theirs is told",
            history, first_few(lacking),
        )  # fmt: skip
    rows = [_absolute(asked, asked.table), _absolute(history, history.table[theirs])]
    table = pd.concat(rows, ignore_index=True)
    for column in map(str, table.columns):
        number = column in NUMBERS or column.startswith(PREFIXES)
        table[column] = table[column].fillna(np.nan if number else "")
    known = np.arange(len(table)) >= len(asked.table)
    place = place_of_visits(table)
    _check_earlier(table, known, place, history)
    ids = tuple(asked.table["recording_id"])
    return ScoredHistory(
        manifest=replace(asked, table=table, truth=None),
        split=Split(name="input", train=(), val=(), test=ids, known="all"),
        visits=with_scores(table, place=place, known=known),
    )


def _absolute(manifest: Manifest, rows: pd.DataFrame) -> pd.DataFrame:
    """The rows with paths that hold in any folder."""
    root = Path(manifest.root).resolve()
    columns = file_columns(rows)
    return rows.assign(**{name: [str(root / one) if one else "" for one in rows[name]] for name in columns})


def _check_apart(asked: Manifest, history: Manifest) -> None:
    """No recording is predicted from itself, by its id or by its file."""
    for column, what in (("recording_id", "recordings"), ("content_hash", "files")):
        if column not in asked.table or column not in history.table:
            continue
        both = (set(asked.table[column]) & set(history.table[column])) - {""}
        if both:
            names = asked.table.loc[asked.table[column].isin(both), "recording_id"].tolist()
            raise ConfigError(
                f"{what} in both input={asked} and history={history}: {first_few(sorted(names))}. A visit is "
                "predicted, or its score is known: take them out of one table"
            )


def _check_earlier(
    table: pd.DataFrame, known: NDArray[np.bool_], place: NDArray[np.float64], history: Manifest
) -> None:
    """A score may be known of visits before all that are predicted of the person."""
    own = table.assign(known=known, place=place)
    own = own[own["subject_id"].isin(set(own.loc[known, "subject_id"]))]
    for person, visits in own.groupby("subject_id", sort=False):
        if visits["place"].isna().any():
            names = list(dict.fromkeys(visits["session_id"].astype(str)))
            stated = f", in both tables if in one: '{COLUMN}' is used where all visits have it"
            raise ConfigError(
                f"history={history}: the order of the visits {first_few(names, 5)} of person {person!r} is "
                f"not known; {REMEDY}{stated if COLUMN in table else ''}"
            )
        ordered = visits.sort_values("place", kind="stable")
        latest, earliest = ordered[ordered["known"]].iloc[-1], ordered[~ordered["known"]].iloc[0]
        if not latest["place"] < earliest["place"]:
            raise ConfigError(
                f"history={history}: visit {latest['session_id']!r} of person {person!r} is not earlier than "
                f"visit {earliest['session_id']!r}, which is predicted. A prediction may know earlier scores "
                "alone: take the visit out of history=, or give visits to predict that follow it"
            )


def told(table: pd.DataFrame) -> str:
    """How many predictions stand on how many earlier visits, in words.

    Examples:
        >>> told(pd.DataFrame({"known_visits": [0, 2, 3]}))
        '2 of 3 predictions know 2 to 3 earlier visits'
        >>> told(pd.DataFrame({"known_visits": [0, 2, 3], "known_names": [(), ("1",), ()]}))
        '2 of 3 predictions know 2 to 3 earlier visits, 1 of them with no score of any'
    """
    counts = table[KNOWN_VISITS].dropna()
    some = counts[counts > 0]
    if not len(some):
        return f"none of {len(counts)} predictions knows an earlier visit"
    low, high = int(some.min()), int(some.max())
    number = f"{low}" if low == high else f"{low} to {high}"
    without = 0 if NAMES not in table else sum(not table[NAMES][row] for row in some.index)
    lacking = f", {without} of them with no score of any" if without else ""
    return f"{len(some)} of {len(counts)} predictions know {number} earlier visits{lacking}"
