"""The data set of clips: frames or rows of a recording that a sampler chose, and its labels."""

from collections.abc import Iterator, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, Protocol, overload

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.utils.data import Dataset

from datamodules.clips import seeding
from datamodules.clips.batches import ClipKey, Member
from datamodules.clips.history import VisitFacts
from datamodules.clips.samplers import ClipSampler
from datamodules.clips.workers.desk import Desk
from datamodules.feature_leakage.channels import check_channels
from datamodules.manifests.index.recordings import Recording, Recordings
from datamodules.manifests.index.shared_columns import SharedColumns
from datamodules.readers import UnreadableVideo, VideoSource
from datamodules.series import Series, UnreadableSeries, read_series
from datamodules.series.memory_cache import KEPT
from datamodules.series.resample import resample

TARGETS = {"score": torch.float32, "binary": torch.float32, "band": torch.int64}
_DRAWS = 16  # of a training clip, our choice: until one sees a measurement
UNREADABLE = (UnreadableVideo, UnreadableSeries)


class ClipSource(Protocol):
    """Protocol of a source of clips, from video or series; picklable, without open files."""

    def prepared(self, recordings: Sequence[Recording]) -> "ClipSource":
        """Return the source after what it must know of all recordings is settled."""
        ...

    def length(self, recording: Recording) -> int:
        """Frames of the recording."""
        ...

    def measured(self, recording: Recording) -> Series | None:
        """The series whose `valid` rows are the frames that count; None where all of them do."""
        ...

    def clip(self, recording: Recording, indices: Sequence[int]) -> dict[str, Any]:
        """Content: `frames`, `encoded` or `series`; `valid` bool (T,) where not all count; see `collate`."""
        ...


class PixelClips:
    """Clips of video: `frames` uint8 (T, 3, H, W), or `encoded` where the video source decodes on the device.

    Args:
        video: Reads frames of one size.
    """

    def __init__(self, *, video: VideoSource) -> None:
        self.video = video

    def prepared(self, recordings: Sequence[Recording]) -> "PixelClips":
        """Return itself."""
        return self

    def measured(self, recording: Recording) -> Series | None:
        """Return None: nothing says that a frame does not count."""
        return None

    def length(self, recording: Recording) -> int:
        """Frames the manifest states.

        Raises:
            UnreadableVideo: It states none: there is no file, it is damaged or was never probed.
        """
        if recording.n_frames < 1:
            self.video.clip(self._path(recording), [0])  # a damaged file explains itself better than we could
            raise UnreadableVideo(
                f"{recording.path}: opens, but its length was not read. Fill 'n_frames' in the manifest, or "
                "let the files be read (probe=True); where that was done, the log says what is wrong with it"
            )
        return recording.n_frames

    def clip(self, recording: Recording, indices: Sequence[int]) -> dict[str, Any]:
        """Read the frames.

        Raises:
            UnreadableVideo: The file is missing or damaged, or has fewer frames than the manifest states.
        """
        path = self._path(recording)
        try:
            if self.video.decode == "device":
                return {"encoded": self.video.encoded(path, indices)}
            return {"frames": self.video.clip(path, indices)}
        except IndexError as fault:
            raise UnreadableVideo(
                f"{path}: the manifest states {recording.n_frames} frames, but {fault}; correct 'n_frames'"
            ) from fault

    def _path(self, recording: Recording) -> Path:
        if recording.path is None:
            raise UnreadableVideo(
                f"recording {recording.recording_id!r} has no video; fill 'path' or use series"
            )
        return recording.path


