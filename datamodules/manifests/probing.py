"""Facts of files that a manifest omits, measured once: counts, rates, sizes, brightness, hashes."""

import hashlib
import logging
import os
from collections.abc import Collection, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Lock

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray
from torch import Tensor

from datamodules.manifests.columns import feature_columns
from datamodules.progress import Progress
from datamodules.readers import UnreadableVideo, VideoReader, open_video
from datamodules.readers.index.index_cache import packet_index
from datamodules.series import UnreadableSeries, is_series, read_feature_set, series_size
from datamodules.user_cache import cache_folder
from datamodules.wording import first_few

_log = logging.getLogger(__name__)

FACTS = ("fps", "n_frames", "width", "height", "duration_s", "brightness")  # floats
# Facts that may be stated, and our choice of how far from the file's: containers round and count roughly.
_STATED = {"n_frames": 0.02, "fps": 0.03, "width": 0.0, "height": 0.0, "duration_s": 0.05}
_OF_SERIES = ("fps", "n_frames", "duration_s")
HASH = "content_hash"
_REMARK = "remark"  # what speaks against a file, told at every start; no fact of the table
_STORED = (*FACTS, HASH, _REMARK)
_COLUMNS = ("path", "size", "mtime_ns", *_STORED, "seal")  # of the sidecar
# Frames per second that a recording of a person can have (our choice, the same as a manifest may state).
SLOWEST, FASTEST = 0.1, 1000.0
_THREADS = 4  # our choice: hashing and decoding release the interpreter lock, disks dislike more
# NumPy parses the header of an array as Python text, and the parser of CPython 3.11 and 3.12 counts its depth
# for all threads together (gh-106905): two headers at once can end in a SystemError.
HEADERS = Lock()
_DIGITS = 6  # brightness is a nuisance variable; more digits would only tie digests to a decoder

Facts = dict[str, float | str]


def facts_file(root: Path, name: str) -> Path:
    """Where facts about the files of a table are kept: in the user's cache, by a digest of its place."""
    place = hashlib.sha256(f"{root.resolve()}\x1f{name}".encode()).hexdigest()
    return cache_folder("facts") / f"{place}.csv"


def fill_facts(table: pd.DataFrame, *, root: Path, sidecar: Path) -> pd.DataFrame:
    """Return the table with its missing facts filled; what is stated is never overwritten.

    A file that cannot be read keeps `n_frames` missing and is named in the log: whether that stops the run is
    decided where its frames are needed. Its bytes are hashed all the same. Of a recording that has feature
    sets alone, every set is read.

    Args:
        table: A validated manifest table.
        root: Folder the paths start at.
        sidecar: CSV that keeps the facts by (path, size, modification time).
    """
    for name in FACTS:
        if name not in table:
            table = table.assign(**{name: np.nan})
    if HASH not in table:
        table = table.assign(**{HASH: ""})
    other = table["path"].where(table["path"] != "", table.get("series_path", "")).tolist()
    sets = _sets_of(table, other)
    named = [one or next(iter(sets.get(row, ())), "") for row, one in enumerate(other)]
    # of stored tokens alone there is nothing to be read: `encode.py` has written what it knows
    rows = [row for row in np.flatnonzero(_incomplete(table)).tolist() if named[row]]
    if not rows:
        return table
    files = {row: str(named[row]) for row in rows}
    of_sets = {file for row in rows for file in sets.get(row, ())}
    facts = _probe_all(sorted({*files.values(), *of_sets}), root=root, sidecar=sidecar, sets=of_sets)
    # the rows of a set are no frames of the recording: stated ones contradict nothing
    _say_contradictions(table, {row: file for row, file in files.items() if file not in of_sets}, facts)
    columns = {name: table[name].tolist() for name in (*FACTS, HASH)}
    for row, file in files.items():
        faulty = any("n_frames" not in facts.get(one, {}) for one in sets.get(row, ()))
        for name, value in facts.get(file, {}).items():
            if name in columns and _is_missing(columns[name][row]) and not (faulty and name in _OF_SERIES):
                columns[name][row] = value
    return table.assign(**columns)


