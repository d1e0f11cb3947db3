"""Overlap of persons between the parts of a split."""

import logging
from dataclasses import dataclass

import pandas as pd

from datamodules.manifests.manifest import Manifest
from datamodules.schema import UNKNOWN
from datamodules.splits.partition import PARTS, Split

_log = logging.getLogger(__name__)

_NAMED = 10  # persons a log names: enough to look them up, few enough to read

Matrix = dict[str, dict[str, int]]


@dataclass(frozen=True)
class PersonOverlap:
    """Persons by part, and those in several.

    Attributes:
        matrix: Part -> part -> persons with recordings in both; the diagonal counts the persons of a part.
        shared: Ids of persons in several parts, sorted.
        unknown: Recordings of the split whose person nobody knows.
    """

    matrix: Matrix
    shared: tuple[str, ...]
    unknown: int

    def as_dict(self) -> dict[str, object]:
        """Counts for the run's record; nobody is named in it."""
        return {"persons": self.matrix, "unknown_recordings": self.unknown}

    def log(self, manifest: str, split: str) -> None:
        """Print the matrix, and at most ten of the shared persons; shared persons are a warning."""
        level = logging.WARNING if self.shared else logging.INFO
        table = pd.DataFrame(self.matrix).to_string()
        _log.log(level, "%s, split '%s': persons with recordings in both parts\n%s", manifest, split, table)
        if self.shared:
            rest = len(self.shared) - _NAMED
            named = ", ".join(self.shared[:_NAMED]) + (f" and {rest} more" if rest > 0 else "")
            _log.warning("%d person(s) are in several parts: %s", len(self.shared), named)


def person_overlap(manifest: Manifest, split: Split) -> PersonOverlap:
    """Compare the known persons of the three parts of a split."""
    table = manifest.table
    people = {part: _people(table, getattr(split, part)) for part in PARTS}
    known = {part: names - {UNKNOWN} for part, names in people.items()}
    matrix = {a: {b: len(known[a] & known[b]) for b in PARTS} for a in PARTS}
    everybody = [name for names in known.values() for name in names]
    shared = sorted({name for name in everybody if everybody.count(name) > 1})
    used = table["recording_id"].isin({*split.train, *split.val, *split.test})
    unknown = int((used & (table["subject_id"] == UNKNOWN)).sum())
    return PersonOverlap(matrix, tuple(shared), unknown)


def _people(table: pd.DataFrame, ids: tuple[str, ...]) -> set[str]:
    return set(table.loc[table["recording_id"].isin(set(ids)), "subject_id"])
