"""Overlap of persons between the parts of a split."""

import logging
from collections import Counter
from dataclasses import dataclass

import pandas as pd

from datamodules.manifests.manifest import Manifest
from datamodules.schema import UNKNOWN
from datamodules.splits.partition import PARTS, Split
from datamodules.wording import first_few

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class PersonOverlap:
    """Persons by part, and those in several.

    Attributes:
        matrix: Part -> part -> persons with recordings in both; the diagonal counts the persons of a part.
        shared: Ids of persons in several parts, sorted.
        unknown: Recordings of the split whose person nobody knows.
    """

    matrix: dict[str, dict[str, int]]
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
            _log.warning("%d person(s) are in several parts: %s", len(self.shared), first_few(self.shared))


def person_overlap(manifest: Manifest, split: Split) -> PersonOverlap:
    """Compare the known persons of the three parts of a split."""
    table = manifest.table
    part_of = table["recording_id"].map(
        {recording: part for part in PARTS for recording in getattr(split, part)}
    )
    unknown = table["subject_id"] == UNKNOWN
    known = {part: set(table.loc[(part_of == part) & ~unknown, "subject_id"]) for part in PARTS}
    matrix = {a: {b: len(known[a] & known[b]) for b in PARTS} for a in PARTS}
    times = Counter(name for names in known.values() for name in names)
    shared = sorted(name for name, count in times.items() if count > 1)
    return PersonOverlap(matrix, tuple(shared), int((part_of.notna() & unknown).sum()))