class SeriesClips:
    """Clips of feature series: `series` float32 (T, F) in raw units and `valid` bool (T,).

    Args:
        column: Column of the manifest that names the files.
        channels: Channels in the order the network sees them; None takes those of the first recording. A
            checkpoint keeps their names, so that files of another order or with further channels fit it too.
        fps: Rows per second that every file is resampled to; None keeps each file's own rate.
        max_gap_s: Longest gap between measurements that is bridged, in seconds.

    Raises:
        ValueError: A rate or a gap that cannot be.
    """

    def __init__(
        self,
        *,
        column: Literal["series_path", "landmark_path"] = "series_path",
        channels: Sequence[str] | None = None,
        fps: float | None = None,
        max_gap_s: float = 0.0,
    ) -> None:
        if (fps is not None and fps <= 0) or max_gap_s < 0:
            raise ValueError(f"fps={fps} must be positive and max_gap_s={max_gap_s} 0 or more")
        self.column = column
        self.channels = None if channels is None else tuple(channels)
        self.fps, self.max_gap_s = fps, max_gap_s

    def prepared(self, recordings: Sequence[Recording]) -> "SeriesClips":
        """Return a source whose channels are settled: every worker must see the same ones in the same order.

        Raises:
            UnreadableSeries: No recording has a readable series.
            LeakageError: A channel is a label, an item or an identifier.
        """
        if self.channels is not None:
            check_channels(self.channels)
            return self
        faults = []
        for recording in recordings:
            try:
                channels = read_series(self._path(recording), channels=None).channels
            except UnreadableSeries as fault:
                faults.append(str(fault))
            else:
                return SeriesClips(
                    column=self.column, channels=channels, fps=self.fps, max_gap_s=self.max_gap_s
                )
        raise UnreadableSeries(
            f"no readable series in '{self.column}'; the first fault: {(faults or ['none'])[0]}"
        )

    def length(self, recording: Recording) -> int:
        """Rows of the series, whatever the video counts.

        Raises:
            UnreadableSeries: The file is missing or damaged.
        """
        return len(self.series(recording).values)

    def series(self, recording: Recording) -> Series:
        """All of the series, from the first row to the last, resampled if asked for.

        Raises:
            UnreadableSeries: The file is missing, damaged, lacks a channel, or a rate that is needed.
        """
        path = self._path(recording)
        # The manifest's rate is used where the file tells none.
        series = read_series(path, channels=self.channels, fps=recording.fps or None)
        if self.fps is None and not self.max_gap_s:
            return series
        if series.fps is None:
            raise UnreadableSeries(
                f"{path}: neither the file nor the manifest tells a frame rate, which fps={self.fps} and "
                f"max_gap_s={self.max_gap_s} need; fill 'fps' in the manifest"
            )
        # Known by the identity of the series, which is kept itself.
        key = (series, self.fps, self.max_gap_s)
        return KEPT.get(key, lambda: resample(series, fps=self.fps, max_gap_s=self.max_gap_s))

    def measured(self, recording: Recording) -> Series:
        """The series itself.

        Raises:
            UnreadableSeries: See `series`.
        """
        return self.series(recording)

    def clip(self, recording: Recording, indices: Sequence[int]) -> dict[str, Any]:
        """Take the rows.

        Raises:
            UnreadableSeries: The file is missing, damaged or lacks a channel.
        """
        series = self.series(recording)
        rows = np.asarray(indices, dtype=np.int64)  # a copy: what is kept may be mapped, and is never changed
        return {
            "series": torch.from_numpy(np.array(series.values[rows])),
            "valid": torch.from_numpy(np.array(series.valid[rows])),
        }

    def _path(self, recording: Recording) -> Path:
        path: Path | None = getattr(recording, self.column)
        if path is None:
            raise UnreadableSeries(
                f"recording {recording.recording_id!r} has no series; fill '{self.column}'"
            )
        return path


@dataclass(frozen=True, kw_only=True)
class Entry:
    """A recording in a data set: manifest row, codes of person and visit, and whether it is predicted.

    `facts` are given where the split makes first visits known with their scores.
    """

    recording: Recording
    row: int
    subject: int
    visit: int
    scored: bool = True
    facts: VisitFacts | None = None

    @property
    def member(self) -> Member:
        """The recording as the batch samplers see it."""
        return Member(self.row, self.subject, self.visit, self.facts is not None and self.facts.known)


class Entries(Sequence[Entry]):
    """Entries of a data set over the columns of a manifest, made when they are asked for.

    Args:
        recordings: Of the whole manifest.
        codes: `subject` and `visit` of all its rows, and where first visits are known with their scores
            `place`, `known` and `score`.
        rows: Manifest rows of the entries, int64 (N,).
        scored: Whether they are predicted, bool (N,).
    """

    def __init__(
        self,
        *,
        recordings: Recordings,
        codes: SharedColumns,
        rows: NDArray[np.int64],
        scored: NDArray[np.bool_],
    ) -> None:
        self._recordings, self._codes = recordings, codes
        role = np.full(len(recordings), -1, dtype=np.int8)
        role[rows] = scored
        self._own = SharedColumns({"row": rows})
        self._role = SharedColumns({"role": role})

    @property
    def rows(self) -> NDArray[np.int64]:
        """Manifest rows of the entries, int64 (N,)."""
        return np.asarray(self._own["row"])

    def __len__(self) -> int:
        return len(self.rows)

    @overload
    def __getitem__(self, place: int) -> Entry: ...

    @overload
    def __getitem__(self, place: slice) -> "Entries": ...

    def __getitem__(self, place: int | slice) -> "Entry | Entries":
        return (
            self.chosen(self.rows[place]) if isinstance(place, slice) else self.of_row(self.rows.item(place))
        )

    def __iter__(self) -> Iterator[Entry]:
        rows = self.rows
        for row, own in zip(rows.tolist(), self._recordings.of_rows(rows), strict=True):
            yield self._entry(row, own)

    def of_row(self, row: int) -> Entry:
        """The entry of a manifest row.

        Raises:
            KeyError: The row is none of them.
        """
        if self._role["role"].item(row) < 0:
            raise KeyError(row)
        return self._entry(row, self._recordings[row])

    def chosen(self, rows: NDArray[np.int64]) -> "Entries":
        """Those of some of the rows, in their order."""
        scored = self._role["role"][rows] > 0
        return Entries(recordings=self._recordings, codes=self._codes, rows=rows, scored=scored)

    def members(self) -> NDArray[np.int64]:
        """The fields of `Member` of all entries, int64 (N, 4)."""
        rows, codes = self.rows, self._codes
        early = codes["known"][rows] if "known" in codes else np.zeros(len(rows))
        return np.stack([rows, codes["subject"][rows], codes["visit"][rows], early], axis=1).astype(np.int64)

    def _entry(self, row: int, recording: Recording) -> Entry:
        codes, facts = self._codes, None
        if "known" in codes:
            facts = VisitFacts(*(codes[name].item(row) for name in VisitFacts._fields))
        subject, visit = codes["subject"].item(row), codes["visit"].item(row)
        scored = self._role["role"].item(row) > 0
        return Entry(recording=recording, row=row, subject=subject, visit=visit, scored=scored, facts=facts)


