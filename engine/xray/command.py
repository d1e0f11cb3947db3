"""What `python -m datamodules.checks.validate xray=true` calls."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pandas as pd

from datamodules.checks.describe import Section
from datamodules.manifests.manifest import Manifest, ManifestError
from datamodules.sources.shared.draft import SourceError
from datamodules.xray.lenient_table import lenient_table
from engine.xray.examine import examine
from engine.xray.report import sections


def xray_sections(
    found: Manifest | None,
    *,
    manifest: Path | None,
    root: Path | None,
    reread: Callable[[], Manifest],
    refused: str,
    file: Path | None,
) -> list[Section]:
    """X-ray a corpus and return the sections of its report.

    Args:
        found: What was read; None where it was refused, which must not hide the defect behind it.
        manifest: The table that was named, if any.
        root: The folder that was named, if any.
        reread: Read again without opening a file, which may go well where the rest was refused.
        refused: Why it was refused.
        file: Where to write the answer as JSON.
    """
    if found is None:
        try:
            found = reread()
        except (SourceError, ManifestError):
            found = None
    table: pd.DataFrame | None = None
    if found is not None:
        table, folder = found.table, found.root
    elif manifest is not None:
        table, folder = lenient_table(manifest), manifest.parent
    elif root is not None and root.is_dir():
        folder = root
    else:
        return []
    if table is None and manifest is not None:
        return []  # no table: its folder may hold anything
    answer = examine(table, root=folder.resolve(), manifest=found, below=manifest is None)
    answer = replace(answer, refused=refused)
    if file is not None:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(json.dumps(answer.plain(), indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    return sections(answer)
