"""Salted digests of the persons and files a checkpoint has seen, and a check of other data against them.

The salt follows from the data, so that a repeated run writes the same bytes, and lies in the checkpoint. So
checkpoints of different data cannot be compared, and nobody can look an id up in a table made before; but
who holds the checkpoint and guesses an id, such as `001`, can check the guess. Fingerprints of content (see
`datamodules.split_leakage.file_content`) tell when something moved, not what a face looks like. Recording ids
are in the checkpoint as they are: no names belong in them.
"""

import hashlib
import hmac
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from datamodules.manifests.made_up import truth_of
from datamodules.manifests.manifest import Manifest
from datamodules.manifests.spelling import folded
from datamodules.schema import UNKNOWN
from datamodules.split_leakage.file_content import Content, contents
from datamodules.split_leakage.near_duplicates import pairs_of, report_uncompared
from datamodules.splits.partition import Split

PARTS = ("train", "val")


class BadMemory(ValueError):
    """What a checkpoint says of the persons and files it has seen is not of the form that a run writes."""


@dataclass(frozen=True)
class Met:
    """Recordings of a manifest that a network has seen, found by person, by bytes or by content."""

    persons: tuple[str, ...]
    files: tuple[str, ...]
    alike: tuple[str, ...]


def memory(manifest: Manifest, split: Split) -> dict[str, Any]:
    """The digests and fingerprints of each part that a run writes into its checkpoints, with their salt."""
    salt = hashlib.sha256(f"seen|{manifest.digest()}".encode()).hexdigest()[:32]
    seal = _sealer(salt)
    person_of = dict(zip(manifest.table["recording_id"], _persons(manifest), strict=True))
    found: dict[str, Any] = {"salt": salt}
    for part in PARTS:
        ids = getattr(split, part)
        files = [one for own in contents(manifest, ids).values() for one in own]
        found[part] = {
            "persons": sorted({seal(person_of[name]) for name in ids if person_of[name]}),
            "files": [replace(one, sha256=seal(one.sha256)).packed() for one in files],
        }
    return found


def met(seen: Mapping[str, Any], manifest: Manifest, ids: Sequence[str], parts: Iterable[str] = PARTS) -> Met:
    """Which recordings of a manifest show persons or contents that trained or selected a network.

    Args:
        seen: From `memory`.
        manifest: The recordings.
        ids: Which of them are asked about.
        parts: Which memories count.

    Raises:
        BadMemory: `seen` was not made by `memory`.
    """
    try:
        seal = _sealer(str(seen["salt"]))
        known = {digest for part in parts for digest in seen[part]["persons"]}
        stored = [Content.unpacked(one) for part in parts for one in seen[part]["files"]]
    except (KeyError, TypeError, ValueError, AttributeError) as fault:
        raise BadMemory(f"what it remembers of persons and files cannot be read ({fault})") from fault
    person_of = dict(zip(manifest.table["recording_id"], _persons(manifest), strict=True))
    asked = contents(manifest, ids)
    report_uncompared(asked)
    sealed = {name: [replace(one, sha256=seal(one.sha256)) for one in own] for name, own in asked.items()}
    pairs = pairs_of({str(number): [one] for number, one in enumerate(stored)}, sealed)
    same = {pair.second for pair in pairs if pair.why == "the same file"}
    near = {pair.second for pair in pairs} - same
    persons = tuple(name for name in ids if person_of[name] and seal(person_of[name]) in known)
    return Met(
        persons, tuple(name for name in ids if name in same), tuple(name for name in ids if name in near)
    )


def _persons(manifest: Manifest) -> list[str]:
    """A key a row, the same for all spellings of a person; "" where nobody knows who it is.

    Persons of a synthetic cohort are those of that cohort alone: all cohorts number theirs alike.
    """
    drawn = truth_of(manifest.root)  # not `manifest.truth`, which leaves with the labels
    cohort = "" if drawn is None else f"{manifest.root.name}:"
    keys = {name: cohort + folded(name) for name in set(manifest.table["subject_id"])}
    return ["" if name == UNKNOWN else keys[name] for name in manifest.table["subject_id"]]


def _sealer(salt: str) -> Callable[[str], str]:
    key = bytes.fromhex(salt)
    return lambda text: hmac.new(key, text.encode(), hashlib.sha256).hexdigest()[:32]
