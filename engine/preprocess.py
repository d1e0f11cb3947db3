"""The command `preprocess.py`: raw videos to a cache of aligned face clips and facial series."""

import logging
import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from datamodules.commands import typed
from datamodules.manifests.columns import LABELS
from datamodules.manifests.manifest import Manifest
from datamodules.sources.folder import read as read_folder
from datamodules.sources.unlabeled import VIDEOS, input_manifest
from datamodules.wording import first_few
from engine.cohort.face_pipeline import open_cache, page_templates, pipeline_of
from engine.config.build import build
from engine.config.compose import ConfigError
from engine.config.targets import trusting
from engine.config.value_ranges import check_settings
from engine.runs.provenance import RunManifest
from engine.runs.signals import Interrupted
from engine.runs.terminal import conclude, shown
from preprocessing.cache.folder import RECORD, Cache
from preprocessing.faces.precomputed import REMEDY, PrecomputedFaces
from preprocessing.run.input_jobs import jobs_of
from preprocessing.run.job import Job
from preprocessing.run.many import Outcome, preprocess_all, with_labels

_log = logging.getLogger(__name__)

_LABELS = "labels.csv"
_REASONS = 3  # shown where nothing could be used


@trusting
def preprocess(config: Mapping[str, Any], *, folder: Path) -> Outcome:
    """Do all recordings of an input that are not in the cache yet.

    Args:
        config: Resolved config of `conf/preprocess.yaml`.
        folder: Where the record of this run goes.

    Raises:
        ConfigError: Input and output do not go together, or no recording can be used.
        CacheError: The output was made with other settings.
    """
    check_settings(config)
    source, output = Path(config["input"]), Path(config["output"])
    _check_places(source, output)
    pipeline = pipeline_of(config)
    executor = build(config["executor"], key="executor")
    with RunManifest(folder=folder, config=config, place="before the first recording") as record:
        manifest = _manifest(source, notes=folder)
        every = _jobs(manifest)
        if isinstance(pipeline.backend, PrecomputedFaces):
            _check_tables(every)
        jobs = _shard(every, str(config["shard"]))
        cache = open_cache(output, config, pipeline)
        with_labels(every, cache)  # of all shards: the manifest is of all
        record.record(input=str(source), recordings=len(jobs), fingerprint=cache.fingerprint)
        _log.info("preprocessing %d recordings", len(jobs))
        try:
            outcome = preprocess_all(
                jobs,
                pipeline=pipeline,
                cache=cache,
                executor=executor,
                templates=page_templates(),
                synthetic=manifest.synthetic,
            )
        except (Interrupted, KeyboardInterrupt):
            record.place = _done(jobs, cache)
            raise
        record.record(counts=dict(outcome.counts), synthetic=manifest.synthetic)
        _tell_others(cache, manifest)
        _check_any(outcome, output)
    following = _next(cache, every, source=source, labeled=_has_labels(manifest))
    conclude("preprocessing is finished", folder, rows=_rows(outcome, config), following=following)
    return outcome


def _check_places(source: Path, output: Path) -> None:
    """Stop where results would be taken for recordings.

    Raises:
        ConfigError: The output is a file or lies in the input, or the input is a cache.
    """
    if output.exists() and not output.is_dir():
        raise ConfigError(f"output={output}: is a file; give a folder, which need not be there yet")
    if (source / RECORD).is_file():
        raise ConfigError(f"input={source}: holds faces that were cut out already; give the raw videos")
    if source.is_dir() and output.resolve().is_relative_to(source.resolve()):
        raise ConfigError(
            f"output={output}: lies in the input, so that its clips would be taken for recordings the next "
            "time. Give a folder beside it."
        )


def _manifest(source: Path, *, notes: Path) -> Manifest:
    """The recordings of an input, with the labels that lie beside them."""
    if (source / _LABELS).is_file():
        return read_folder(root=source, probe=False)
    if (source / "manifest.csv").is_file():
        _log.warning(
            "input=%s: holds a manifest.csv, which is left out with its labels; input=%s takes it",
            source, shown(source / "manifest.csv"),
        )  # fmt: skip
    found = input_manifest(source, notes=notes, kinds=VIDEOS, probe=False)
    if source.is_dir():
        _log.info(
            "no %s in %s: nobody is known to be in two recordings, and there are no labels", _LABELS, source
        )
    names = found.table["recording_id"].str.replace("/", "_")  # as with labels.csv, which may come later
    return found if names.duplicated().any() else replace(found, table=found.table.assign(recording_id=names))


def _jobs(manifest: Manifest) -> list[Job]:
    jobs, without = jobs_of(manifest)
    if without:
        _log.warning("%d recordings have no video and are left out: %s", len(without), first_few(without))
    if not jobs:
        raise ConfigError(f"{manifest}: no recording has a video; its column 'path' is empty")
    return jobs


