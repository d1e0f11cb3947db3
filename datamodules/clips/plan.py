"""Plan of what is read: which recordings of a part give clips, with whom, and which are left out."""

import logging
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from datamodules.clips.dataset import UNREADABLE, ClipSource, Entries
from datamodules.clips.measurement_coverage import Coverage, NothingMeasured, unmeasured
from datamodules.clips.samplers import ClipSampler
from datamodules.manifests.identity import person_codes, visit_codes
from datamodules.manifests.index.arrow_table import Column
from datamodules.manifests.index.shared_columns import SharedColumns
from datamodules.manifests.known_visits import KnownVisits
from datamodules.manifests.manifest import Manifest, Recording

_log = logging.getLogger(__name__)


class ClipPlan:
    """The recordings of a manifest as the batch samplers and the data set see them.

    Args:
        manifest: The recordings.
        history: What later predictions may know of first visits; None is nothing.

    Attributes:
        skipped: Recordings that were left out, with the reason.
        unmeasured: Recordings to predict in which nothing was measured.
    """

    def __init__(self, manifest: Manifest, history: KnownVisits | None = None) -> None:
        self._manifest, self._history = manifest, history
        self.skipped: dict[str, str] = {}
        self.unmeasured: dict[str, Coverage] = {}
        codes: dict[str, Column] = {
            "subject": person_codes(manifest.table),
            "visit": visit_codes(manifest.table),
        }
        if history is not None:
            codes |= {"place": history.place, "known": history.known, "score": history.score}
        self._codes = SharedColumns(codes)

    def skip(self, recording: str, fault: str) -> None:
        """Leave a recording out, and say so once."""
        if recording not in self.skipped:
            _log.warning("skipped %s: %s", recording, fault)
        self.skipped[recording] = fault

    def trained(self, ids: Sequence[str], source: ClipSource) -> Entries:
        """The recordings to train on; those without a measurement are skipped.

        Raises:
            NothingMeasured: None is left.
        """
        entries, kept, lacking = self._entries(ids), [], {}
        for recording in self._manifest.recordings(ids):
            try:
                found = unmeasured(recording, source)
            except UNREADABLE:  # skipped where it is read
                found = None
            kept.append(found is None)
            if found is not None:
                lacking[recording.recording_id] = found
                self.skip(recording.recording_id, found.reason)
        if kept and not any(kept):
            raise NothingMeasured("train on", lacking)
        return entries.chosen(entries.rows[np.array(kept, dtype=np.bool_)])

    def evaluated(
        self, ids: Sequence[str] | None, source: ClipSource, sampler: ClipSampler
    ) -> tuple[Entries, dict[int, int]]:
        """The recordings to predict with the other ones of their persons as context, and clips by row.

        Args:
            ids: Recordings to predict; None takes all.
            source: A prepared source.
            sampler: Chooses the clips.

        Raises:
            NothingMeasured: No recording to predict holds a measurement.
            UnreadableVideo: A recording to predict cannot be read; likewise UnreadableSeries.
        """
        asked = self._entries(ids)
        counts = self._counts(asked.rows, source, sampler, scored=True)
        scored = asked.rows[[counts[row] > 0 for row in asked.rows.tolist()]]
        if len(asked) and not len(scored):
            names = [one.recording_id for one in self._manifest.recordings(ids)]
            raise NothingMeasured("predict", {name: self.unmeasured[name] for name in names})
        # unknown persons have codes of their own, so nobody is taken for the context of somebody else
        subject = np.asarray(self._codes["subject"])
        beside = np.isin(subject, subject[scored])
        beside[asked.rows] = False
        counts |= self._counts(np.flatnonzero(beside), source, sampler, scored=False)
        context = np.array([row for row in np.flatnonzero(beside).tolist() if counts[row]], dtype=np.int64)
        return self._made(np.r_[scored, context], scored=len(scored)), counts

    def _entries(self, ids: Sequence[str] | None) -> Entries:
        rows = np.array(self._manifest.rows(ids), dtype=np.int64)
        return self._made(rows, scored=len(rows))

    def _made(self, rows: NDArray[np.int64], *, scored: int) -> Entries:
        """Entries of these rows, the first `scored` of which are predicted."""
        role = np.arange(len(rows)) < scored
        return Entries(recordings=self._manifest.recordings(), codes=self._codes, rows=rows, scored=role)

    def _counts(
        self, rows: NDArray[np.int64], source: ClipSource, sampler: ClipSampler, *, scored: bool
    ) -> dict[int, int]:
        recordings = self._manifest.recordings().of_rows(rows)
        return {
            row: self._count(own, source, sampler, scored=scored)
            for row, own in zip(rows.tolist(), recordings, strict=True)
        }

    def _count(self, recording: Recording, source: ClipSource, sampler: ClipSampler, *, scored: bool) -> int:
        """Clips of a recording; none of one without a measurement, or unreadable and context only."""
        name = recording.recording_id
        try:
            lacking = unmeasured(recording, source, sampler)
            if lacking is None:
                return sampler.count(source.length(recording))
        except UNREADABLE as fault:
            if scored:
                raise
            self.skip(name, str(fault))
            return 0
        if not scored:
            self.skip(name, lacking.reason)
        elif name not in self.unmeasured:
            _log.warning("%s is not predicted: %s", name, lacking.reason)
            self.unmeasured[name] = lacking
        return 0
