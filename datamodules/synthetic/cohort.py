"""The synthetic longitudinal cohort as a data set: made on first use, kept, and the same every time."""

from __future__ import annotations

import ast
import functools
import hashlib
import json
import logging
import multiprocessing
import os
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any, Literal

import pandas as pd

from datamodules.manifests.made_up import mark
from datamodules.manifests.manifest import Manifest, read_manifest
from datamodules.processes import die_with
from datamodules.progress import Progress
from datamodules.synthetic.files import put, sweep
from datamodules.synthetic.latent import LatentSettings, Visit, draw_cohort
from datamodules.synthetic.questionnaire import Prevalence
from datamodules.synthetic.recording import (
    CohortSettings,
    read_entry,
    recording_id,
    write_recording,
    write_recordings,
)
from datamodules.synthetic.room.recording import FOLDER as ROOMS
from datamodules.synthetic.room.recording import RoomCohort, write_room, write_rooms

_log = logging.getLogger(__name__)

_FOLDERS = ("series", "landmarks", "videos", "entries")
_GENERATOR = [
    *("latent", "acts", "behavior", "appearance", "geometry", "face", "prevalence", "questionnaire", "video"),
    "recording",
]
_ROOM = [
    f"room/{name}" for name in ("script", "occluder", "backdrop", "person", "truth", "room", "recording")
]
_REPOSITORY = Path(__file__).resolve().parents[2]  # or where the package is installed, without data
_SCENES = {"portrait": CohortSettings, "room": RoomCohort}
_BATCH = 8  # recordings a worker takes at a time


def synthetic_manifest(
    *,
    root: str | Path,
    n_subjects: int,
    n_visits: int,
    fps: float,
    duration_s: float,
    size: int | None,
    confound: float,
    habit_visibility: float,
    seed: int,
    heterogeneity: float = 0.3,
    facial_heterogeneity: float = 0.0,
    stability: float = 0.15,
    movement: float = 0.0,
    drift: float = 0.0,
    interaction: float = 0.0,
    prevalence: Prevalence = "standard",
    landmarks: bool = True,
    scene: Literal["portrait", "room"] = "portrait",
    workers: int | None = None,
) -> Manifest:
    """Make the synthetic cohort, or find it already made, and return its manifest.

    The cohort lies in ``root/<fingerprint of all settings>``. What is finished there is kept: an interrupted
    call goes on where it stopped, a file that is missing or not what was made is made again, and a second
    call makes nothing.

    Args:
        root: folder of all cohorts.
        n_subjects: number of persons.
        n_visits: visits per person.
        fps: frames per second.
        duration_s: longest recording in seconds; recordings keep 90-100 % of it.
        size: side of the videos in pixels (even); 0 or None makes series and landmarks only. Of a room it is
            the height, and the width is a third more.
        confound: spread of the habits on the channels that severity moves; 0 is off.
        habit_visibility: share (0-1) of a habit that shows in channels that severity leaves alone.
        seed: same settings and seed, same cohort.
        heterogeneity: how much persons of equal severity differ in their symptoms (0-1).
        facial_heterogeneity: how much faces of equal severity differ by the symptoms behind it (0-1).
        stability: share (0-0.9) of the variance of severity that lies between persons.
        movement: share (0-1) of habits and of the effect of severity that lies in movement; 0 has no acts.
        drift: how much habits wander between visits (0-1).
        interaction: how much a person's style scales the effect of severity; 0 is the same for everyone.
        prevalence: `standard`, or `school` with symptoms as rare as among 11,427 pupils.
        landmarks: keep the landmarks, which take most of the time where no video is drawn; a room has none,
            but its whole truth.
        scene: `portrait`, or `room` with the same persons in larger scenes that preprocessing is for.
        workers: processes; all cores by default. The result does not depend on it.

    Raises:
        ValueError: a setting is out of its range.
    """
    # as numbers of one kind: `confound=1` and `confound=1.0` are one cohort
    latent = LatentSettings(
        n_subjects=n_subjects,
        n_visits=n_visits,
        fps=float(fps),
        duration_s=float(duration_s),
        confound=float(confound),
        habit_visibility=float(habit_visibility),
        seed=seed,
        facial_heterogeneity=float(facial_heterogeneity),
        stability=float(stability),
        movement=float(movement),
        drift=float(drift),
        interaction=float(interaction),
    )
    if scene not in _SCENES:
        raise ValueError(f"scene={scene!r}: choose {' or '.join(_SCENES)}")
    settings = _SCENES[scene](
        latent=latent,
        size=size or 0,
        heterogeneity=float(heterogeneity),
        prevalence=prevalence,
        landmarks=landmarks,
    )
    folder = Path(root) / fingerprint(settings)
    _write_tables(_made(settings, folder, workers or _cores()), folder)
    return replace(read_manifest(folder / "manifest.csv"), name="synthetic", synthetic=True)


