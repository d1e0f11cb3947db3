"""One recording through all steps: two passes over its frames, and the files that come of them.

The first pass finds the faces. Who is the main person and where a smooth path lies is known only at its end:
the second pass cuts the crops out and measures them. One frame at a time is in memory.
"""

import io
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from hashlib import file_digest
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from datamodules.readers import UnreadableVideo, open_video
from datamodules.readers.readable_part import readable_part
from datamodules.readers.stream import FrameStream
from datamodules.series import UnreadableSeries
from datamodules.synthetic.files import put
from preprocessing.cache.entry import Cell, Entry, source_facts
from preprocessing.cache.folder import Cache
from preprocessing.faces.face import Frame
from preprocessing.page.contact_sheet import ContactSheet
from preprocessing.page.timeline import timeline
from preprocessing.quality.crop_facts import CropFacts, measure
from preprocessing.quality.gate import Verdict
from preprocessing.run.job import Job
from preprocessing.run.pipeline import Pipeline
from preprocessing.series.face_series import face_series, summary
from preprocessing.tracking.follow import follow
from preprocessing.tracking.track import Track

_SHORT_S = 1.0  # seconds below which a recording is named short; our choice
_RATES = (0.1, 1000.0)  # frames/s that a manifest may state
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
    with cache.claim(job.recording_id) as mine:
        if not mine:
            return None
        entry = cache.finished(job.recording_id, job.path)
        if entry is None:
            entry = _Recording(job, pipeline, cache).entry()
            cache.put(entry)
        return entry


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
                source = source_facts(job.path) | {"sha256": file_digest(file, "sha256").hexdigest()}
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
        """The first pass, and what follows from it."""
        track = follow(stream, self.pipeline.backend, tracked=self.job.tracked)
        if not track.found.any():
            sheet = self._sheet_of_nobody(track)
            reason = f"no face in any of its {stream.n_frames} frames"
            lost = {"no face": stream.n_frames}
            return replace(entry, reasons=(reason,), lost=lost, files={"sheet": sheet})
        clip = self._place("clips", self.pipeline.store.suffix)
        crops = _Crops(self.pipeline, stream, track)
        fps = stream.fps if _RATES[0] <= stream.fps <= _RATES[1] else 1.0
        self.pipeline.store.write(clip, crops, stream.seconds, fps=fps)
        verdict = self.pipeline.gate(track, crops.facts, stream.seconds)
        seen = replace(
            entry,
            usable=int(verdict.usable.sum()),
            lost={name: int(frames.sum()) for name, frames in verdict.reasons.items() if frames.any()},
            timeline=timeline(verdict),
        )
        sheet = self._file(self._place("sheets", ".jpg"), crops.sheet.jpeg(verdict))
        reason = self._too_few(verdict)
        if reason:
            clip.unlink()
            return replace(seen, reasons=(reason, *track.remarks), files={"sheet": sheet})
        series = face_series(track, verdict, stream.seconds)
        if "frame" not in series:
            series.insert(0, "frame", np.arange(len(series)))
        stored = io.BytesIO()
        series.to_parquet(stored, index=False)
        files = {
            "clip": self._file(clip),
            "series": self._file(self._place("series", ".parquet"), stored.getvalue()),
            "sheet": sheet,
        }
        measured = summary(track, verdict, crops.facts, series)
        warnings = self._warnings(stream, track, verdict)
        return replace(
            seen,
            status="warned" if warnings else "ok",
            reasons=warnings,
            facts=self._facts(stream, measured, files["clip"]),
            files=files,
        )

    def _too_few(self, verdict: Verdict) -> str:
        """Why too few frames can be used; empty if enough can."""
        usable, total = int(verdict.usable.sum()), len(verdict.usable)
        if usable and usable >= self.pipeline.least_usable * total:
            return ""
        return f"{usable} of {total} frames can be used: {_most_lost(verdict)}"

    def _warnings(self, stream: FrameStream, track: Track, verdict: Verdict) -> tuple[str, ...]:
        usable, total = int(verdict.usable.sum()), len(verdict.usable)
        told = [*track.remarks, *stream.remarks]
        if usable < self.pipeline.few_usable * total:
            told.insert(0, f"only {usable} of {total} frames can be used: {_most_lost(verdict)}")
        if stream.fps and total / stream.fps < _SHORT_S:
            told.insert(
                0, f"it is short: {total} frame{'s' if total > 1 else ''}, {total / stream.fps:.2g} s"
            )
        return tuple(told)

    def _facts(
        self, stream: FrameStream, measured: Mapping[str, float], clip: Mapping[str, Cell]
    ) -> dict[str, Cell]:
        """What the manifest says of the clip, so that a training need not measure it again."""
        size = self.pipeline.aligner.size
        facts: dict[str, Cell] = {"n_frames": stream.n_frames, "width": size, "height": size}
        if _RATES[0] <= stream.fps <= _RATES[1]:
            facts |= {"fps": stream.fps, "duration_s": round(stream.n_frames / stream.fps, _DIGITS)}
        known = {name: round(float(value), _DIGITS) for name, value in measured.items() if np.isfinite(value)}
        return {**facts, **known, "content_hash": clip["sha256"]}

    def _place(self, kind: str, suffix: str) -> Path:
        return self.cache.place(self.job.recording_id, kind, suffix)

    def _file(self, path: Path, content: bytes | None = None) -> dict[str, Cell]:
        """Write a file, where it is not there yet, and say what an entry keeps of it."""
        if content is not None:
            put(path, content)
        with path.open("rb") as file:
            digest = file_digest(file, "sha256").hexdigest()
        place = path.relative_to(self.cache.folder).as_posix()
        return {"path": place, "size": path.stat().st_size, "sha256": digest}

    def _sheet_of_nobody(self, track: Track) -> dict[str, Any]:
        """A sheet of frames without a face: why there is none is seen at a glance."""
        size, total = self.pipeline.aligner.size, len(track.confidence)
        sheet = ContactSheet(track)
        with open_video(self.job.path) as video:
            for index in sheet.indices:
                frame = video.frames([index])[0].permute(1, 2, 0).contiguous().numpy()
                sheet.add(index, frame, np.zeros((size, size, 3), np.uint8))
        verdict = Verdict(reasons={"no face": np.ones(total, dtype=np.bool_)})
        return self._file(self._place("sheets", ".jpg"), sheet.jpeg(verdict))


