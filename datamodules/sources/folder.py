"""Any folder of videos or series with a table of labels, for one's own recordings without a manifest.

The table has one line a file: `file` (relative to the folder) and `subject`, and may have `session`, `scale`,
`score` and every other column of a manifest under its own name; one with `recording_id` is a manifest.
"""

from pathlib import Path

from datamodules.manifests.manifest import Manifest, read_manifest
from datamodules.sources.shared.corpus_folder import leave_out, visible
from datamodules.sources.shared.draft import Draft, SourceError, existing_folder
from datamodules.sources.shared.label_table import read_labels

_SERIES = frozenset({".csv", ".npy", ".npz", ".parquet"})
_VIDEOS = frozenset({".avi", ".m4v", ".mkv", ".mov", ".mp4", ".mpeg", ".mpg", ".webm", ".wmv"})
_COLUMNS = {"file": ["file", "filename", "path"], "subject_id": ["subject", "subject_id"]}
_SESSION = "1"  # nobody said that files are of several visits, so they are of one


def read(
    *, root: str | Path, probe: bool = True, table: str = "labels.csv", scale: str | None = None
) -> Manifest:
    """One recording a line; files that no line names are listed as left out.

    Args:
        root: The folder; it gives the manifest its name.
        probe: As in `read_manifest`.
        table: Name of the table in it.
        scale: Questionnaire of the column `score`, where the table has no column `scale`.

    Raises:
        SourceError: No table, one without `file` or `subject`, or a scale given twice.
        ManifestError: A file that is not there or named twice, an empty subject, or labels out of range.
    """
    folder = existing_folder(root)
    path = folder / table
    if not path.is_file():
        raise SourceError(
            f"{path}: no such table, and nobody is in a video by its name alone; write it with the header "
            "'file,subject,scale,score', one line a file, 'unknown' where the person is not known"
        )
    columns = {name.lower() for name in read_labels(path, {}).columns}
    if scale is not None and "scale" in columns:
        raise SourceError(f"{path}: has a column 'scale', so leave out scale={scale}")
    if "recording_id" in columns:
        return read_manifest(path, probe=probe)
    labels = read_labels(path, _COLUMNS, optional={"session_id": ["session", "session_id"]})
    draft = Draft(name=folder.name or "folder", root=folder, table=path)
    for cells in labels.to_dict("records"):
        line = {str(name): cell for name, cell in cells.items()}
        file = Path(line.pop("file"))
        kind = "series_path" if file.suffix.lower() in _SERIES else "path"
        row = {"session_id": _SESSION, "path": "", **line, kind: file.as_posix()}
        if scale is not None:
            row["scale"] = scale
        draft.rows.append({"recording_id": file.with_suffix("").as_posix().replace("/", "_"), **row})
    _note_others(draft, path)
    return draft.manifest(probe=probe)


def _note_others(draft: Draft, table: Path) -> None:
    named = {draft.root / (row.get("series_path") or row["path"]) for row in draft.rows} | {table}
    others = [
        file.relative_to(draft.root).as_posix()
        for file in visible(draft.root, "**/*")
        if file.suffix.lower() in _SERIES | _VIDEOS
        and file not in named
        and not file.name.endswith(".probe.csv")
    ]
    leave_out(draft, "extra_file", others, f"no line of {table.name} names it")
