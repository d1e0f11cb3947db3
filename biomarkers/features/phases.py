"""Phases of all recordings: the same seconds in each, or the times that a table lists."""

from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

from biomarkers.features.extractor import Unmeasurable
from biomarkers.features.trimming import Phase, PhaseError, find_phase, read_phases, trim
from datamodules.manifests.manifest import Recording
from datamodules.series import Series

_SHOWN = 10  # faults that a message lists


class PhaseOf(Protocol):
    """When a phase runs in a recording; its text says which phase it is."""

    def __call__(self, recording_id: str) -> Phase:
        """The phase of one recording.

        Raises:
            PhaseError: The recording has none.
        """


class FixedPhase:
    """The interval [`start_s`, `stop_s`) of every recording.

    Raises:
        PhaseError: The seconds do not run forward from 0 or later.
    """

    def __init__(self, *, start_s: float, stop_s: float) -> None:
        if not 0 <= start_s < stop_s:
            raise PhaseError(f"start_s={start_s}, stop_s={stop_s} do not run forward from 0 or later")
        self.start_s, self.stop_s = float(start_s), float(stop_s)

    def __call__(self, recording_id: str) -> Phase:
        """The same seconds, whatever the recording."""
        name = f"{self.start_s:g}-{self.stop_s:g} s"
        return Phase(recording_id=recording_id, phase=name, start_s=self.start_s, stop_s=self.stop_s)

    def __str__(self) -> str:
        return f"seconds {self.start_s:g} to {self.stop_s:g} of every recording"


class TabledPhase:
    """A phase by its name, at the times that a table lists for each recording.

    Args:
        path: CSV of `trimming.read_phases`.
        phase: Name of the phase, such as that of the emotional induction.

    Raises:
        PhaseError: As in `read_phases`.
    """

    def __init__(self, *, path: str, phase: str) -> None:
        self.path, self.phase = Path(path), phase
        self._phases = read_phases(self.path)

    def __call__(self, recording_id: str) -> Phase:
        """The phase as the table lists it.

        Raises:
            PhaseError: The table lists none for the recording.
        """
        return find_phase(self._phases, recording_id=recording_id, phase=self.phase)

    def __str__(self) -> str:
        return f"phase {self.phase!r} of every recording, by {self.path.name}"


def trim_all(recordings: Sequence[Recording], series: Sequence[Series], phase: PhaseOf) -> list[Series]:
    """Every recording cut to the phase; none is dropped.

    Raises:
        PhaseError: A recording has no such phase, or cannot be cut to it; the message lists them.
    """
    cut, faults = [], []
    for recording, own in zip(recordings, series, strict=True):
        try:
            cut.append(trim(own, phase(recording.recording_id)))
        except (PhaseError, Unmeasurable) as fault:
            faults.append(str(fault))
    if faults:
        listed = "\n".join(f"  - {fault}" for fault in faults[:_SHOWN])
        rest = f"\n  ... and {len(faults) - _SHOWN} more" * (len(faults) > _SHOWN)
        raise PhaseError(
            f"{len(faults)} of {len(series)} recordings have no {phase}; correct the times, or leave the "
            f"recordings out of the manifest:\n{listed}{rest}"
        )
    return cut
