import numpy as np
import pytest

from biomarkers.features.extractor import Unmeasurable
from biomarkers.features.trimming import Phase, PhaseError, find_phase, read_phases, trim

HEADER = "recording_id,phase,start_s,stop_s\n"


def phase(start, stop):
    return Phase(recording_id="r1", phase="EI", start_s=start, stop_s=stop)


def table(tmp_path, text):
    path = tmp_path / "phases.csv"
    path.write_text(text)
    return path


@pytest.mark.parametrize("seconds", ["rate", None], ids=["times", "rate only"])
def test_a_phase_is_its_rows_and_they_keep_their_times(make_series, seconds):
    series = make_series(au12=np.arange(50), seconds=seconds, valid=np.arange(50) != 12)
    part = trim(series, phase(1.0, 2.0))
    assert part.values[:, 0].tolist() == [10, 11, 0, *range(13, 20)]
    assert part.valid.tolist() == [True, True, False] + 7 * [True]
    np.testing.assert_allclose(part.seconds, np.arange(10, 20) / 10)
    assert (part.fps, part.channels) == (10.0, ("au12",))


def test_phases_that_touch_share_no_row(make_series):
    series = make_series(au12=np.arange(90), fps=30.0, seconds=np.round(np.arange(90) / 30, 3))
    parts = [trim(series, phase(start, start + 1)).values[:, 0] for start in (0, 1, 2)]
    assert np.concatenate(parts).tolist() == list(range(90))


def test_the_true_clock_counts_where_it_is_not_that_of_the_rate(make_series):
    series = make_series(au12=np.arange(20), seconds=100 + np.arange(20) / 5)  # the rate would say 0-2 s
    assert trim(series, phase(101, 102)).values[:, 0].tolist() == [5, 6, 7, 8, 9]


@pytest.mark.parametrize(("start", "stop"), [(4.0, 5.2), (7.0, 9.0)])
def test_a_phase_outside_is_refused_with_recording_phase_and_times(make_series, start, stop):
    with pytest.raises(Unmeasurable, match=rf"'EI' of recording 'r1' \({start:g}-{stop:g} s\).* 0 to 5 s"):
        trim(make_series(au12=np.arange(50)), phase(start, stop))


def test_one_row_of_disagreement_between_two_clocks_is_allowed(make_series):
    assert len(trim(make_series(au12=np.arange(50)), phase(4.0, 5.1)).values) == 10


def test_a_phase_without_a_valid_frame_is_refused(make_series):
    series = make_series(au12=np.arange(50), valid=np.arange(50) < 20)
    with pytest.raises(Unmeasurable, match=r"'EI' of recording 'r1' \(3-4 s\) holds no valid frame \(10"):
        trim(series, phase(3, 4))


def test_a_series_without_any_time_cannot_be_cut(make_series):
    with pytest.raises(Unmeasurable, match="'r1' tells neither times nor a frame rate"):
        trim(make_series(au12=np.arange(9), fps=None), phase(0, 1))


def test_a_table_is_read_with_its_ids_as_text(tmp_path):
    phases = read_phases(table(tmp_path, "recording_id, phase,start_s,stop_s\n007,EI,1.5,3\n007,rest, 0,9\n"))
    assert phases[0] == Phase(recording_id="007", phase="EI", start_s=1.5, stop_s=3.0)
    assert find_phase(phases, recording_id="007", phase="rest").stop_s == 9
    with pytest.raises(
        PhaseError, match=r"'007' has no phase 'Rest' \(found: EI, rest\); did you mean 'rest'"
    ):
        find_phase(phases, recording_id="007", phase="Rest")
    with pytest.raises(PhaseError, match=r"'7' has no phase 'EI' \(found: none\)"):
        find_phase(phases, recording_id="7", phase="EI")


def test_all_faults_of_a_table_are_listed(tmp_path):
    rows = "a,EI,2,1\na,rest,x,3\n,EI,0,1\nb,EI,-1,1\nb,EI,0,inf\n"
    with pytest.raises(PhaseError) as caught:
        read_phases(table(tmp_path, HEADER + rows))
    message = str(caught.value)
    assert "6 problem(s)" in message
    for text in (
        "row 1 (a, EI): 2-1 s",
        "row 2 (a, rest): start_s='x' and stop_s='3'",
        "row 3 (, EI): recording_id or phase is empty",
        "row 4 (b, EI): -1-1 s",
        "row 5 (b, EI): start_s='0' and stop_s='inf'",
        "row 5 (b, EI): this phase of this recording is listed twice",
    ):
        assert text in message


@pytest.mark.parametrize(
    ("text", "message"),
    [("recording_id,phase,start_s\n", "'stop_s' is missing"), (HEADER, "the table has no rows")],
)
def test_a_table_that_is_none_is_refused(tmp_path, text, message):
    with pytest.raises(PhaseError, match=message):
        read_phases(table(tmp_path, text))
    with pytest.raises(PhaseError, match="no such table"):
        read_phases(tmp_path / "none.csv")
