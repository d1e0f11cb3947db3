import numpy as np
import pytest

from biomarkers.features.events import EventFeatures
from biomarkers.features.extractor import Unmeasurable
from datamodules.synthetic.behavior import behave
from datamodules.synthetic.latent import CHANNELS, LatentSettings, draw_cohort


def triangle(rise, fall, peak, rows):
    """0 at the first row, up by `peak` in `rise` rows, down in `fall`, then 0."""
    return np.interp(np.arange(rows), [0, rise, rise + fall], [0, peak, 0])


def test_features_are_means_over_the_events_of_a_signal_drawn_by_hand(make_series):
    # 10 rows/s. Up to 4 in 1 s, down in 2 s; then up to 2 in 0.2 s, down in 0.4 s.
    x = np.concatenate([triangle(10, 20, 4.0, 40), triangle(2, 4, 2.0, 20)])
    values = EventFeatures(channels=["au12"]).measure(make_series(au12=x), recording="r").values
    assert values["au12_event_rate"] == pytest.approx(2 / (6 / 60))
    assert values["au12_event_duration"] == pytest.approx((2.6 + 0.5) / 2)
    assert values["au12_onset_speed"] == pytest.approx(7.0)
    assert values["au12_offset_speed"] == pytest.approx(3.5)


def test_the_rate_counts_valid_time_only(make_series):
    x = np.concatenate([triangle(4, 4, 3.0, 20)] * 5)
    valid = np.ones(100, dtype=bool)
    valid[60:] = False
    values = EventFeatures(channels=["au12"]).measure(make_series(au12=x, valid=valid), recording="r").values
    assert values["au12_event_rate"] == pytest.approx(3 / (6 / 60))


def test_no_event_is_a_rate_of_zero_and_gaps_with_a_reason(make_series):
    measured = EventFeatures(channels=["au12", "au23"]).measure(make_series(au12=np.zeros(40)), recording="r")
    assert measured.values["au12_event_rate"] == 0
    assert {name: reason for name, reason in measured.gaps.items() if name.startswith("au12")} == {
        "au12_event_duration": "'au12': no event",
        "au12_onset_speed": "'au12': no event",
        "au12_offset_speed": "'au12': no event",
    }
    assert measured.gaps["au23_event_rate"] == "no channel 'au23'"
    assert set(measured.gaps) == {name for name, value in measured.values.items() if np.isnan(value)}


def test_a_face_that_rests_high_shows_its_events_above_its_own_median(make_series):
    series = make_series(au12=2.0 + np.concatenate([np.zeros(40), triangle(5, 5, 1.5, 20)] * 2))
    plain = EventFeatures(channels=["au12"]).measure(series, recording="r")
    assert plain.values["au12_event_rate"] == pytest.approx(1 / (12 / 60))  # one, from end to end
    assert plain.gaps["au12_event_duration"] == "'au12': the duration of no event is seen"
    own = EventFeatures(channels=["au12"], from_median=True).measure(series, recording="r")
    assert own.values["au12_event_rate"] == pytest.approx(2 / (12 / 60))
    assert own.values["au12_onset_speed"] == pytest.approx(3.0)


def test_the_rate_of_blinks_is_that_of_the_process_they_were_drawn_from(make_series):
    # Blinks of docs/guide/cohort.md: a Poisson process of 16 exp(0.15 s) a minute at severity s, where no
    # habit moves rates; blinks of 0.3 s that overlap are one event, which thins a rate r to r exp(-r d).
    settings = LatentSettings(40, 1, 30.0, 60.0, confound=0.0, habit_visibility=0.0, seed=0)
    extractor = EventFeatures(channels=["au45"], low=1.0, high=2.0)
    expected, found = [], []
    for visit in draw_cohort(settings):
        blinks = behave(visit, settings)[:, CHANNELS.index("au45")]
        rate = 16 * np.exp(0.15 * visit.severity)
        expected.append(rate * np.exp(-rate / 60 * 0.3))
        measured = extractor.measure(make_series(au45=blinks, fps=30.0), recording="r")
        found.append(measured.values["au45_event_rate"])
    assert np.mean(found) == pytest.approx(np.mean(expected), rel=0.1)  # 3 standard errors of 600 events


def test_a_recording_without_time_or_frames_is_refused(make_series):
    with pytest.raises(Unmeasurable, match="'r' tells neither times"):
        EventFeatures(channels=["au12"]).measure(make_series(au12=np.zeros(40), fps=None), recording="r")
    with pytest.raises(Unmeasurable, match="20 of 20 frames are valid, 30 are needed"):
        EventFeatures(channels=["au12"]).measure(make_series(au12=np.zeros(20)), recording="r")
