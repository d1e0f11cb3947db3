"""The leakage guard: what must never meet does not meet, or the run stops with the names of the offenders."""

import logging
import re
from collections import defaultdict
from collections.abc import Hashable, Iterable, Sequence
from typing import TYPE_CHECKING

from datamodules.identity import UNKNOWN, person_keys, visit_keys
from datamodules.visits import REMEDY, place_of_visits

if TYPE_CHECKING:
    import pandas as pd

    from datamodules.manifest import Manifest
    from datamodules.near_duplicates import Pair
    from datamodules.splits import Split

_log = logging.getLogger(__name__)

_SHOWN = 10  # offenders named per fault
# Names that carry the answer, or the person, whatever corpus they come from.
_LABELS = re.compile(
    r"item_.*|(.*_)?(score|label|total|severity)|binary|band|target|(bdi|phq|dass|hamd).*|(.*_)?id"
)


class LeakageError(ValueError):
    """The evaluation would measure something it has already seen."""


def check_split(
    manifest: "Manifest", split: "Split", *, subject_disjoint: bool, chronological: bool = False
) -> None:
    """Stop if a person, a visit, a recording or the bytes of a file sit on two sides of a split.

    Args:
        manifest: The table the split was made from.
        split: Recording ids of the three parts.
        subject_disjoint: Whether the protocol promises unseen people. Otherwise a person may be in several
            parts, but never one of their visits: all recordings of a visit share its label.
        chronological: Whether the protocol promises that nothing later than a tested visit of a person was
            learned from. Without that promise such visits are only reported.

    Raises:
        LeakageError: Names every offender of every kind.
    """
    parts = {"train": split.train, "val": split.val, "test": split.test}
    problems = _repeated(parts) + _foreign(manifest, parts) + _returned(split.left_out, parts)
    if not problems:
        sides = {recording: part for part, ids in parts.items() for recording in ids}
        table = manifest.table[manifest.table["recording_id"].isin(list(sides))]
        part_of = [sides[recording] for recording in table["recording_id"]]
        if subject_disjoint:
            problems += _shared("subject", table["subject_id"], person_keys(table), part_of)
        else:
            visits = (table["subject_id"] + "/" + table["session_id"]).tolist()
            problems += _shared("visit", visits, visit_keys(table), part_of)
            problems += _later(split.name, table, part_of, stop=chronological)
        hashes = table["content_hash"] if "content_hash" in table else [""] * len(table)
        problems += _duplicated(table["recording_id"], hashes, part_of)
        _report_unhashed(split.name, hashes)
        _report_unknown(split.name, table["subject_id"])
    if problems:
        listed = "\n".join(f"  - {problem}" for problem in problems)
        raise LeakageError(f"split '{split.name}' of {manifest.name} leaks:\n{listed}")


def check_content(manifest: "Manifest", split: "Split", pairs: Sequence["Pair"]) -> None:
    """Stop if two parts hold the same content, under whatever names; report what a part holds twice.

    Args:
        manifest: The table the split was made from.
        split: Recording ids of the three parts.
        pairs: Of all recordings, from `near_duplicates.duplicates`.

    Raises:
        LeakageError: Names the pairs.
    """
    apart, together = _across_parts(split, pairs)
    if together:
        _log.warning("split '%s': the same content twice in a part: %s", split.name, _some(together))
    if apart:
        raise LeakageError(
            f"split '{split.name}' of {manifest.name} leaks:\n  - the same content in two parts: "
            f"{_some(apart)}; "
            "keep one of each, or give both to one person and one part"
        )


def check_channels(names: Sequence[str]) -> None:
    """Stop if a label, a questionnaire item or an identifier is among the feature channels.

    Raises:
        LeakageError: Names the offending channels.
    """
    offenders = [name for name in names if _LABELS.fullmatch(name.strip().lower())]
    if offenders:
        raise LeakageError(
            f"feature channels that carry the label or the person: {_some(offenders)}; "
            "name the channels to use, or remove these columns from the series files"
        )


def check_selection(monitor: str) -> None:
    """Stop if checkpoints, early stopping or a sweep would select on anything but validation.

    Raises:
        LeakageError: The monitored quantity does not start with `val/`.
    """
    if not monitor.startswith("val/"):
        raise LeakageError(f"selection on '{monitor}'; choose a validation metric such as 'val/auc'")


