"""The leakage guard: checks a split, and stops the run with the names of the offenders if it leaks."""

import hashlib
import json
import logging
from collections import defaultdict
from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence

import pandas as pd

from datamodules.feature_leakage.channels import LeakageError
from datamodules.manifests.identity import person_keys, visit_keys
from datamodules.manifests.manifest import Manifest
from datamodules.manifests.visits import COLUMN, REMEDY, place_of_visits
from datamodules.schema import UNKNOWN
from datamodules.split_leakage.near_duplicates import Pair
from datamodules.split_leakage.shared_stimulus import COPIED, stimulus_groups
from datamodules.splits.partition import PARTS, Split
from datamodules.wording import first_few

_log = logging.getLogger(__name__)

_READ = ("recording_id", "subject_id", "session_id", "content_hash", COLUMN)  # of a manifest, by check_split
_passed: dict[bytes, tuple[str, ...]] = {}  # digests of splits without a leak, and what to report of each


def check_split(
    manifest: Manifest, split: Split, *, subject_disjoint: bool, chronological: bool = False
) -> None:
    """Stop if a person, a visit, a recording or the bytes of a file are in two parts of a split.

    A split that passed is not gone through again: every fold, and every loader of a fold, asks. What is
    remembered is a digest of all that the check reads, so that a changed table or split is checked anew; what
    there is to report is reported each time.

    Args:
        manifest: The table the split was made from.
        split: Recording ids of the three parts.
        subject_disjoint: Whether the protocol promises unseen persons. Otherwise a person may be in several
            parts, but never one of their visits: all recordings of a visit share its label.
        chronological: Whether the protocol promises that nothing later than a tested visit of a person was
            learned from. Without that promise such visits are only reported.

    Raises:
        LeakageError: Names every offender of every kind.
    """
    table = manifest.table[[name for name in _READ if name in manifest.table]]
    promises = {"subject_disjoint": subject_disjoint, "chronological": chronological}
    case = _digest(table, split, promises)
    problems: list[str] = []
    reports = _passed.get(case)
    if reports is None:
        problems, reports = _audit(table, split, **promises)
    for report in reports:
        _log.warning("split '%s'%s", split.name, report)
    if problems:
        listed = "\n".join(f"  - {problem}" for problem in problems)
        raise LeakageError(f"split '{split.name}' of {manifest} leaks:\n{listed}")
    _passed[case] = reports  # only after the checks: a split that leaks must fail each time


def _digest(table: pd.DataFrame, split: Split, promises: Mapping[str, bool]) -> bytes:
    """SHA-256 of all that a check depends on; the order of rows counts, as it is that of the messages."""
    parts = [split.train, split.val, split.test, split.left_out]
    columns = {name: table[name].tolist() for name in table}
    content = json.dumps(
        [columns, parts, promises], default=lambda value: {"": repr(value)}
    )  # no text is taken for a missing cell
    return hashlib.sha256(content.encode()).digest()


def _audit(
    table: pd.DataFrame, split: Split, *, subject_disjoint: bool, chronological: bool
) -> tuple[list[str], tuple[str, ...]]:
    """What leaks, and what is only to be reported, of a table of the columns `_READ`."""
    places: dict[str, list[str]] = defaultdict(list)
    for part in PARTS:
        for recording in getattr(split, part):
            places[recording].append(part)
    problems = list(_misplaced(table, places, split.left_out))
    if problems:  # the checks below need recordings with one part each
        return problems, ()
    table = table.loc[[recording in places for recording in table["recording_id"].tolist()]]
    ids, subjects = table["recording_id"].tolist(), table["subject_id"].tolist()
    part_of = [places[recording][0] for recording in ids]
    reports: list[str] = []
    if subject_disjoint:
        problems += _shared("subject", subjects, person_keys(table), part_of)
    else:
        visits = (table["subject_id"] + "/" + table["session_id"]).tolist()
        problems += _shared("visit", visits, visit_keys(table), part_of)
        # without a promise of order it is no leak, but readers of the result must know
        (problems if chronological else reports).extend(_disorder(table, part_of, promised=chronological))
    hashes = table["content_hash"].tolist() if "content_hash" in table else [""] * len(table)
    problems += _duplicated(ids, hashes, part_of)
    return problems, (*reports, *_uncompared(subjects, hashes))


def check_content(manifest: Manifest, split: Split, pairs: Sequence[Pair]) -> None:
    """Stop if two parts hold the same content, under whatever names; report what a part holds twice.

    Where many persons are alike with nearly each other, a stimulus that all followed is the likely reason:
    those are reported only, see `stimulus_groups`.

    Args:
        manifest: The table the split was made from.
        split: Recording ids of the three parts.
        pairs: Of all recordings, from `near_duplicates.duplicates`.

    Raises:
        LeakageError: Names the pairs.
    """
    table = manifest.table
    groups = stimulus_groups(pairs, dict(zip(table["recording_id"], person_keys(table), strict=True)))
    for group in groups:
        _log.warning(
            "split '%s': %d recordings are alike with nearly each other: %s. Likely all follow one stimulus, "
            "as a gaze target, so this does not stop; a copy with noise among them is not found. Channels "
            "that the stimulus drives tell little of a person: leave them out, or compare the recordings",
            split.name, len(group), first_few(sorted(group)),
        )  # fmt: skip
    pairs = [
        pair
        for pair in pairs
        if pair.correlation >= COPIED or not any({pair.first, pair.second} <= group for group in groups)
    ]
    apart, together = _across_parts(split, pairs)
    if together:
        _log.warning("split '%s': the same content twice in a part: %s", split.name, first_few(together))
    if apart:
        raise LeakageError(
            f"split '{split.name}' of {manifest} leaks:\n  - the same content in two parts: "
            f"{first_few(apart)}; keep one of each, or give both to one person and one part"
        )


