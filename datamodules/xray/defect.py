"""The record that every detector returns."""

from collections.abc import Iterable
from dataclasses import dataclass

from datamodules.xray.measured import Measured

KINDS = (
    "zero_bytes", "constant", "frozen", "repeated", "two_persons", "time_base",
    "site", "genre", "trait", "metadata", "file_name",
)  # fmt: skip
CONTENT = KINDS[:6]
"""Kinds that lie in the files; the others lie in how the table goes with the label."""


@dataclass(frozen=True, kw_only=True)
class Defect:
    """A defect of one kind: what it is in a sentence, in which recordings and in which files."""

    kind: str
    text: str
    recordings: tuple[str, ...]
    files: tuple[str, ...] = ()

    @property
    def where(self) -> list[str]:
        """Recordings and files, each once."""
        return list(dict.fromkeys([*self.recordings, *self.files]))


def defect_of(kind: str, text: str, found: Iterable[Measured]) -> Defect:
    """A defect of these files and of the recordings that name them."""
    listed = list(found)
    owners = dict.fromkeys(owner for one in listed for owner in one.owners)
    return Defect(
        kind=kind, text=text, recordings=tuple(owners), files=tuple(dict.fromkeys(one.file for one in listed))
    )
