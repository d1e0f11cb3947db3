"""The partition of a manifest into train, val and test (`Split`), and checks that protocols share."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from datamodules.manifests.identity import person_keys
from datamodules.manifests.known_visits import Known
from datamodules.manifests.manifest import Manifest
from datamodules.schema import UNKNOWN

_log = logging.getLogger(__name__)

PARTS = ("train", "val", "test")


class SplitError(ValueError):
    """A protocol that this manifest cannot satisfy."""


@dataclass(frozen=True)
class Split:
    """Recording ids of the parts of one fold, and whether the protocol promises to keep persons apart.

    `notes` say what readers of the result must know, e.g. who was left out; `repeat` is the round of a
    cross-validation that tests everybody several times; `left_out` names recordings that a filter took out of
    the training part, where they must not reappear. `known` says how many first visits of a person a
    prediction of a later one may know with their scores (see `manifests.known_visits`); None is none.
    """

    name: str
    train: tuple[str, ...]
    val: tuple[str, ...]
    test: tuple[str, ...]
    subject_disjoint: bool = True
    notes: tuple[str, ...] = ()
    repeat: int = 0
    left_out: tuple[str, ...] = ()
    known: Known | None = None


def by_person(
    manifest: Manifest,
    name: str,
    *,
    val: set[str],
    test: set[str],
    check: Sequence[str] = PARTS,
    keys: Sequence[str] | None = None,
) -> Split:
    """The split in which all recordings of a person, or of a group of persons, are in one part.

    Args:
        manifest: The recordings.
        name: Of the split.
        val: Person keys that select.
        test: Person keys that are tested; everybody else trains.
        check: Parts that must have every class.
        keys: One a row of what is dealt, see `groups.unit_keys`; persons where not given.

    Raises:
        SplitError: A checked part is empty or lacks a class.
    """
    keys = person_keys(manifest.table) if keys is None else keys
    parts = ["test" if key in test else "val" if key in val else "train" for key in keys]
    split = split_of(name, manifest.table, parts)
    require_classes(manifest, split, check)
    return split


def split_of(name: str, table: pd.DataFrame, parts: Sequence[str], *, disjoint: bool = True) -> Split:
    """Build a split from one part name per row; an empty name leaves the row out."""
    ids: dict[str, list[str]] = {part: [] for part in PARTS}
    for recording, part in zip(table["recording_id"].tolist(), parts, strict=True):
        if part:
            ids[part].append(recording)
    train, val, test = (tuple(ids[part]) for part in PARTS)
    return Split(name, train, val, test, disjoint)


def require_persons(
    manifest: Manifest, strata: dict[str, list[str]], least: int, *, group_by: str | None = None
) -> None:
    """Stop where there are fewer persons than a protocol needs; report recordings of unknown ones.

    Args:
        manifest: The recordings.
        strata: What is dealt: persons, or groups of them.
        least: How many are needed.
        group_by: Column of the groups.

    Raises:
        SplitError: With the number and the remedy.
    """
    count = sum(map(len, strata.values()))
    if count < least and group_by is not None:
        raise SplitError(
            f"{manifest}: {count} groups of '{group_by}' are too few for this protocol, it needs {least}; "
            "use fewer protocol.folds where it has folds, a finer column, or persons (protocol.group_by=null)"
        )
    if count < least:
        raise SplitError(
            f"{manifest}: {count} persons are too few for this protocol, it needs {least}; "
            "add persons, use fewer protocol.folds where it has folds, or state the parts in a column "
            "'split' and use protocol=given"
        )
    if (manifest.table["subject_id"] == UNKNOWN).any():
        _log.warning(
            "%s: recordings of subject '%s' are split one by one: unauditable", manifest.name, UNKNOWN
        )


def require_classes(manifest: Manifest, split: Split, parts: Sequence[str], *, remedy: str = "") -> None:
    """Stop where a part of the split is empty or lacks a class.

    Args:
        manifest: The recordings.
        split: Of them.
        parts: To check.
        remedy: What else helps but more persons.

    Raises:
        SplitError: Names the parts and the classes.
    """
    faults = faults_of(manifest.table, split, parts)
    if faults:
        what = f"add persons of that class, as every part needs its own{', or ' if remedy else ''}{remedy}"
        raise SplitError(f"{manifest}: {'; '.join(faults)}; {what}")


def faults_of(table: pd.DataFrame, split: Split, parts: Sequence[str]) -> list[str]:
    """What is wrong with parts of a split: empty, or a class that the table has is missing."""
    # as lists: the cells of a column of text are slow to get one by one
    names, found = (table[name].tolist() if "binary" in table else [] for name in ("recording_id", "binary"))
    labels = dict(zip(names, found, strict=True))
    classes = {label for label in set(found) if not np.isnan(label)}
    faults = []
    for part in parts:
        name, ids = f"part '{part}' of '{split.name}'", getattr(split, part)
        if not ids:
            faults.append(f"{name} is empty")
            continue
        absent = sorted(classes - set(map(labels.get, ids)))
        faults += [f"{name} has no recording with binary = {label:g}" for label in absent]
    return faults