def _sets_of(table: pd.DataFrame, other: Sequence[str]) -> dict[int, list[str]]:
    """Row -> files of its feature sets, of the rows that have neither a video nor a series."""
    found: dict[int, list[str]] = {}
    for name in feature_columns(table):
        for row, file in enumerate(table[name].tolist()):
            if file and not other[row]:
                found.setdefault(row, []).append(file)
    return found


def _say_contradictions(table: pd.DataFrame, files: dict[int, str], facts: dict[str, Facts]) -> None:
    """Warn of stated lengths, rates and sizes that are not those of the files; what is stated is used."""
    for name, share in _STATED.items():
        stated = {row: float(table[name].iloc[row]) for row in files}
        told = [
            f"row {row + 1} ({file}) states {stated[row]:g}, the file {found:g}"
            for row, file in files.items()
            if isinstance(found := facts.get(file, {}).get(name), float)
            and abs(stated[row] - found) > max(share * found, 1e-9)
        ]
        if told:
            _log.warning(
                "'%s' is not that of the files: %s; correct it, or leave it empty to have it read",
                name, first_few(told, 5, between="; "),
            )  # fmt: skip


def _incomplete(table: pd.DataFrame) -> NDArray[np.bool_]:
    """Rows (N,) that lack a fact their file can give; a series has neither size nor brightness."""
    video = (table["path"] != "").to_numpy()
    lacks = (table[HASH] == "").to_numpy()
    for name in FACTS:
        absent = table[name].isna().to_numpy()
        lacks = lacks | (absent if name in _OF_SERIES else absent & video)
    return lacks


def _is_missing(value: object) -> bool:
    return value == "" or (isinstance(value, float) and bool(np.isnan(value)))


def _probe_all(files: list[str], *, root: Path, sidecar: Path, sets: Collection[str]) -> dict[str, Facts]:
    cached = _read_sidecar(sidecar)
    keys = {file: _key(root, file) for file in files}
    facts = {file: cached[key] for file, key in keys.items() if key in cached}
    for file, known in facts.items():
        if _REMARK in known:
            _log.warning("%s: %s", root / file, known[_REMARK])
    todo = [file for file in files if file not in facts]
    if not todo:
        return facts
    try:
        with ThreadPoolExecutor(_THREADS) as pool:
            probed = pool.map(lambda file: (_probe_set if file in sets else _probe)(root / file), todo)
            for file, found in zip(
                todo, Progress(probed, total=len(todo), desc="Probing files"), strict=True
            ):
                facts[file] = found
                if "n_frames" in found:  # a faulty file is tried again next time: it may have been repaired
                    cached[keys[file]] = found
    finally:
        _write_sidecar(sidecar, cached)  # also when interrupted: hours of reading may lie behind
    return facts


def _key(root: Path, file: str) -> tuple[str, int, int]:
    status = (root / file).stat()
    return file, status.st_size, status.st_mtime_ns


def _probe(file: Path) -> Facts:
    facts: Facts = {HASH: sha256(file)}
    try:
        facts |= _series_facts(file) if is_series(file) else _video_facts(file)
    except (UnreadableSeries, UnreadableVideo, OSError) as fault:
        _log.warning("%s cannot be read: %s", file, fault)
    return facts


def sha256(file: Path) -> str:
    """SHA-256 of the bytes of a file."""
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _video_facts(file: Path) -> Facts:
    with open_video(file) as reader:
        count = reader.n_frames
        frames = _some_frames(reader)
        facts: Facts = {
            "n_frames": float(count),
            "width": float(reader.width),
            "height": float(reader.height),
            "brightness": round(float(frames.float().mean()) / 255, _DIGITS),
        }
        remarks = list(packet_index(file).remarks)
        if SLOWEST <= reader.fps <= FASTEST:
            facts |= {"fps": float(reader.fps), "duration_s": round(count / reader.fps, _DIGITS)}
        else:
            remarks.append(
                f"its clock gives {reader.fps:.6g} frames/s, and cameras have {SLOWEST:g} to {FASTEST:g}, so "
                "'fps' and 'duration_s' stay empty. State them in the manifest, or write the file again with "
                "its true rate (ffmpeg -r RATE -i IN OUT.mp4)"
            )
            _log.warning("%s: %s", file, remarks[-1])
        return facts | ({_REMARK: ". ".join(remarks)} if remarks else {})