def _check_tables(jobs: Sequence[Job]) -> None:
    if not any(job.tracked for job in jobs):
        raise ConfigError(
            f"face=precomputed needs a table of landmarks for each recording, and none of {len(jobs)} "
            f"recordings has one. For each recording, {REMEDY}."
        )


def _shard(jobs: Sequence[Job], shard: str) -> list[Job]:
    """The jobs of one of several commands, interleaved, so that long recordings are spread."""
    numbers = re.fullmatch(r"(\d+)/(\d+)", shard)
    part, parts = map(int, numbers.groups()) if numbers else (0, 0)
    if not 1 <= part <= parts:
        raise ConfigError(f"shard={shard}: write part/parts, parts counted from 1, as in shard=2/8")
    return list(jobs[part - 1 :: parts])


def _tell_others(cache: Cache, manifest: Manifest) -> None:
    """Say what a cache holds beyond this input: a recording may have been withdrawn."""
    given = set(manifest.table["recording_id"])
    others = [one for one in cache.entries() if one.recording_id not in given]
    for used, table in ((True, "its manifest"), (False, "refused.csv")):
        if names := [one.recording_id for one in others if one.used is used]:
            _log.warning(
                "%s: holds %d recordings that are not in this input, and they stay in %s: %s. To take one "
                "out, delete its file in entries/, and in clips/, series/ and sheets/.",
                cache.folder, len(names), table, first_few(names, 5),
            )  # fmt: skip


def _done(jobs: Sequence[Job], cache: Cache) -> str:
    """How far a command came that was interrupted."""
    done = sum(cache.finished(job.recording_id, job.path, job.tracked) is not None for job in jobs)
    return f"({done} of {len(jobs)} recordings are done)"


def _has_labels(manifest: Manifest) -> bool:
    table = manifest.table
    labels = [name for name in table if name in LABELS or str(name).startswith("trait_")]
    return bool(table[labels].notna().any(axis=None))


def _check_any(outcome: Outcome, output: Path) -> None:
    if outcome.entries and not any(one.used for one in outcome.entries):
        told = [f"{one.source['path']}: {'; '.join(one.reasons)}" for one in outcome.entries[:_REASONS]]
        more = len(outcome.entries) - len(told)
        listed = "\n".join(f"  - {line}" for line in told) + (f"\n  and {more} more" if more else "")
        place = shown(output / "refused.csv")
        raise ConfigError(f"none of {len(outcome.entries)} recordings can be used, see {place}\n{listed}")


def _rows(outcome: Outcome, config: Mapping[str, Any]) -> list[tuple[str, str]]:
    output, counts = Path(config["output"]), outcome.counts
    told = [f"{counts['ok']} ok", f"{counts['warned']} with warnings", f"{counts['refused']} refused"]
    rows = [("input", shown(Path(config["input"]))), ("result", f"recordings: {', '.join(told)}")]
    if outcome.earlier:
        rows.append(("done before", f"{outcome.earlier} of them"))
    if outcome.elsewhere:
        names = first_few(list(outcome.elsewhere), 3)
        rows.append(("elsewhere", f"{len(outcome.elsewhere)} are being done by other commands: {names}"))
    if outcome.rate is not None:
        rows.append(("speed", f"{outcome.rate:.0f} frames/s"))
    if counts["refused"]:
        rows.append(("refused", f"{shown(output / 'refused.csv')} says why"))
    return [*rows, ("manifest", shown(output / "manifest.csv")), ("page", shown(output / "faces.html"))]


def _next(cache: Cache, every: Sequence[Job], *, source: Path, labeled: bool) -> list[str]:
    """What to type next: there is nothing to train on before all recordings are done and have labels.

    Args:
        cache: Where they are.
        every: Recordings of the input, those of other shards among them.
        source: The input.
        labeled: Whether it has labels.
    """
    entries = {one.recording_id: one for one in cache.entries()}
    told = [f"open {shown(cache.folder / 'faces.html')}  # look at it before you train"]
    missing = sum(job.recording_id not in entries for job in every)
    if missing:
        others = f"{missing} of {len(every)} recordings of the input are not done yet"
        return [*told, f"wait for the other commands, or give those of the other shards: {others}"]
    if not any(one.used for one in entries.values()):
        return told
    if labeled:
        return [*told, f"{typed('train')} data=faces data.path={shown(cache.folder / 'manifest.csv')}"]
    if source.is_dir():
        place = f"write {shown(source / _LABELS)} (file,subject,session,scale,score)"
    else:
        place = "give a table (recording_id,subject_id,session_id,path,scale,score) as input="
    return [*told, f"to train, {place} and give the command again: no face is looked for twice"]
