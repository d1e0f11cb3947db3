"""Longitudinal protocols: the last visit of known persons, or visits of new ones after visits with scores."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Protocol

import numpy as np
import pandas as pd

from datamodules.manifests.identity import person_keys, visit_keys
from datamodules.manifests.known_visits import Known, KnownVisits, first_predicted, known_visits
from datamodules.manifests.manifest import Manifest
from datamodules.manifests.visits import REMEDY, place_of_visits
from datamodules.splits.partition import PARTS, Split, SplitError, require_classes, split_of
from datamodules.splits.protocols import Holdout
from datamodules.wording import first_few

_log = logging.getLogger(__name__)

_OWN_NAMES = {  # what the protocol of persons calls its settings, and how they are set from here
    "protocol=kfold": "protocol/persons=kfold",
    "protocol.folds": "protocol.persons.folds",
    "protocol.val": "protocol.persons.val",
    "protocol.test": "protocol.persons.test",
}


class Persons(Protocol):
    """A protocol that deals persons into parts, such as `Holdout` or `KFold`."""

    @property
    def subject_disjoint(self) -> bool:
        """Whether the persons of the parts differ."""
        ...

    def splits(self, manifest: Manifest) -> list[Split]:
        """The splits of a manifest."""
        ...


@dataclass(frozen=True, kw_only=True)
class Longitudinal:
    """Later visits of persons, of whom earlier visits are known; visits are ordered as in `manifests.visits`.

    Without `known`: a person's last visit tests, the one before selects, the earlier ones train. This
    measures how well a person is followed on whom the network was trained. It says nothing about new persons,
    because the habits of everyone tested were seen with their labels; never report it as the headline.
    Persons with fewer than three visits train only.

    With `known`: persons who train, select and are tested differ. Of those who select and are tested, the
    first visits are known with their scores and are not predicted; later ones are. Persons without a later
    visit train only.

    Args:
        known: How many first visits are known: 1 or more; or `all`, so that every visit but the first is
            predicted from all before it. None is the form in which everyone tested was trained on.
        persons: Deals the persons, where visits are known; one that keeps persons apart.
    """

    known: Known | None = None
    persons: Persons = field(default_factory=Holdout)

    @property
    def subject_disjoint(self) -> bool:
        """Whether the persons of the parts differ."""
        return self.known is not None

    @property
    def chronological(self) -> bool:
        """Whether nothing later than a tested visit of its person is learned from."""
        return self.known is None

    def splits(self, manifest: Manifest) -> list[Split]:
        """One split named `longitudinal`, or `longitudinal-<name>` for each split of `persons`.

        Raises:
            SplitError: A setting that cannot be, nobody has enough visits, their order is not known, no known
                visit has a score, or a class is missing from a part; and what `persons` refuses.
        """
        self._check()
        if self.known is None:
            return [_last_visits(manifest)]
        return _after_known_visits(manifest, self.known, self.persons)

    def _check(self) -> None:
        if self.known is None:
            if self.persons != Holdout():
                raise SplitError(
                    "protocol.persons deals persons where their first visits are known: add protocol.known=1"
                )
            return
        _check_known(self.known, key="protocol.known")
        if not self.persons.subject_disjoint:
            raise SplitError("protocol.persons must keep persons apart: protocol/persons=holdout, or kfold")


def everybody_later(manifest: Manifest, known: Known) -> Split:
    """The split that tests everybody after the first visits, which are known with their scores.

    Args:
        manifest: The recordings.
        known: As of `Longitudinal`.

    Raises:
        SplitError: See `Longitudinal.splits`.
    """
    _check_known(known, key="known")
    visits, followed = _followed(manifest, known, remedy="a smaller known=, or another table")
    later = visits.place >= first_predicted(known)
    parts = ["test" if one else "" for one in followed & later]
    split = split_of(manifest.name, manifest.table, parts)
    short = _too_short(manifest, followed, first_predicted(known), what="not predicted")
    part_of = dict.fromkeys(manifest.table.loc[followed, "recording_id"].tolist(), "test")
    return replace(split, known=known, notes=(_said(known, visits, part_of, manifest.table), *short))


def _check_known(known: object, *, key: str) -> None:
    whole = isinstance(known, int) and not isinstance(known, bool) and known >= 1
    if not whole and known != "all":
        raise SplitError(
            f"{key}={known!r}: give the number of first visits that are known, 1 or more; or all, for every "
            "visit before the one that is predicted; or null for none"
        )


def _last_visits(manifest: Manifest) -> Split:
    """Everybody's last visit tests, the one before selects."""
    table = manifest.table
    places = place_of_visits(table.assign(subject_id=person_keys(table)))
    _check_order(manifest, places, least=3)
    visits: dict[str, dict[str, float]] = {}
    for (person, session), place in zip(visit_keys(table), places.tolist(), strict=True):
        visits.setdefault(person, {})[session] = place
    part_of: dict[tuple[str, str], str] = {}
    followed = [person for person, sessions in visits.items() if len(sessions) >= 3]
    for person in followed:
        ordered = sorted(visits[person], key=visits[person].__getitem__)
        part_of |= {(person, ordered[-1]): "test", (person, ordered[-2]): "val"}
    if not followed:
        raise SplitError(f"{manifest}: nobody has three visits; use protocol=holdout or protocol=kfold")
    _log.warning(
        "split 'longitudinal' is not person-disjoint: %d persons are in all parts, %d train only",
        len(followed),
        len(visits) - len(followed),
    )
    parts = [part_of.get(key, "train") for key in visit_keys(table)]
    split = split_of("longitudinal", table, parts, disjoint=False)
    require_classes(manifest, split, PARTS)
    return split


