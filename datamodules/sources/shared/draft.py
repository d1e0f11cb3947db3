"""The draft of a manifest that every source fills, and the error of a download that is not the corpus."""

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pandas as pd

from datamodules.manifests.errata import Erratum
from datamodules.manifests.manifest import Manifest, manifest_from_table

_ARCHIVES = (".zip", ".gz", ".tgz", ".tar", ".7z", ".rar")


class SourceError(ValueError):
    """A download that is not the corpus it should be; the message names file, fault and remedy."""


@dataclass(kw_only=True)
class Draft:
    """A manifest in the making: rows as dicts, corrections that were made, remarks for the report.

    Args:
        name: Name of the manifest, e.g. `daic_woz`.
        root: Folder the paths in the rows start at.
        table: The file that the rows were read from, where it is one; errors name it.
    """

    name: str
    root: Path
    table: Path | None = None
    rows: list[dict[str, Any]] = field(default_factory=list)
    errata: list[Erratum] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def subjects(self, part: str) -> set[str]:
        """Subject ids of one official part."""
        return {str(row["subject_id"]) for row in self.rows if row["split"] == part}

    def correct(self, rule: str, where: str, change: str) -> None:
        """Note a correction."""
        self.errata.append(Erratum(rule=rule, where=where, change=change))

    def manifest(self, *, probe: bool) -> Manifest:
        """Validate the rows; what is wrong in them is raised as `ManifestError`.

        Raises:
            SourceError: There is no row.
        """
        if not self.rows:
            packed = sorted(
                path.name for path in self.root.glob("*") if path.suffix in _ARCHIVES and path.name[0] != "."
            )
            remedy = f"unpack the archives first ({', '.join(packed[:3])})" if packed else "correct root"
            raise SourceError(
                f"{self.root}: no recording of {self.name} found; is this the folder it was unpacked to? "
                f"If so, {remedy}"
            )
        table = pd.DataFrame(self.rows, dtype=object).assign(corpus=self.name)
        where = self.table or self.root
        found = manifest_from_table(table, root=self.root, name=self.name, probe=probe, where=where)
        return replace(found, errata=tuple(self.errata), notes=tuple(self.notes))


def existing_folder(root: str | Path) -> Path:
    """The folder, absolute.

    Raises:
        SourceError: It is not there.
    """
    folder = Path(root).resolve()
    if not folder.is_dir():
        raise SourceError(f"{folder}: no such folder; give the folder the corpus was unpacked to")
    return folder
