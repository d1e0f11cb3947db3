"""Many recordings: what is to be done, done by an executor, and put together."""

import logging
from collections import Counter
from collections.abc import Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass, replace
from functools import partial
from time import monotonic

import jinja2

from datamodules.progress import Progress
from preprocessing.cache.entry import Entry, source_facts
from preprocessing.cache.folder import Cache, check_names
from preprocessing.page.faces_page import write_faces_page
from preprocessing.run.executor import Executor, Lost, Work
from preprocessing.run.job import Job
from preprocessing.run.pipeline import Pipeline
from preprocessing.run.recording import preprocess_recording

_log = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What a command did.

    Attributes:
        entries: of its recordings, those found done among them.
        earlier: how many of them were done before.
        elsewhere: ids that another command is at.
        rate: frames a second over all processes; None where nothing was done.
    """

    entries: tuple[Entry, ...]
    earlier: int
    elsewhere: tuple[str, ...]
    rate: float | None

    @property
    def counts(self) -> Counter[str]:
        """Recordings by status."""
        return Counter(one.status for one in self.entries)


def preprocess_all(
    jobs: Sequence[Job],
    *,
    pipeline: Pipeline,
    cache: Cache,
    executor: Executor,
    templates: jinja2.Environment,
    synthetic: bool = False,
) -> Outcome:
    """Do all recordings that are not done yet, and write the tables and the page of the cache.

    Args:
        jobs: The recordings of this command.
        pipeline: What each goes through.
        cache: Where everything goes.
        executor: Where it is done.
        templates: Of the page, see `write_faces_page`.
        synthetic: Whether the persons are made up.

    Raises:
        OSError: The cache cannot be written.
    """
    work = partial(preprocess_recording, pipeline=pipeline, cache=cache)
    outcome = run_jobs(jobs, work=work, cache=cache, executor=executor, what="Preprocessing")
    together = cache.assemble(synthetic=synthetic)
    write_faces_page(
        cache.folder / "faces.html",
        entries=[one.plain() for one in together],
        record=cache.record(),
        templates=templates,
        rate=outcome.rate,
    )
    return outcome


def run_jobs(jobs: Sequence[Job], *, work: Work, cache: Cache, executor: Executor, what: str) -> Outcome:
    """Do all recordings that are not done yet, whatever is done with each, with a progress bar.

    Args:
        jobs: The recordings of this command.
        work: What is done with each.
        cache: Where everything goes.
        executor: Where it is done.
        what: Name of the bar.

    Raises:
        OSError: The cache cannot be written.
        CacheError: Two recordings have names that a file system may take for the same.
    """
    check_names(job.recording_id for job in jobs)
    # no time, unless files were copied and are read again
    known = [_known(job, cache) for job in Progress(jobs, desc="Looking at what is done", unit="recording")]
    waiting = [job for job, entry in zip(jobs, known, strict=True) if entry is None]
    found = {entry.recording_id: entry for entry in known if entry is not None}
    earlier, elsewhere, frames, begun = len(found), [], 0, monotonic()
    if earlier:
        _log.info("%d of %d recordings are done already", earlier, len(jobs))
    _tell_replaced(waiting, cache)
    waiting.sort(key=_size, reverse=True)  # so that no long one is left for the end
    bar = Progress(total=len(waiting), desc=what, unit="recording")
    with ExitStack() as ending:
        ending.callback(cache.sweep)  # of workers that were cut off
        ending.enter_context(bar)
        answers = ending.enter_context(closing(executor.run(work, waiting))) if waiting else ()
        for job, answer in answers:  # no cluster is begun for nothing
            entry = _given_up(job, answer, cache) if isinstance(answer, Lost) else answer
            if entry is None:
                elsewhere.append(job.recording_id)
            else:
                found[job.recording_id] = entry
                frames += entry.frames
                _tell(entry)
            bar.set_postfix_str(f"{frames / (monotonic() - begun):.0f} frames/s", refresh=False)
            bar.update()
    rate = frames / (monotonic() - begun) if frames else None
    ordered = tuple(found[job.recording_id] for job in jobs if job.recording_id in found)
    return Outcome(entries=ordered, earlier=earlier, elsewhere=tuple(elsewhere), rate=rate)


def _size(job: Job) -> int:
    return job.path.stat().st_size if job.path.is_file() else 0


def with_labels(jobs: Sequence[Job], cache: Cache) -> None:
    """Give what is done the labels that its rows have now."""
    for job in jobs:
        _known(job, cache)


def _known(job: Job, cache: Cache) -> Entry | None:
    """The entry of a recording that is done, with the labels that its row has now."""
    entry = cache.finished(job.recording_id, job.path, job.tracked)
    if entry is not None and entry.labels != job.labels:
        entry = replace(entry, labels=job.labels)
        cache.put(entry)
    return entry


def _tell_replaced(jobs: Sequence[Job], cache: Cache) -> None:
    """Say where an id is that of another file now: two folders may have files of one name."""
    for job in jobs:
        entry = cache.entry(job.recording_id)
        if entry is not None and entry.source["path"] != str(job.path):
            _log.warning(
                "%s: was made of %s in this cache, and is replaced by %s. If they are two recordings, give "
                "them two ids, or each folder an output of its own.",
                job.recording_id, entry.source["path"], job.path,
            )  # fmt: skip


def _given_up(job: Job, lost: Lost, cache: Cache) -> Entry:
    """The entry of a recording without an answer; another run tries it again."""
    if lost.trace:
        _log.error("%s: %s", job.path, lost.trace)
    try:
        source = source_facts(job.path)
    except OSError:  # it is gone
        source = {"path": str(job.path)}
    entry = Entry(
        recording_id=job.recording_id,
        fingerprint=cache.fingerprint,
        source=source,
        reasons=(lost.reason,),
        labels=job.labels,
        final=False,
    )
    cache.put(entry)
    return entry


def _tell(entry: Entry) -> None:
    if entry.status != "ok":
        what = "refused" if entry.status == "refused" else "used with a warning"
        _log.warning("%s is %s: %s", entry.source["path"], what, "; ".join(entry.reasons))
