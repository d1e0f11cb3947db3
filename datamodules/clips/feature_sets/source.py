"""Clips of named feature sets: any number of them on one grid of time, each with its own rate and gaps."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import torch
from numpy.typing import NDArray

from datamodules.clips.feature_sets.channels import channels_of, chosen_sets, widths_of
from datamodules.feature_leakage.channels import check_channels
from datamodules.manifests.index.recordings import Recording
from datamodules.series import Series, UnreadableSeries, read_feature_set
from datamodules.series.checks.set_clock import check_spans
from datamodules.series.feature_set import width_of
from datamodules.series.resample import at_times
from datamodules.wording import first_few

_LONGEST = 10_000_000  # rows of a grid, our choice: stamps of two clocks would make more
_ROUNDING = 1e-3  # extractors round times to a millisecond


@dataclass(frozen=True, eq=False, kw_only=True)
class SetSeries(Series):
    """Series of all sets side by side; `set_valid` bool (T, S) says which set is real where."""

    set_valid: NDArray[np.bool_]


class FeatureSetClips:
    """Clips of feature sets: `series` float32 (T, F) side by side, `valid` (T,) and `set_mask` bool (T, S).

    Row t of the grid is the time first + t / fps. A set of several rows is resampled to it by its time
    stamps, see `at_times`; a pooled vector is the same at all times. `valid` is true where any set is real.
    Channels are called `<set>/<column>`; their order, and with it that of the sets, is settled before
    training, and a checkpoint keeps it.

    Args:
        sets: Names in the order that the network sees, or names with their widths; None takes all that the
            recordings have, by name.
        channels: As they were settled; None settles them by the files.
        fps: Rows per second of the grid.
        max_gap_s: Longest gap between measurements of a set that is bridged, in seconds.
        missing: What becomes of a recording that lacks a set, or has no name of a file for it: `refuse` stops
            with its name, `mask` takes it with that set masked.

    Raises:
        ValueError: A rate, a gap or an answer that cannot be, or channels of other sets than named.
    """

    def __init__(
        self,
        *,
        sets: Sequence[str] | Mapping[str, int] | None = None,
        channels: Sequence[str] | None = None,
        fps: float = 5.0,
        max_gap_s: float = 1.0,
        missing: Literal["refuse", "mask"] = "refuse",
    ) -> None:
        if fps is None or not fps > 0 or max_gap_s < 0:
            raise ValueError(f"fps={fps} must be positive, and max_gap_s={max_gap_s} 0 or more")
        if missing not in ("refuse", "mask"):
            raise ValueError(f"missing={missing!r}: refuse a recording that lacks a set, or mask the set")
        self.sets, self.fps, self.max_gap_s, self.missing = sets, float(fps), float(max_gap_s), missing
        self.channels = None if channels is None else tuple(channels)
        self.widths: dict[str, int] = {} if channels is None else widths_of(channels, sets)

    def prepared(self, recordings: Sequence[Recording]) -> "FeatureSetClips":
        """Return a source whose sets, widths and channels are settled.

        Raises:
            UnreadableSeries: No recording has a set, a recording lacks one and `missing` is `refuse`, or the
                files of a set are of several widths; names the recordings.
            LeakageError: The name of a set is that of a label or an identifier.
        """
        names = list(self.widths) or chosen_sets(self.sets, recordings)
        check_channels(names)
        found: dict[str, dict[int, list[str]]] = {name: defaultdict(list) for name in names}
        lacking: dict[str, list[str]] = {name: [] for name in names}
        for recording in recordings:
            for name in names:
                if name not in recording.features:
                    lacking[name].append(recording.recording_id)
                elif (width := width_of(recording.features[name])) is not None:  # else told where it is read
                    found[name][width].append(recording.recording_id)
        self._check_lacking(lacking)
        for name in names:
            if not found[name]:  # no file states a width: the first says why
                for path in [one.features[name] for one in recordings if name in one.features][:1]:
                    read_feature_set(path)
        stated = self.widths or (self.sets if isinstance(self.sets, Mapping) else {})
        widths = {name: _one_width(name, found[name], stated.get(name)) for name in names}
        given: Any = {"fps": self.fps, "max_gap_s": self.max_gap_s, "missing": self.missing}
        return FeatureSetClips(sets=self.sets, channels=channels_of(widths), **given)

    def _check_lacking(self, lacking: Mapping[str, list[str]]) -> None:
        told = [f"'{name}' is lacking in {first_few(ids, 5)}" for name, ids in lacking.items() if ids]
        if told and self.missing == "refuse":
            raise UnreadableSeries(
                f"recordings without a feature set: {'; '.join(told)}. Fill their cell of features_<set> in "
                "the manifest, leave the set out of data.sets, or take them with the set masked: "
                "data.module.source.missing=mask"
            )

    def length(self, recording: Recording) -> int:
        """Rows of the grid: 1 where all sets are pooled vectors.

        Raises:
            UnreadableSeries: A file is missing or damaged, or its rate is not known.
        """
        return len(self._times(self._read(recording), recording))

    def measured(self, recording: Recording) -> Series:
        """Which rows of the grid hold a measurement of any set, without channels.

        Raises:
            UnreadableSeries: See `length`.
        """
        read = self._read(recording)
        times = self._times(read, recording)
        valid = np.zeros(len(times), dtype=bool)
        for series in read.values():
            valid |= self._at(times, series)[1]
        nothing = np.zeros((len(times), 0), np.float32)
        return Series(values=nothing, channels=(), valid=valid, fps=self.fps, seconds=times)

    def series(self, recording: Recording) -> SetSeries:
        """All of the grid, made anew at each call: of long recordings with many channels it is large.

        Raises:
            UnreadableSeries: See `length`.
        """
        read = self._read(recording)
        times = self._times(read, recording)
        values, valid = self._side_by_side(read, times)
        return SetSeries(
            values=values, channels=self.channels or (), valid=np.asarray(valid.any(axis=1)), fps=self.fps,
            seconds=times, set_valid=valid,
        )  # fmt: skip

    def parts(self, series: Series) -> list[tuple[slice, NDArray[np.bool_]]]:
        """The channels of each set and the rows in which it is real, of what `series` gave."""
        assert isinstance(series, SetSeries)
        ends = np.cumsum(list(self.widths.values())).tolist()
        places = [slice(end - width, end) for end, width in zip(ends, self.widths.values(), strict=True)]
        return [(place, series.set_valid[:, number]) for number, place in enumerate(places)]

    def clip(self, recording: Recording, indices: Sequence[int]) -> dict[str, Any]:
        """Resample the sets at the times of some rows.

        Raises:
            UnreadableSeries: See `length`.
        """
        read = self._read(recording)
        rows = np.asarray(indices, dtype=np.int64)
        values, valid = self._side_by_side(read, self._times(read, recording)[rows])
        return {
            "series": torch.from_numpy(values),
            "valid": torch.from_numpy(valid.any(axis=1)),
            "set_mask": torch.from_numpy(valid),
        }

    def _read(self, recording: Recording) -> dict[str, Series]:
        """The sets that a recording has; of one that has none nothing is measured, which is told by name."""
        if not self.widths:
            raise ValueError("the feature sets are not settled: call prepared(recordings) first")
        found = {}
        for name, width in self.widths.items():
            if (path := recording.features.get(name)) is None:
                self._check_lacking({name: [recording.recording_id]})
                continue
            series = read_feature_set(path, fps=recording.fps or None)
            if series.values.shape[1] != width:
                raise UnreadableSeries(
                    f"{path}: has {series.values.shape[1]} columns, and the set '{name}' has {width}; give "
                    "files of one extractor, or name this one features_<another set>"
                )
            if len(series.values) > 1 and series.seconds is None:
                raise UnreadableSeries(
                    f"{path}: neither the file nor the manifest tells a rate; fill 'fps' in the manifest, or "
                    "write it as .npz with its timestamps_ms"
                )
            found[name] = series
        return found

    def _times(self, read: Mapping[str, Series], recording: Recording) -> NDArray[np.float64]:
        """Seconds of the rows of the grid: from the first to the last time stamp of any set."""
        clocks = {name: one.seconds for name, one in read.items() if one.seconds is not None}
        clocks = {name: seconds for name, seconds in clocks.items() if len(seconds) > 1}
        if not clocks:
            return np.zeros(1)
        check_spans({recording.features[name]: seconds for name, seconds in clocks.items()})
        late = max(clocks, key=lambda name: clocks[name][0])
        early = min(clocks, key=lambda name: clocks[name][-1])
        first, last = (pick(clock[at] for clock in clocks.values()) for pick, at in ((min, 0), (max, -1)))
        count = int(np.floor((last - first + _ROUNDING) * self.fps)) + 1
        if clocks[late][0] > clocks[early][-1] or count > _LONGEST:
            raise UnreadableSeries(
                f"{recording.features[late]}: the set '{late}' of {recording.recording_id!r} begins at "
                f"{clocks[late][0]:.10g} s, and '{early}' ends at {clocks[early][-1]:.10g} s: they share no "
                "clock. Write timestamps_ms from the beginning of the recording on in all sets"
            )
        return np.asarray(first + np.arange(count) / self.fps, dtype=np.float64)

    def _side_by_side(
        self, read: Mapping[str, Series], times: NDArray[np.float64]
    ) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
        values = np.zeros((len(times), sum(self.widths.values())), dtype=np.float32)
        valid = np.zeros((len(times), len(self.widths)), dtype=bool)
        start = 0
        for number, (name, width) in enumerate(self.widths.items()):
            if name in read:
                own = self._at(times, read[name])
                values[:, start : start + width], valid[:, number] = own
            start += width
        return values, valid

    def _at(
        self, times: NDArray[np.float64], series: Series
    ) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
        if len(series.values) == 1:
            count = len(times)
            return np.broadcast_to(series.values, (count, series.values.shape[1])), np.ones(count, dtype=bool)
        return at_times(series, times, max_gap_s=self.max_gap_s)


def _one_width(name: str, found: Mapping[int, list[str]], stated: int | None) -> int:
    """The width of a set, which all of its files have."""
    if not found and stated is None:
        raise UnreadableSeries(f"no recording has a readable file of the feature set '{name}'")
    usual = stated or max(found, key=lambda width: len(found[width]))
    others = {width: ids for width, ids in found.items() if width != usual}
    if others and usual not in found:
        widths = " and ".join(f"{width}" for width in others)
        raise UnreadableSeries(
            f"the feature set '{name}' has {widths} columns, and data.sets or the checkpoint say {usual}; "
            f"write data.sets.{name}={next(iter(others))}, or give files like those of the training"
        )
    if others:
        told = "; ".join(f"{width} in {first_few(ids, 5)}" for width, ids in others.items())
        raise UnreadableSeries(
            f"the files of the feature set '{name}' have different widths: {usual} columns in "
            f"{len(found[usual])} recordings, {told}. Extract them with one extractor, or name the others "
            "features_<another set>"
        )
    return usual