def _across_parts(split: "Split", pairs: Sequence["Pair"]) -> tuple[list[str], list[str]]:
    """Pairs of a split in words: those on two sides of it, and those within a part."""
    part_of = {recording: part for part in ("train", "val", "test") for recording in getattr(split, part)}
    apart: list[str] = []
    together: list[str] = []
    for pair in pairs:
        sides = part_of.get(pair.first), part_of.get(pair.second)
        if None in sides:
            continue
        said = f"{pair.first} ({sides[0]}) = {pair.second} ({sides[1]}): {pair.why}"
        (together if sides[0] == sides[1] else apart).append(said)
    return apart, together


def _repeated(parts: dict[str, tuple[str, ...]]) -> list[str]:
    places: dict[str, list[str]] = defaultdict(list)
    for part, ids in parts.items():
        for recording in ids:
            places[recording].append(part)
    twice = [f"{recording} ({', '.join(where)})" for recording, where in places.items() if len(where) > 1]
    return [f"the same recording twice: {_some(twice)}"] if twice else []


def _returned(left_out: Sequence[str], parts: dict[str, tuple[str, ...]]) -> list[str]:
    back = sorted(set(left_out) & {recording for ids in parts.values() for recording in ids})
    return [f"recordings that a filter left out are back: {_some(back)}"] if back else []


def _foreign(manifest: "Manifest", parts: dict[str, tuple[str, ...]]) -> list[str]:
    known = set(manifest.table["recording_id"])
    foreign = [recording for ids in parts.values() for recording in ids if recording not in known]
    return [f"recordings that are not in the manifest: {_some(foreign)}"] if foreign else []


def _shared(what: str, names: Iterable[str], keys: Iterable[Hashable], part_of: Sequence[str]) -> list[str]:
    found: dict[Hashable, tuple[str, set[str]]] = {}
    for name, key, part in zip(names, keys, part_of, strict=True):
        found.setdefault(key, (name, set()))[1].add(part)
    shared = [f"{name} ({', '.join(sorted(where))})" for name, where in found.values() if len(where) > 1]
    return [f"a {what} in two parts: {_some(shared)}"] if shared else []


def _later(name: str, table: "pd.DataFrame", part_of: Sequence[str], *, stop: bool) -> list[str]:
    """Visits learned from although they came after a tested or selecting visit of the same person."""
    keys = visit_keys(table)
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
    if late and not stop:
        _log.warning(
            "split '%s': trained on visits after tested ones of the same person: %s", name, _some(late)
        )
    if unordered and not stop:
        _log.warning(
            "split '%s': visits of one person train and are tested, and their order is not known: %s; %s",
            name,
            _some(unordered),
            REMEDY,
        )
    problems = [f"training on the future of a person: {_some(late)}"] if late else []
    if unordered:
        problems.append(f"the order of the visits is not known of {_some(unordered)}; {REMEDY}")
    return problems if stop else []


def _duplicated(ids: Iterable[str], hashes: Iterable[str], part_of: Sequence[str]) -> list[str]:
    owners: dict[str, list[str]] = defaultdict(list)
    for recording, digest, part in zip(ids, hashes, part_of, strict=True):
        if digest:
            owners[digest].append(f"{recording} ({part})")
    copies = [" = ".join(who) for who in owners.values() if len(who) > 1]
    return [f"the same file content under two ids: {_some(copies)}; keep one of each"] if copies else []


def _report_unknown(name: str, subjects: Iterable[str]) -> None:
    count = sum(subject == UNKNOWN for subject in subjects)
    if count:
        _log.warning(
            "split '%s' is unauditable: %d recording(s) of subject '%s' may show one person on both sides",
            name,
            count,
            UNKNOWN,
        )


def _report_unhashed(name: str, hashes: Iterable[str]) -> None:
    count = sum(not digest for digest in hashes)
    if count:
        _log.warning(
            "split '%s': %d recording(s) without a content hash were not compared; read them with probe=True",
            name,
            count,
        )


def _some(names: Sequence[str]) -> str:
    rest = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return ", ".join(names[:_SHOWN]) + rest
