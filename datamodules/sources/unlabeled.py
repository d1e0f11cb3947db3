"""Recordings without a table: a video, a series, or all of them below a folder; persons are unknown."""

import logging
import os
from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from datamodules.manifests.manifest import Manifest, manifest_from_table, read_manifest
from datamodules.manifests.preprocessing import FILE
from datamodules.schema import UNKNOWN
from datamodules.sources.shared.download import is_hidden
from datamodules.sources.shared.draft import SourceError
from datamodules.wording import first_few

_log = logging.getLogger(__name__)

VIDEOS = (".mp4", ".mkv", ".mov", ".avi", ".webm", ".m4v", ".mpg", ".mpeg", ".ts", ".wmv")
SERIES = (".npz",)
TABLES = (".csv", ".parquet")
_OF_CACHE = "manifest.csv"


def input_manifest(
    path: Path, *, notes: Path, kinds: Sequence[str] = (*VIDEOS, *SERIES), probe: bool = True
) -> Manifest:
    """The manifest that a path stands for: itself, one video, or all videos below a folder but hidden ones.

    Videos without a manifest have unknown persons: each is a person of its own.

    Args:
        path: Video, series, folder or manifest; the folder of a cache stands for its manifest.
        notes: Folder for what is found out about the files; theirs is left as it is.
        kinds: Suffixes of the files that are taken from a folder; none where a table must name them.
        probe: As in `read_manifest`.

    Raises:
        SourceError: No such path, or nothing in it that can be read.
    """
    if (path / FILE).is_file() and (path / _OF_CACHE).is_file():
        path = path / _OF_CACHE
    if path.suffix.lower() in TABLES and path.is_file():
        return read_manifest(path, probe=probe)
    if path.is_dir() and not kinds:
        raise SourceError(
            f"input={path}: this network reads feature sets; give a table ({', '.join(TABLES)}) that names "
            "their files in columns features_<set>"
        )
    root = path if path.is_dir() else path.parent
    found = [path]
    if path.is_dir():
        named = sorted(file for file in path.rglob("*") if file.suffix.lower() in kinds)
        found = [file for file in named if file.is_file() and not is_hidden(file, path)]
        if odd := [file for file in found if _printable(file) != str(file)]:
            _log.warning(
                "names that are not in UTF-8 are left out, rename them (convmv -f latin1 -t utf8): %s",
                first_few([_printable(file) for file in odd]),
            )
            found = [file for file in found if file not in odd]
        if lost := [str(file) for file in named if file.is_symlink() and not file.exists()]:
            _log.warning("links that lead nowhere are left out: %s", first_few(lost))
    files = [file for file in found if file.suffix.lower() in (*VIDEOS, *SERIES)]
    if not files or not files[0].is_file():
        what = (
            "no video" if set(VIDEOS) <= set(kinds) else f"no series ({SERIES[0]}), which this network reads,"
        )
        raise SourceError(
            f"input={path}: {what} there. Give a video ({', '.join(VIDEOS[:4])}, ...), a series "
            f"({SERIES[0]}), a folder of them, or a manifest (.csv, .parquet)."
        )
    names = [file.relative_to(root).with_suffix("").as_posix() for file in files]
    if len(set(names)) < len(names):  # a.mp4 beside a.mov
        names = [file.relative_to(root).as_posix() for file in files]
    paths = pd.Series([str(file.resolve()) for file in files])
    series = pd.Series([file.suffix.lower() in SERIES for file in files])
    table = pd.DataFrame({"recording_id": names, "subject_id": UNKNOWN, "session_id": names})
    table["path"] = paths.mask(series, "")
    if series.any():
        table["series_path"] = paths.where(series, "")
    return manifest_from_table(table, root=notes, name="input", probe=probe)


def _printable(path: Path) -> str:
    """The path with a mark for each byte that is no text."""
    return os.fsencode(path).decode("utf-8", "replace")