def _some_frames(reader: VideoReader) -> Tensor:
    """Return three frames of a video, or those of them that are intact.

    Raises:
        UnreadableVideo: if none is.
    """
    count = reader.n_frames
    wanted = sorted({count // 4, count // 2, 3 * count // 4})
    try:
        return reader.frames(wanted)
    except UnreadableVideo as fault:
        _log.warning("%s", fault)  # damage costs the frames it touches, not the file
        first = fault
    intact = []
    for index in wanted:
        try:
            intact.append(reader.frames([index]))
        except UnreadableVideo:
            continue
    if not intact:
        raise first
    return torch.cat(intact)


def _series_facts(file: Path) -> Facts:
    with HEADERS:
        rows, fps = series_size(file)
    facts: Facts = {"n_frames": float(rows)}
    if fps:
        facts |= {"fps": fps, "duration_s": round(rows / fps, _DIGITS)}
    return facts


def _probe_set(file: Path) -> Facts:
    """Rows and duration of a feature set; its rate is not that of the recording, which others may need."""
    facts: Facts = {HASH: sha256(file)}
    try:
        with HEADERS:
            series = read_feature_set(file)
    except (UnreadableSeries, OSError) as fault:
        _log.warning("%s cannot be read: %s", file, fault)
        return facts
    facts["n_frames"] = float(len(series.values))
    if series.fps:
        facts["duration_s"] = round(len(series.values) / series.fps, _DIGITS)
    return facts


def _read_sidecar(sidecar: Path) -> dict[tuple[str, int, int], Facts]:
    """Facts of earlier starts; a row that is not what was written is left out, and its file read again."""
    if not sidecar.is_file():
        return {}
    try:
        table = pd.read_csv(sidecar, dtype=str, keep_default_na=False)
        rows = [row for row in zip(*(table[name] for name in _COLUMNS), strict=True) if _seal(row) == row[-1]]
    except (KeyError, ValueError, OSError) as fault:
        _log.warning("%s is not a table of facts (%s); reading the files again", sidecar, fault)
        return {}
    if len(rows) < len(table):
        _log.warning("%s: %d row(s) damaged; reading these files again", sidecar, len(table) - len(rows))
    return {(row[0], int(row[1]), int(row[2])): _facts(row[3:-1]) for row in rows}


def _facts(cells: tuple[str, ...]) -> Facts:
    stated = {name: cell for name, cell in zip(_STORED, cells, strict=True) if cell}
    return {name: float(cell) if name in FACTS else cell for name, cell in stated.items()}


def _write_sidecar(sidecar: Path, facts: dict[tuple[str, int, int], Facts]) -> None:
    cells = [
        (*map(str, key), *(str(found.get(name, "")) for name in _STORED), "")
        for key, found in sorted(facts.items())
    ]
    table = pd.DataFrame([(*row[:-1], _seal(row)) for row in cells], columns=_COLUMNS)
    # Written aside and moved: several processes may start on the same folder at once.
    partial = sidecar.with_suffix(f".{os.getpid()}.part")
    try:
        partial.parent.mkdir(parents=True, exist_ok=True)
        table.to_csv(partial, index=False)
        partial.replace(sidecar)
    except OSError as fault:
        partial.unlink(missing_ok=True)
        _log.warning("%s cannot be written (%s): the next start reads all files again", sidecar, fault)


def _seal(row: tuple[str, ...]) -> str:
    """Digest of a row without its last cell, which holds it: a table on disk may be cut or damaged."""
    return hashlib.sha256("\x1f".join(row[:-1]).encode()).hexdigest()[:16]