class ClipDataset(Dataset[dict[str, Any]]):
    """Maps a `ClipKey` to a sample; see `collate` for its keys.

    Args:
        entries: The recordings; a key names them by manifest row.
        source: Reads the content.
        sampler: Chooses the frames.
        seed: Seed of the run.
        training: Draw at random, and hand an unreadable file over as `{"error": (recording_id, message)}` to
            be skipped and counted. Otherwise nothing is random, and an unreadable file stops the run unless
            it is context only. A clip that sees no measurement is `{"unseen": recording_id}`: it is part of
            no batch, and in training others are drawn before.
    """

    def __init__(
        self, *, entries: Sequence[Entry], source: ClipSource, sampler: ClipSampler, seed: int, training: bool
    ) -> None:
        held = entries if isinstance(entries, Entries) else {entry.row: entry for entry in entries}
        self._held: Entries | dict[int, Entry] = held
        self.source, self.sampler, self.seed, self.training = source, sampler, seed, training
        self.desk: Desk | None = None  # where workers note what they read

    def __len__(self) -> int:
        return len(self._held)

    def __getitem__(self, key: ClipKey) -> dict[str, Any]:
        entry = self.entry(key.row)
        try:
            with nullcontext() if self.desk is None else self.desk.reading(key.row):
                return self._read(entry, key)
        except UNREADABLE as fault:
            if not self.training and entry.scored:
                raise
            return {"error": (entry.recording.recording_id, str(fault))}

    def entry(self, row: int) -> Entry:
        """The recording of a manifest row."""
        held = self._held
        return held.of_row(row) if isinstance(held, Entries) else held[row]

    def _clip(self, recording: Recording, key: ClipKey) -> tuple[dict[str, Any], Tensor]:
        """Content and mask (T,) of a clip; in training of the first draw that sees a measurement."""
        generator = seeding.rng(self.seed, key.epoch, recording.recording_id) if self.training else None
        length = self.source.length(recording)
        for _ in range(_DRAWS if self.training else 1):
            indices, real = self.sampler(length, key.clip, generator)
            content = self.source.clip(recording, indices.tolist())
            mask = torch.from_numpy(real)
            if "valid" in content:
                mask = mask & content.pop("valid")
            if mask.any():
                break
        return content, mask

    def _read(self, entry: Entry, key: ClipKey) -> dict[str, Any]:
        recording = entry.recording
        content, mask = self._clip(recording, key)
        if not mask.any():
            return {"unseen": recording.recording_id}
        for name in ("frames", "series", "tokens", "set_mask"):
            if name in content and not mask.all():
                content[name] = content[name].clone()  # kept frames must not lose their pixels
                content[name][~mask] = 0
        # a mask instead of NaN: losses multiply, and 0 times NaN is NaN
        known = {name: getattr(recording, name) if entry.scored else None for name in TARGETS}
        if entry.facts is not None:
            content["history"] = entry.facts
        return content | {
            "mask": mask,
            "targets": {name: 0 if value is None else value for name, value in known.items()},
            "target_mask": {name: value is not None for name, value in known.items()},
            "traits": recording.traits,
            "subject": entry.subject,
            "visit": entry.visit,
            "row": entry.row,
            "clip": key.clip,
            "scored": entry.scored,
            "seed": seeding.clip_seed(self.seed, key.epoch, recording.recording_id, key.clip),
            "recording_id": recording.recording_id,
            "subject_id": recording.subject_id,
            "session_id": recording.session_id,
        }
