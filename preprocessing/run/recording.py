"""One recording through all steps: two passes over its frames, and the files that come of them.

The first pass finds the faces. Who is the main person and where a smooth path lies is known only at its end:
the second pass cuts the crops out and measures them. One frame at a time is in memory.
"""

import io
from collections.abc import Mapping
from dataclasses import dataclass, replace
from hashlib import file_digest
from pathlib import Path

import numpy as np

from datamodules.manifests.probing import FASTEST, SLOWEST
from datamodules.readers import UnreadableVideo
from datamodules.readers.readable_part import readable_part
from datamodules.readers.stream import FrameStream
from datamodules.series import UnreadableSeries
from datamodules.synthetic.files import put
from preprocessing.cache.entry import Cell, Entry, source_facts
from preprocessing.cache.folder import Cache
from preprocessing.page.timeline import timeline
from preprocessing.quality.gate import Verdict
from preprocessing.quality.recording import rule
from preprocessing.run.crops import Crops
from preprocessing.run.job import Job
from preprocessing.run.pipeline import Pipeline
from preprocessing.series.face_series import face_series, summary
from preprocessing.tracking.follow import follow
from preprocessing.tracking.track import Track

_DIGITS = 6


def preprocess_recording(job: Job, *, pipeline: Pipeline, cache: Cache) -> Entry | None:
    """Do one recording, unless it is done; None where another process is at it now.

    Args:
        job: The recording.
        pipeline: What it goes through.
        cache: Where its files and its entry go.

    Raises:
        OSError: The cache cannot be written.
    """
    return cache.once(job.recording_id, job.path, job.tracked, _Recording(job, pipeline, cache).entry)


@dataclass(frozen=True)
class _Recording:
    job: Job
    pipeline: Pipeline
    cache: Cache

    def entry(self) -> Entry:
        """What becomes of the recording."""
        job = self.job
        try:
            with job.path.open("rb") as file:
                source = source_facts(job.path, job.tracked)
                source["sha256"] = file_digest(file, "sha256").hexdigest()
        except OSError as error:
            reason = f"it cannot be read: {error.strerror or error}"
            return self._refused({"path": str(job.path)}, reason, final=False)
        try:
            stream = FrameStream(job.path)
        except UnreadableVideo as fault:
            part = readable_part(job.path)
            end = f"it can be read up to {part.seconds:.1f} s (frame {part.frames})" if part else ""
            return self._refused(source, *filter(None, (self._plain(fault), end)), final=job.path.is_file())
        entry = replace(
            self._refused(source),
            seconds=round(float(stream.seconds[-1]) + (1 / stream.fps if stream.fps else 0), _DIGITS),
            fps=round(stream.fps, _DIGITS),
            width=stream.width,
            height=stream.height,
            frames=stream.n_frames,
        )
        try:
            return self._follow(entry, stream)
        except (UnreadableVideo, UnreadableSeries) as fault:
            return replace(entry, reasons=(self._plain(fault),), final=isinstance(fault, UnreadableVideo))
        except OSError as error:
            if str(error.filename) != str(job.path):
                raise  # of the cache
            reason = f"it can no longer be read: {error.strerror or error}"
            return replace(entry, reasons=(reason,), final=False)

    def _refused(self, source: Mapping[str, Cell], *reasons: str, final: bool = True) -> Entry:
        return Entry(
            recording_id=self.job.recording_id,
            fingerprint=self.cache.fingerprint,
            source=source,
            reasons=reasons,
            labels=self.job.labels,
            final=final,
        )

    def _plain(self, fault: Exception) -> str:
        return getattr(fault, "reason", "") or str(fault).removeprefix(f"{self.job.path}: ")

    def _follow(self, entry: Entry, stream: FrameStream) -> Entry:
        """The two passes, and what is decided after them."""
        pipeline = self.pipeline
        track = follow(stream, pipeline.backend, tracked=self.job.tracked, fps=stream.fps or None)
        crops = Crops(pipeline.aligner, stream, track)
        clip = self._place("clips", pipeline.store.suffix)
        if track.found.any():
            pipeline.store.write(clip, crops, stream.seconds, fps=stream.fps if _has_rate(stream) else 1.0)
            verdict = pipeline.gate(track, crops.facts, stream.seconds)
        else:
            crops.show_nobody(self.job.path)
            verdict = Verdict(reasons={"no face": ~track.found})
        ruling = rule(
            track,
            verdict,
            crops.facts,
            stream.seconds,
            least_usable=pipeline.least_usable,
            few_usable=pipeline.few_usable,
        )
        remarks = () if ruling.status == "refused" else stream.remarks
        seen = replace(
            entry,
            status="warned" if remarks and ruling.status == "ok" else ruling.status,
            reasons=(*ruling.reasons, *remarks),
            usable=int(verdict.usable.sum()),
            lost={name: int(frames.sum()) for name, frames in verdict.reasons.items() if frames.any()},
            timeline=timeline(verdict),
            files={"sheet": self._file(self._place("sheets", ".jpg"), crops.sheet.jpeg(verdict))},
        )
        if not seen.used:
            clip.unlink(missing_ok=True)
            return seen
        return self._kept(seen, stream, track, verdict, crops, clip)

    def _kept(
        self, seen: Entry, stream: FrameStream, track: Track, verdict: Verdict, crops: Crops, clip: Path
    ) -> Entry:
        """The entry of a recording that is used: its series is written, and its row of the manifest known."""
        series = face_series(track, verdict, stream.seconds)
        stored = io.BytesIO()
        series.to_parquet(stored, index=False)
        files = {
            "clip": self._file(clip),
            "series": self._file(self._place("series", ".parquet"), stored.getvalue()),
            **seen.files,
        }
        measured = summary(track, verdict, crops.facts, series)
        return replace(seen, facts=self._facts(stream, measured, files["clip"]), files=files)

    def _facts(
        self, stream: FrameStream, measured: Mapping[str, float], clip: Mapping[str, Cell]
    ) -> dict[str, Cell]:
        """What the manifest says of the clip, so that a training need not measure it again."""
        size = self.pipeline.aligner.size
        facts: dict[str, Cell] = {"n_frames": stream.n_frames, "width": size, "height": size}
        if _has_rate(stream):
            facts |= {"fps": stream.fps, "duration_s": round(stream.n_frames / stream.fps, _DIGITS)}
        known = {name: round(float(value), _DIGITS) for name, value in measured.items() if np.isfinite(value)}
        return {**facts, **known, "content_hash": clip["sha256"]}

    def _place(self, kind: str, suffix: str) -> Path:
        return self.cache.place(self.job.recording_id, kind, suffix)

    def _file(self, path: Path, content: bytes | None = None) -> dict[str, Cell]:
        """Write a file, where it is not there yet, and say what an entry keeps of it."""
        if content is not None:
            put(path, content)
        return self.cache.described(path)


def _has_rate(stream: FrameStream) -> bool:
    """Whether its mean rate is one that a manifest may state."""
    return SLOWEST <= stream.fps <= FASTEST