class _Crops:
    """The second pass: yields the crops of all frames, and measures them while they are at hand."""

    def __init__(self, pipeline: Pipeline, stream: FrameStream, track: Track) -> None:
        self._pipeline, self._stream, self._track = pipeline, stream, track
        self._matrices = pipeline.aligner.matrices(track, stream.seconds)
        self.sheet = ContactSheet(track)
        self.facts: list[CropFacts | None] = []

    def __iter__(self) -> Iterator[Frame]:
        shown, found = frozenset(self.sheet.indices), self._track.found
        for index, frame in enumerate(self._stream):
            matrix, landmarks = self._matrices[index], self._track.landmarks[index]
            crop = self._pipeline.aligner.crop(frame, matrix, landmarks)
            self.facts.append(measure(crop, _moved(landmarks, matrix)) if found[index] else None)
            if index in shown:
                self.sheet.add(index, frame, crop)
            yield crop


def _moved(landmarks: NDArray[np.float32], matrix: NDArray[np.float64]) -> NDArray[np.float32]:
    """Landmarks ``(P, 2)`` in pixels of the crop."""
    return np.asarray(landmarks[:, :2] @ matrix[:, :2].T + matrix[:, 2], dtype=np.float32)


def _most_lost(verdict: Verdict, shown: int = 3) -> str:
    """The reasons that speak against most frames, with their counts."""
    counts: Sequence[tuple[str, int]] = [(name, int(one.sum())) for name, one in verdict.reasons.items()]
    most = sorted((one for one in counts if one[1]), key=lambda one: -one[1])[:shown]
    return ", ".join(f"{name} {count}" for name, count in most)
