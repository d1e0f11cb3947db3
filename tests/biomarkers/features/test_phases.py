"""Every recording is cut to the same phase, or named."""

from dataclasses import dataclass

import numpy as np
import pytest

from biomarkers.features.phases import FixedPhase, TabledPhase, trim_all
from biomarkers.features.trimming import PhaseError


@dataclass(frozen=True)
class Ids:
    recording_id: str
    subject_id: str = "p"
    session_id: str = "v"


@pytest.fixture
def recordings(make_series):
    """Ten and six seconds at 10 frames/s, the value being the number of the frame."""
    return [Ids("long"), Ids("short")], [make_series(au01=np.arange(n)) for n in (100, 60)]


def test_fixed_seconds_are_cut_from_every_recording(recordings):
    cut = trim_all(*recordings, FixedPhase(start_s=2, stop_s=5))
    for series in cut:
        np.testing.assert_array_equal(series.values[:, 0], np.arange(20, 50))


def test_a_table_gives_every_recording_its_own_times(recordings, tmp_path):
    path = tmp_path / "phases.csv"
    path.write_text(
        "recording_id,phase,start_s,stop_s\nlong,induction,7,9\nshort,induction,0,3\nlong,rest,0,7\n"
    )
    phase = TabledPhase(path=str(path), phase="induction")
    cut = trim_all(*recordings, phase)
    assert [(own.values[0, 0], own.values[-1, 0]) for own in cut] == [(70, 89), (0, 29)]
    assert str(phase) == "phase 'induction' of every recording, by phases.csv"


def test_recordings_without_the_phase_are_named_and_not_dropped(recordings, tmp_path):
    path = tmp_path / "phases.csv"
    path.write_text("recording_id,phase,start_s,stop_s\nlong,induction,7,9\nshort,inductoin,0,3\n")
    with pytest.raises(PhaseError, match=r"1 of 2 recordings.*\n.*'short'.*did you mean 'inductoin'"):
        trim_all(*recordings, TabledPhase(path=str(path), phase="induction"))
    with pytest.raises(PhaseError, match=r"1 of 2 recordings have no seconds 5 to 8.*\n.*'short'"):
        trim_all(*recordings, FixedPhase(start_s=5, stop_s=8))


def test_many_faults_are_counted(make_series):
    ids = [Ids(f"r{i}") for i in range(12)]
    with pytest.raises(PhaseError, match=r"12 of 12 (.|\n)*'r9'(.|\n)*and 2 more"):
        trim_all(ids, [make_series(au01=np.ones(30))] * 12, FixedPhase(start_s=5, stop_s=8))


def test_seconds_run_forward():
    with pytest.raises(PhaseError, match="start_s=3, stop_s=2"):
        FixedPhase(start_s=3, stop_s=2)
