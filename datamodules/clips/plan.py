"""Plan of what is read: which recordings of a part give clips, with whom, and which are left out."""

import logging
from collections.abc import Sequence

from datamodules.clips.dataset import UNREADABLE, ClipSource, Entry
from datamodules.clips.history import facts_of
from datamodules.clips.measurement_coverage import Coverage, NothingMeasured, unmeasured
from datamodules.clips.samplers import ClipSampler
from datamodules.manifests.identity import person_codes, visit_codes
from datamodules.manifests.known_visits import KnownVisits
from datamodules.manifests.manifest import Manifest

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
        self._subject = person_codes(manifest.table).tolist()
        self._visit = visit_codes(manifest.table).tolist()

    def skip(self, recording: str, fault: str) -> None:
        """Leave a recording out, and say so once."""
        if recording not in self.skipped:
            _log.warning("skipped %s: %s", recording, fault)
        self.skipped[recording] = fault

    def trained(self, ids: Sequence[str], source: ClipSource) -> list[Entry]:
        """The recordings to train on; those without a measurement are skipped.

        Raises:
            NothingMeasured: None is left.
        """
        entries, kept, lacking = self._entries(ids), [], {}
        for entry in entries:
            try:
                found = unmeasured(entry.recording, source)
            except UNREADABLE:  # skipped where it is read
                found = None
            if found is None:
                kept.append(entry)
            else:
                lacking[entry.recording.recording_id] = found
                self.skip(entry.recording.recording_id, found.reason)
        if entries and not kept:
            raise NothingMeasured("train on", lacking)
        return kept

    def evaluated(
        self, ids: Sequence[str] | None, source: ClipSource, sampler: ClipSampler
    ) -> tuple[list[Entry], dict[int, int]]:
        """The recordings to predict with the other ones of their persons as context, and clips by row.

        Args:
            ids: Recordings to predict; None takes all.
            source: A prepared source.
            sampler: Chooses the clips.

        Raises:
            NothingMeasured: No recording to predict holds a measurement.
            UnreadableVideo: A recording to predict cannot be read; likewise UnreadableSeries.
        """
        everyone = self._manifest.table["recording_id"].tolist()
        asked = self._entries(everyone if ids is None else ids)
        counts = {entry.row: self._count(entry, source, sampler) for entry in asked}
        scored = [entry for entry in asked if counts[entry.row]]
        if asked and not scored:
            names = [entry.recording.recording_id for entry in asked]
            raise NothingMeasured("predict", {name: self.unmeasured[name] for name in names})
        persons, rows = {entry.subject for entry in scored}, {entry.row for entry in asked}
        # unknown persons have codes of their own, so nobody is taken for the context of somebody else
        context = [
            entry
            for entry in self._entries(everyone, scored=False)
            if entry.subject in persons and entry.row not in rows
        ]
        counts |= {entry.row: self._count(entry, source, sampler) for entry in context}
        return [entry for entry in scored + context if counts[entry.row]], counts

    def _entries(self, ids: Sequence[str], *, scored: bool = True) -> list[Entry]:
        rows = self._manifest.rows(ids)
        return [
            Entry(
                recording=own,
                row=row,
                subject=self._subject[row],
                visit=self._visit[row],
                scored=scored,
                facts=facts_of(self._history, row),
            )
            for row, own in zip(rows, self._manifest.recordings(ids), strict=True)
        ]

    def _count(self, entry: Entry, source: ClipSource, sampler: ClipSampler) -> int:
        """Clips of a recording; none of one without a measurement, or unreadable and context only."""
        name = entry.recording.recording_id
        try:
            lacking = unmeasured(entry.recording, source, sampler)
            if lacking is None:
                return sampler.count(source.length(entry.recording))
        except UNREADABLE as fault:
            if entry.scored:
                raise
            self.skip(name, str(fault))
            return 0
        if not entry.scored:
            self.skip(name, lacking.reason)
        elif name not in self.unmeasured:
            _log.warning("%s is not predicted: %s", name, lacking.reason)
            self.unmeasured[name] = lacking
        return 0