def _made(settings: CohortSettings, folder: Path, workers: int) -> list[dict[str, Any] | None]:
    """Entries of all recordings, after those that are missing were written."""
    visits = draw_cohort(settings.latent)
    for name in ("", *_FOLDERS, ROOMS):
        sweep(folder / name)
    entries = {recording_id(visit): read_entry(folder, visit) for visit in visits}
    missing = [visit for visit in visits if entries[recording_id(visit)] is None]
    if missing:
        _prepare(folder, settings)
        _write_missing(missing, settings, folder, workers)
        entries |= {recording_id(visit): read_entry(folder, visit) for visit in missing}
    return list(entries.values())


def _cores() -> int:
    if hasattr(os, "sched_getaffinity"):  # knows the limits of a container; Linux only
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def fingerprint(settings: CohortSettings) -> str:
    """Twelve hex digits that change with every setting and with every change of the generator's code."""
    content = json.dumps(_recipe(settings), sort_keys=True)
    return hashlib.sha256(content.encode()).hexdigest()[:12]


def _recipe(settings: CohortSettings) -> dict[str, Any]:
    """All that decides what is made; that of a portrait knows nothing of rooms."""
    recipe = {"settings": asdict(settings), "generator": _generator()}
    return recipe | {"room": _digest(*_ROOM)} if isinstance(settings, RoomCohort) else recipe


def _generator() -> str:
    return _digest(*_GENERATOR)


@functools.cache  # the code as it was when it was loaded
def _digest(*names: str) -> str:
    """Digest of the code that decides what is drawn; comments and layout do not count.

    A version number by hand would be forgotten once, and a stale cohort looks like a result.
    """
    digest = hashlib.sha256()
    for name in names:
        source = (Path(__file__).parent / f"{name}.py").read_text(encoding="utf-8")
        digest.update(ast.dump(ast.parse(source)).encode())
    return digest.hexdigest()


def _prepare(folder: Path, settings: CohortSettings) -> None:
    for name in _FOLDERS:
        (folder / name).mkdir(parents=True, exist_ok=True)
    mark(folder)  # for a table that is read from here, or names files from here, as somebody's own
    text = json.dumps(_recipe(settings), indent=2, sort_keys=True)
    put(folder / "settings.json", f"{text}\n".encode())


def _write_missing(missing: Sequence[Visit], settings: CohortSettings, folder: Path, workers: int) -> None:
    _say_place(folder.resolve(), len(missing))
    batches = [missing[i : i + _BATCH] for i in range(0, len(missing), _BATCH)]
    with Progress(total=len(missing), desc="Synthetic cohort", unit="rec") as bar:
        for done in _run(batches, settings, folder, min(workers, len(batches))):
            bar.update(done)


def _say_place(folder: Path, count: int) -> None:
    """Where the cohort is made, and how commands of other folders find it instead of making it again."""
    data = folder.parents[1]  # paths.data, where the cohorts are a folder of it
    _log.info("making %d recordings of the synthetic cohort in %s", count, folder)
    made = _REPOSITORY / "data" / folder.parent.name / folder.name / "manifest.csv"
    if made.is_file() and made.parent != folder:
        _log.warning(
            "the same cohort lies in %s and is made again here: paths.data=%s reads it instead",
            made.parent, made.parents[2],
        )  # fmt: skip
    elif data != _REPOSITORY / "data":
        _log.info("paths.data=%s shares it with commands that are started in other folders", data)


def _run(
    batches: Sequence[Sequence[Visit]], settings: CohortSettings, folder: Path, workers: int
) -> Iterator[int]:
    if workers <= 1:
        for visit in (visit for batch in batches for visit in batch):
            if isinstance(settings, RoomCohort):
                write_room(visit, settings, folder)
            else:
                write_recording(visit, settings, folder)
            yield 1
        return
    # Spawned, because forking a process that has started threads (OpenCV, torch) can hang.
    context, others = multiprocessing.get_context("spawn"), set(multiprocessing.active_children())
    with ProcessPoolExecutor(
        workers, mp_context=context, initializer=die_with, initargs=(os.getpid(),)
    ) as pool:
        if isinstance(settings, RoomCohort):
            futures = [pool.submit(write_rooms, batch, settings, folder) for batch in batches]
        else:
            futures = [pool.submit(write_recordings, batch, settings, folder) for batch in batches]
        try:
            for future in as_completed(futures):
                yield future.result()
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            for child in set(multiprocessing.active_children()) - others:
                child.terminate()  # or leaving would wait for the recordings that are being made
            raise


def _write_tables(entries: Sequence[dict[str, Any] | None], folder: Path) -> None:
    rows: list[dict[str, Any]] = []
    truths: list[dict[str, Any]] = []
    for entry in entries:
        if entry is None:
            raise FileNotFoundError(f"{folder}: files vanished while the cohort was made; start again")
        rows.append(entry["row"])
        truths.append(entry["truth"])
    _settle(folder / "truth.csv", pd.DataFrame(truths))
    _settle(folder / "manifest.csv", pd.DataFrame(rows))


def _settle(path: Path, table: pd.DataFrame) -> None:
    """Write a table that follows from the entries, if it is not there already as it should be."""
    text = table.to_csv(index=False).encode()
    if path.is_file():
        if path.read_bytes() == text:
            return
        _log.warning("%s: was not what the recordings say, written anew", path)
    put(path, text)
