import numpy as np
import pytest

from biomarkers.features.emotions import (
    EMOTIONS,
    Availability,
    EmotionFeatures,
    available,
    emotion_intensities,
)
from biomarkers.features.extractor import Unmeasurable
from biomarkers.features.statistics import SummaryStatistics
from datamodules.series.channel_schema import au
from datamodules.series.formats.openface import INTENSITIES


def openface(make_series, rows=40, **more):
    rng = np.random.default_rng(0)
    return make_series(**{au(unit): rng.uniform(0, 5, rows) for unit in INTENSITIES}, **more)


def of(series, *names):
    return sum(series.values[:, series.channels.index(name)].astype(float) for name in names)


def test_sums_of_what_is_there_say_what_lacks(make_series):
    series = openface(make_series)
    emotions = emotion_intensities(series, missing="sum_available")
    assert emotions.series.channels == tuple(EMOTIONS)
    expected = {
        "happiness": ("au06", "au12"),
        "sadness": ("au01", "au04", "au15"),
        "surprise": ("au01", "au02", "au05", "au26"),
        "fear": ("au01", "au02", "au04", "au05", "au20", "au26"),
        "disgust": ("au09", "au15"),
        "anger": ("au04", "au05", "au07", "au23"),
    }
    for name, members in expected.items():
        np.testing.assert_allclose(of(emotions.series, name), of(series, *members), rtol=1e-6)
    lacking = {name: report.missing for name, report in emotions.members.items() if report.missing}
    assert lacking == {"fear": ("au28",), "disgust": ("au16",)}
    assert emotions.left_out == ()


def test_emotions_that_lack_a_member_can_be_left_out(make_series):
    emotions = emotion_intensities(openface(make_series), missing="leave_out")
    assert emotions.series.channels == ("happiness", "sadness", "surprise", "anger")
    assert emotions.left_out == ("fear", "disgust")


def test_openface_lacks_units_of_a_published_selection(make_series):
    report = available(openface(make_series), (4, 28, 18, 12))
    assert report == Availability(found=("au04", "au12"), missing=("au28", "au18"))
    assert str(report) == "found au04, au12; missing au28, au18"


def test_the_table_is_data(make_series):
    series = make_series(au06=[1, 2], au12=[3, 4], valid=[True, False])
    emotions = emotion_intensities(series, missing="leave_out", table={"smile": [12, 6]})
    assert emotions.series.values.tolist() == [[4.0], [0.0]]
    assert emotions.series.valid.tolist() == [True, False]
    with pytest.raises(ValueError, match=r"no emotion can be summed \(pout: found none; missing au18\)"):
        emotion_intensities(series, missing="sum_available", table={"pout": [18]})


def test_features_of_emotions_carry_the_report(make_series):
    series = openface(make_series)
    features = EmotionFeatures(
        extractor=SummaryStatistics(channels=("happiness", "fear")), missing="leave_out"
    )
    measured = features.measure(series, recording="r1")
    assert measured.values["happiness_mean"] == pytest.approx(of(series, "au06", "au12").mean(), rel=1e-6)
    assert np.isnan(measured.values["fear_mean"])
    assert measured.gaps["fear_mean"] == "no channel 'fear'"
    assert measured.notes[-1] == "left out: fear, disgust"
    assert any(
        note.startswith("fear: found au01") and note.endswith("missing au28") for note in measured.notes
    )
    with pytest.raises(Unmeasurable, match="recording 'r2': no emotion"):
        features.measure(make_series(gaze_x=np.zeros(40)), recording="r2")