def check_selection(monitor: str) -> None:
    """Stop if checkpoints, early stopping or a sweep would select on anything but validation.

    Raises:
        LeakageError: The monitored quantity does not start with `val/`.
    """
    if not monitor.startswith("val/"):
        raise LeakageError(f"selection on '{monitor}'; choose a validation metric such as 'val/auc'")


def _across_parts(split: Split, pairs: Sequence[Pair]) -> tuple[list[str], list[str]]:
    """Pairs of a split in words: those on two sides of it, and those within a part."""
    part_of = {recording: part for part in PARTS for recording in getattr(split, part)}
    apart: list[str] = []
    together: list[str] = []
    for pair in pairs:
        sides = part_of.get(pair.first), part_of.get(pair.second)
        if None in sides:
            continue
        said = f"{pair.first} ({sides[0]}) = {pair.second} ({sides[1]}): {pair.why}"
        (together if sides[0] == sides[1] else apart).append(said)
    return apart, together


def _misplaced(
    table: pd.DataFrame, places: Mapping[str, Sequence[str]], left_out: Sequence[str]
) -> Iterator[str]:
    """Recordings in two places of a split, or in one where they cannot or must not be."""
    twice = [f"{recording} ({', '.join(where)})" for recording, where in places.items() if len(where) > 1]
    if twice:
        yield f"the same recording twice: {first_few(twice)}"
    known = set(table["recording_id"].tolist())
    if foreign := [recording for recording in places if recording not in known]:
        yield f"recordings that are not in the manifest: {first_few(foreign)}"
    if back := sorted(set(left_out) & set(places)):
        yield f"recordings that a filter left out are back: {first_few(back)}"


def _shared(what: str, names: Iterable[str], keys: Iterable[Hashable], part_of: Sequence[str]) -> list[str]:
    # by keys and not by names: unknown subjects share a name and are not one person
    found: dict[Hashable, tuple[str, set[str]]] = {}
    for name, key, part in zip(names, keys, part_of, strict=True):
        found.setdefault(key, (name, set()))[1].add(part)
    shared = [f"{name} ({', '.join(sorted(where))})" for name, where in found.values() if len(where) > 1]
    remedy = f"give all recordings of a {what} one part in the column 'split'"
    return [f"a {what} in two parts: {first_few(shared)}; {remedy}"] if shared else []


def _later(table: pd.DataFrame, part_of: Sequence[str]) -> tuple[list[str], list[str]]:
    """Persons who train on visits after a tested or selecting one; and those whose order is unknown."""
    keys = visit_keys(table)
    # Persons by their keys, since unknown subjects share one id and are not one person.
    places = place_of_visits(table.assign(subject_id=[person for person, _ in keys])).tolist()
    sessions: dict[str, dict[str, list[tuple[float, str]]]] = defaultdict(lambda: defaultdict(list))
    for (person, session), place, part in zip(keys, places, part_of, strict=True):
        sessions[person]["train" if part == "train" else "judged"].append((place, session))
    late, unordered = [], []
    for person, known in sessions.items():
        if not known["train"] or not known["judged"]:
            continue
        (last, trained), (first, judged) = max(known["train"]), min(known["judged"])
        who = person.split(":", 1)[1]
        if any(place != place for place, _ in (*known["train"], *known["judged"])):  # NaN is not itself
            unordered.append(f"{who} (trains on {trained}, judged by {judged})")
        elif last > first:
            late.append(f"{who} (trains on {trained}, judged by {judged})")
    return late, unordered


def _disorder(table: pd.DataFrame, part_of: Sequence[str], *, promised: bool) -> Iterator[str]:
    """Training on later visits, in words: a leak where the protocol promised an order, else a remark."""
    late, unordered = _later(table, part_of)
    if late:
        what = "training on the future of a person"
        if not promised:
            what = ": trained on visits after tested ones of the same person"
        yield f"{what}: {first_few(late)}"
    if unordered:
        what = "the order of the visits is not known of"
        if not promised:
            what = ": visits of one person train and are tested, and their order is not known:"
        yield f"{what} {first_few(unordered)}; {REMEDY}"


def _duplicated(ids: Iterable[str], hashes: Iterable[str], part_of: Sequence[str]) -> list[str]:
    owners: dict[str, list[str]] = defaultdict(list)
    for recording, digest, part in zip(ids, hashes, part_of, strict=True):
        if digest:
            owners[digest].append(f"{recording} ({part})")
    copies = [" = ".join(who) for who in owners.values() if len(who) > 1]
    return [f"the same file content under two ids: {first_few(copies)}; keep one of each"] if copies else []


def _uncompared(subjects: Sequence[str], hashes: Sequence[str]) -> Iterator[str]:
    """What no check could compare, in words."""
    if count := sum(not digest for digest in hashes):
        yield f": {count} recording(s) without a content hash were not compared; read them with probe=True"
    if count := sum(subject == UNKNOWN for subject in subjects):
        yield (
            f" is unauditable: {count} recording(s) of subject '{UNKNOWN}' may show one person on both sides"
        )
