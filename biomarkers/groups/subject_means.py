"""Aggregation of recordings to persons, the unit of a group comparison.

Recordings of one person are not independent, so they are averaged first. Letters: `S` persons, `F` features.
"""

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from datamodules.manifests.visits import REMEDY, place_of_visits
from datamodules.schema import IDS, UNKNOWN

CHANGES = "the label changes between recordings"


@dataclass(frozen=True, eq=False, kw_only=True)
class Persons:
    """Persons with one group each.

    `values` (S, F) has one row a person, indexed by subject; NaN is a feature that none of the person's
    recordings has. `depressed` bool (S,) is the group, `left_out` tells why a subject is in neither, `basis`
    what a row was averaged over.
    """

    values: pd.DataFrame
    depressed: NDArray[np.bool_]
    left_out: dict[str, str]
    basis: str = "all recordings"

    def complete(self) -> tuple[NDArray[np.float64], NDArray[np.bool_], int]:
        """Values and groups of the persons who have every feature, and how many others there are."""
        kept = self.values.notna().all(axis=1).to_numpy()
        values = self.values[kept].to_numpy(dtype=np.float64)
        return values, self.depressed[kept], int((~kept).sum())


def person_means(features: pd.DataFrame, labels: pd.DataFrame) -> Persons:
    """Average the recordings of each person and give each person one group.

    A person without any label, or whose label changes between recordings, belongs to no group and is left
    out by name; `mixed` compares those visit by visit. Recordings of an unknown subject are persons of their
    own, which is optimistic.

    Args:
        features: `recording_id, subject_id`, perhaps `session_id`, and numeric features.
        labels: `recording_id` and `binary`, 0, 1 or missing.

    Raises:
        ValueError: Ids repeat or have no label row, a label is not 0 or 1, a feature is no finite number.
    """
    names = feature_names(features)
    table = with_labels(features, labels, ["binary"])
    key = person_names(table)
    values = table[names].astype(np.float64).groupby(key, sort=True).mean()
    by_person = table["binary"].astype(np.float64).groupby(key, sort=True)
    left_out = {str(name): "no recording has a label" for name in values.index[by_person.count() == 0]}
    changing = values.index[by_person.nunique() > 1]
    left_out |= dict.fromkeys(map(str, changing), CHANGES)
    kept = ~values.index.isin(list(left_out))
    return Persons(
        values=values.loc[kept],
        depressed=by_person.max().to_numpy(dtype=np.float64)[kept] == 1,
        left_out=left_out,
    )


def person_names(table: pd.DataFrame) -> "pd.Series[str]":
    """The subject of each recording; of an unknown subject every recording is a person of its own."""
    subject = table["subject_id"].astype(str)
    return subject.where(subject != UNKNOWN, UNKNOWN + ":" + table["recording_id"].astype(str))


def require_order(table: pd.DataFrame, places: NDArray[np.float64]) -> None:
    """Stop at a recording (N,) of which `place_of_visits` does not know the place.

    Raises:
        ValueError: Nobody can know which session of a person was the first.
    """
    if np.isnan(places).any():
        lost = table[np.isnan(places)].iloc[0]
        raise ValueError(
            f"which session of {lost['subject_id']!r} comes first is not known, {lost['session_id']!r} "
            f"or another; {REMEDY}"
        )


def first_sessions(features: pd.DataFrame) -> pd.DataFrame:
    """Keep each person's first session, for labels that change from session to session.

    Sessions are ordered as `datamodules.manifests.visits` says; of an unknown subject every recording stays.

    Raises:
        ValueError: Nobody can know which session of a person was the first.
    """
    places = place_of_visits(features)
    known = (features["subject_id"] != UNKNOWN).to_numpy()
    require_order(features[known], places[known])
    first: pd.DataFrame = features[(places == 0) | ~known]
    return first


def one_group_each(features: pd.DataFrame, labels: pd.DataFrame) -> Persons:
    """Average recordings per person (`person_means`); first sessions only, if any person's label changes.

    One changing label moves everybody to the first session, so that all rows mean the same (our choice).

    Raises:
        ValueError: As in `person_means`.
    """
    persons = person_means(features, labels)
    if CHANGES not in persons.left_out.values():
        return persons
    return replace(person_means(first_sessions(features), labels), basis="the first visit")


def feature_names(features: pd.DataFrame) -> list[str]:
    """Names of the feature columns of a table.

    Raises:
        ValueError: An id column is missing, a feature is not numeric or not finite where it is not missing.
    """
    missing = sorted(set(IDS[:2]) - set(features))
    names = [str(name) for name in features if name not in IDS]
    if missing or not names:
        raise ValueError(
            f"a feature table has recording_id, subject_id and features; missing {missing}, features {names}"
        )
    for name in names:
        if not pd.api.types.is_numeric_dtype(features[name]):
            raise ValueError(
                f"{name} is {features[name].dtype}: a feature is a number; drop or encode the column"
            )
        infinite = np.isinf(features[name].to_numpy(dtype=np.float64, na_value=np.nan))
        if infinite.any():
            where = features.loc[infinite, "recording_id"].tolist()[:5]
            raise ValueError(f"{name} is infinite in {where}: check how it was computed")
    return names


def with_labels(features: pd.DataFrame, labels: pd.DataFrame, columns: list[str]) -> pd.DataFrame:
    """The feature table with columns of the label table beside it, one row a recording.

    Raises:
        ValueError: Recordings repeat, have no row among the labels, or `binary` is neither 0, 1 nor missing.
    """
    for name, table in (("features", features), ("labels", labels)):
        repeated = table.loc[table["recording_id"].duplicated(), "recording_id"].tolist()
        if repeated:
            raise ValueError(f"the table of {name} holds {repeated[:5]} twice: one row a recording")
    lost = sorted(set(features["recording_id"]) - set(labels["recording_id"]))
    if lost:
        raise ValueError(f"no label row for {len(lost)} recordings, such as {lost[:5]}: add or drop them")
    clash = sorted(set(columns) & set(features))
    if clash:
        raise ValueError(f"{clash} are columns of features and of labels: drop them from one table")
    table = features.merge(labels[["recording_id", *columns]], on="recording_id", validate="1:1")
    if "binary" in columns:
        odd = table["binary"].notna() & ~table["binary"].isin([0, 1])
        if odd.any():
            raise ValueError(
                f"binary is 0, 1 or missing, not {table.loc[odd, 'binary'].unique().tolist()[:5]}"
            )
    return table