def _after_known_visits(manifest: Manifest, known: Known, persons: Persons) -> list[Split]:
    """New persons: their first visits are known with scores, the later ones are predicted."""
    table, least = manifest.table, first_predicted(known)
    remedy = "protocol=holdout" if least == 1 else "a smaller protocol.known, or protocol=holdout"
    visits, followed = _followed(manifest, known, remedy=remedy)
    short = _too_short(manifest, followed, least, what="they train only")
    dealt = replace(manifest, table=table[followed].reset_index(drop=True))
    splits = []
    for whole in _dealt(persons, dealt):
        part_of = {one: part for part in PARTS for one in getattr(whole, part)}
        parts = [part_of.get(one, "train") for one in table["recording_id"].tolist()]
        later = (visits.place >= least).tolist()
        parts = [part if part == "train" or own else "" for part, own in zip(parts, later, strict=True)]
        split = split_of(f"longitudinal-{whole.name}", table, parts)
        require_classes(manifest, split, PARTS, remedy="use another protocol.known or protocol.persons.seed")
        notes = (*whole.notes, _said(known, visits, part_of, table), *short)
        splits.append(replace(split, known=known, notes=notes, repeat=whole.repeat))
    return splits


def _followed(manifest: Manifest, known: Known, *, remedy: str) -> tuple[KnownVisits, np.ndarray]:
    """The known visits, and which rows are of persons with a visit after them (N,)."""
    least, visits = first_predicted(known), known_visits(manifest.table, known)
    _check_order(manifest, visits.place, least=2)
    last = pd.Series(visits.place).groupby(visits.person).transform("max")
    # a person with a single visit has a place, whatever it is called
    followed = (last >= least).to_numpy()
    if not followed.any():
        raise SplitError(
            f"{manifest}: nobody has more than {least} visit(s), so that none follows the known ones; use "
            f"{remedy}"
        )
    if not np.isfinite(visits.score[followed]).any():
        raise SplitError(
            f"{manifest}: no visit that would be known has a score; fill 'score' and 'scale', or use {remedy}"
        )
    return visits, followed


def _dealt(persons: Persons, manifest: Manifest) -> list[Split]:
    """The splits of a protocol of persons, whose errors name its settings as they are set here."""
    try:
        return persons.splits(manifest)
    except SplitError as fault:
        said = str(fault)
        for there, here in _OWN_NAMES.items():
            said = said.replace(there, here)
        raise SplitError(said) from fault


def _check_order(manifest: Manifest, places: np.ndarray, *, least: int) -> None:
    """Stop where the order of the visits of a person with so many or more is not known."""
    sessions: dict[str, list[str]] = {}
    unordered = set()
    for (person, session), place in zip(visit_keys(manifest.table), places.tolist(), strict=True):
        if session not in (own := sessions.setdefault(person, [])):
            own.append(session)
        if place != place:  # NaN is not itself
            unordered.add(person)
    for person, names in sessions.items():
        if len(names) >= least and person in unordered:
            raise SplitError(
                f"{manifest}: the order of the visits {', '.join(names[:5])} of person "
                f"{person.split(':', 1)[1]!r} is not known; {REMEDY}"
            )


def _too_short(manifest: Manifest, followed: np.ndarray, least: int, *, what: str) -> tuple[str, ...]:
    """Name the persons who have no visit after the known ones, and say in a note how many they are."""
    keys = pd.Series(person_keys(manifest.table))[~followed]
    names = sorted({key.split(":", 1)[1] for key in keys})
    if not names:
        return ()
    note = f"{len(names)} person(s) have {least} visit(s) or fewer, none after known ones: {what}"
    _log.warning("%s: %s: %s", manifest.name, note, first_few(names))
    return (note,)


def _said(known: Known, visits: KnownVisits, part_of: dict[str, str], table: pd.DataFrame) -> str:
    """What of the persons who select and are tested is known, as a note of the split."""
    ids: Sequence[str] = table["recording_id"].tolist()
    judged = np.array([part_of.get(one) in ("val", "test") for one in ids], dtype=np.bool_) & visits.known
    persons = len(set(visits.person[judged].tolist()))
    which = "every earlier visit is" if known == "all" else f"the first {known} visit(s) are"
    lost = len(set(visits.visit[judged & np.isnan(visits.score)].tolist()))
    missing = f"; {lost} of these visits have no score" if lost else ""
    return (
        f"of {persons} persons who select or are tested {which} known with the score when a later visit is "
        f"predicted{missing}"
    )
