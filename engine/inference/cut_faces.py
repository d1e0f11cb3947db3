"""Raw videos for a network that was trained on faces: preprocessed as its recordings were, into a cache."""

import logging
from collections.abc import Collection
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd

from datamodules.manifests.manifest import Manifest, read_manifest
from datamodules.manifests.preprocessing import Preprocessing
from datamodules.schema import IDS
from engine.checkpoints.checkpoint import RunCheckpoint
from engine.checkpoints.recorded_pipeline import pipeline_settings
from engine.cohort.face_pipeline import open_cache, page_templates, pipeline_of
from engine.cohort.same_preprocessing import check_preprocessing
from preprocessing.cache.entry import Entry
from preprocessing.run.input_jobs import jobs_of
from preprocessing.run.many import preprocess_all
from preprocessing.run.processes import Processes

_log = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class CutFaces:
    """What became of raw videos.

    Attributes:
        manifest: Their faces; None where no video can be used.
        refused: Ids of those that cannot, with `valid_share` of their frames and the reason in `unmeasured`.
        notes: Remarks on how they were preprocessed; mostly none.
        page: Where to look at them.
    """

    manifest: Manifest | None
    refused: pd.DataFrame
    notes: tuple[str, ...]
    page: Path


def cut_faces(
    checkpoint: RunCheckpoint,
    raw: Manifest,
    *,
    folder: Path,
    accepted: bool,
    workers: int | None = None,
) -> CutFaces:
    """Preprocess raw videos as the recordings of a checkpoint's run were.

    Args:
        checkpoint: Of the network, which was trained on such a cache.
        raw: The videos.
        folder: Of the cache; one that is there is gone on with.
        accepted: Whether another way may be gone: other networks of faces or another version here.
        workers: Processes; None takes one a core.

    Raises:
        ConfigError: Networks of faces or the version differ from those of the run.
        ForbiddenTarget: The checkpoint names a part that is not on the list.
        CacheError: The folder holds a cache of another kind.
        ValueError: The checkpoint was not trained on a cache.
    """
    if checkpoint.preprocessing is None:
        raise ValueError(f"{checkpoint.path}: was not trained on faces that preprocess.py cut out")
    settings = pipeline_settings(checkpoint.preprocessing)
    pipeline = pipeline_of(settings)
    cache = open_cache(folder, settings, pipeline)
    here = replace(raw, preprocessing=Preprocessing.of(cache.record()))
    notes = check_preprocessing(checkpoint, here, accepted=accepted)  # before minutes of work
    jobs, without = jobs_of(raw)
    _log.info("cutting the faces out of %d videos, as for the training", len(jobs))
    executor = Processes(workers=workers)
    outcome = preprocess_all(
        jobs,
        pipeline=pipeline,
        cache=cache,
        executor=executor,
        templates=page_templates(),
        synthetic=raw.synthetic,
    )
    lost = dict.fromkeys(without, (np.nan, "it has no video"))
    lost |= {one.recording_id: (_share(one), _reason(one)) for one in outcome.entries if not one.used}
    used = {one.recording_id for one in outcome.entries if one.used}
    return CutFaces(
        manifest=_faces(cache.folder / "manifest.csv", used) if used else None,
        refused=_rows(raw, lost),
        notes=notes,
        page=cache.folder / "faces.html",
    )


def _faces(path: Path, ids: Collection[str]) -> Manifest:
    """The recordings of a cache that were asked for: it may hold those of an earlier command as well."""
    manifest = read_manifest(path, probe=False)
    kept = manifest.table[manifest.table["recording_id"].isin(ids)]
    return replace(manifest, table=kept.reset_index(drop=True))


def _share(entry: Entry) -> float:
    return entry.usable / entry.frames if entry.frames else np.nan


def _reason(entry: Entry) -> str:
    return f"preprocessing refused it: {'; '.join(entry.reasons)}"


def _rows(raw: Manifest, lost: dict[str, tuple[float, str]]) -> pd.DataFrame:
    table = raw.table.loc[raw.table["recording_id"].isin(lost), list(IDS)].reset_index(drop=True)
    found = [lost[name] for name in table["recording_id"]]
    return table.assign(valid_share=[share for share, _ in found], unmeasured=[reason for _, reason in found])
