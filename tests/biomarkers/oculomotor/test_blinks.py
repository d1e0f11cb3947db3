import numpy as np
import pytest

from biomarkers.features.extractor import Unmeasurable
from biomarkers.oculomotor.blinks import BlinkFeatures
from datamodules.series.blinks import eyes_open
from datamodules.synthetic.behavior import behave
from datamodules.synthetic.latent import CHANNELS, LatentSettings, draw_cohort

ONSETS = (1.0, 3.0, 4.5, 7.0, 9.0)  # seconds, in 12 s


def blinking(fps, *, onsets=ONSETS, seconds=12.0, length=0.3, height=3.0, rest=0.0):
    """A raised cosine of `length` at each onset, on a rest."""
    times = np.arange(round(seconds * fps)) / fps
    phase = (times[:, None] - np.array(onsets)[None]) / length
    bumps = np.where((phase > 0) & (phase < 1), 0.5 - 0.5 * np.cos(2 * np.pi * phase), 0)
    return rest + height * bumps.max(axis=1)


@pytest.mark.parametrize("fps", [15.0, 30.0, 60.0])
def test_five_blinks_in_twelve_seconds_at_any_rate(make_series, fps):
    measured = BlinkFeatures().measure(make_series(fps=fps, au45=blinking(fps)), recording="r")
    assert measured.values["blink_rate"] == pytest.approx(5 / 12 * 60)
    # The cosine exceeds 0.5 of 3 where cos(2 pi u) < 2 / 3: a share 1 - acos(2 / 3) / pi of its 0.3 s.
    expected = 0.3 * (1 - np.arccos(2 / 3) / np.pi)
    assert measured.values["blink_duration"] == pytest.approx(expected, abs=1 / fps)
    assert measured.values["closed_share"] == pytest.approx(5 * expected / 12, abs=5 / fps / 12)
    assert measured.values["closure_rate"] == 0
    assert measured.gaps == {}


def test_a_face_that_rests_high_blinks_all_the_same(make_series):
    measured = BlinkFeatures().measure(make_series(fps=30.0, au45=blinking(30, rest=1.2)), recording="r")
    assert measured.values["blink_rate"] == pytest.approx(25)


def test_closed_eyes_are_no_blink(make_series):
    x = np.zeros(300)
    x[100:130], x[200:206] = 2.0, 2.0  # a second, and 0.2 s
    values = BlinkFeatures().measure(make_series(fps=30.0, au45=x), recording="r").values
    assert values["blink_rate"] == values["closure_rate"] == pytest.approx(6)
    assert values["blink_duration"] == pytest.approx(0.2)
    assert values["closed_share"] == pytest.approx(36 / 300)


def test_a_gap_takes_its_time_and_its_blinks_away(make_series):
    valid = np.ones(360, dtype=bool)
    valid[180:] = False  # the blinks at 7 and 9 s, and six of twelve seconds
    series = make_series(fps=30.0, valid=valid, au45=blinking(30))
    assert BlinkFeatures().measure(series, recording="r").values["blink_rate"] == pytest.approx(3 / 6 * 60)


def test_lids_and_presence_tell_the_same_and_a_note_says_so(make_series, eye_channels):
    x = blinking(30.0)
    lids = eye_channels(np.full((len(x), 2), 5.0), openings=9 - 2 * x)  # 9 mm open, 3 mm in a blink
    series = make_series(fps=30.0, au45=x, au45_present=x > 1.5, **lids)
    by_lids = BlinkFeatures(signal="eye_aspect_ratio").measure(series, recording="r")
    assert by_lids.values["blink_rate"] == pytest.approx(25)
    assert BlinkFeatures().measure(series, recording="r").notes == (
        "blinks from au45",
        "5 blinks by au45, 5 by eye_aspect_ratio, 5 by both",
        "5 blinks by au45, 5 by au45_present, 5 by both",
    )
    late = make_series(fps=30.0, au45=x, au45_present=np.roll(x, 36) > 1.5)  # at 2.2, 4.2, ...
    assert BlinkFeatures().measure(late, recording="r").notes[1] == (
        "5 blinks by au45, 5 by au45_present, 1 by both"
    )


def test_blendshapes_and_lids_serve_where_there_is_no_action_unit(make_series, eye_channels):
    x = blinking(30.0, height=0.8)
    series = make_series(fps=30.0, eyeBlinkLeft=x, eyeBlinkRight=0.9 * x + 0.1)
    measured = BlinkFeatures().measure(series, recording="r")
    assert measured.notes == ("blinks from eyeBlink",)
    assert measured.values["blink_rate"] == pytest.approx(25)
    assert (eyes_open(series) == (0.95 * x < 0.2)).all()
    lids = make_series(fps=30.0, **eye_channels(np.full((len(x), 2), 5.0), openings=9 - 5 * x, decimals=6))
    assert (eyes_open(lids) == (5 * x / 9 < 0.15)).all()


def test_open_eyes_are_valid_and_neither_signal_says_closed(make_series):
    series = make_series(au45=[0, 0, 0.6, 0, 0, 0], au45_present=[0, 1, 0, 0, 0, 0], valid=[1, 1, 1, 1, 1, 0])
    series = type(series)(**{**vars(series), "valid": series.valid.astype(bool)})
    assert eyes_open(series).tolist() == [True, False, False, True, True, False]


def test_the_cohort_blinks_as_it_was_drawn(make_series):
    # docs/guide/cohort.md: 16 exp(0.15 s) blinks a minute of 0.3 s; those that overlap are one.
    settings = LatentSettings(30, 1, 15.0, 40.0, confound=0.0, habit_visibility=0.0, seed=1)
    found, expected = [], []
    for visit in draw_cohort(settings):
        x = behave(visit, settings)[:, CHANNELS.index("au45")]
        rate = 16 * np.exp(0.15 * visit.severity)
        expected.append(rate * np.exp(-rate / 60 * 0.3))
        found.append(
            BlinkFeatures().measure(make_series(fps=15.0, au45=x), recording="r").values["blink_rate"]
        )
    # 3 standard errors of a Poisson count of about 300
    assert np.mean(found) == pytest.approx(np.mean(expected), rel=3 / np.sqrt(300))


def test_what_cannot_be_seen_is_refused(make_series):
    with pytest.raises(Unmeasurable, match=r"'r' has 10 frames/s; events of the eyes need 15"):
        BlinkFeatures().measure(make_series(fps=10.0, au45=blinking(10)), recording="r")
    with pytest.raises(Unmeasurable, match=r"'r' shows 3 s of a face; a rate needs 4 s"):
        BlinkFeatures().measure(make_series(fps=30.0, au45=blinking(30, seconds=3)), recording="r")
    with pytest.raises(Unmeasurable, match="'r' tells neither times nor a frame rate"):
        BlinkFeatures().measure(make_series(fps=None, au45=blinking(30)), recording="r")
    with pytest.raises(Unmeasurable, match="none of au45, eyeBlink, eye_aspect_ratio, au45_present"):
        BlinkFeatures().measure(make_series(fps=30.0, gaze_x=blinking(30)), recording="r")
    with pytest.raises(ValueError, match="signal='au46'"):
        BlinkFeatures(signal="au46")
