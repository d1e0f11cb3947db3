"""OpenFace's eyes of two persons, two visits each; needs the folder EUTHYMIA_DATA names."""

import os
from pathlib import Path

import numpy as np
import pytest

from biomarkers.oculomotor.blinks import BlinkFeatures
from biomarkers.oculomotor.gaze import GazeDirection
from biomarkers.oculomotor.movements import EyeMovements
from biomarkers.oculomotor.pupil import SHAPE_MODEL, PupilRatio, pupil_series, pupil_validity
from datamodules.series import read_series
from datamodules.series.channel_schema import EYE_POINTS, points
from datamodules.series.eye_landmarks import ring_diameters

DATA = Path(os.environ.get("EUTHYMIA_DATA", "")) / "opendbm_sample"
pytestmark = pytest.mark.skipif(
    not os.environ.get("EUTHYMIA_DATA") or not DATA.is_dir(), reason="needs EUTHYMIA_DATA/opendbm_sample"
)
CHANNELS = ["au45", "au45_present", "gaze_x", "gaze_y", *points("eye_lmk_", "XYZ", EYE_POINTS)]


@pytest.fixture(scope="module")
def eyes():
    files = sorted(DATA.glob("*_openface.csv.gz"))
    return {
        path.name.removesuffix("_openface.csv.gz"): read_series(path, channels=CHANNELS) for path in files
    }


def test_blinks_are_those_a_look_at_the_signal_counts(eyes):
    counted = {
        name: round(values["blink_rate"] * series.valid.sum() / series.fps / 60)
        for name, series in eyes.items()
        for values in [BlinkFeatures().measure(series, recording=name).values]
    }
    assert counted == {
        "subj01_timepoint01": 1,
        "subj01_timepoint02": 0,
        "subj02_timepoint01": 0,
        "subj02_timepoint02": 2,
    }
    notes = BlinkFeatures().measure(eyes["subj02_timepoint02"], recording="r").notes
    assert "2 blinks by au45, 2 by eye_aspect_ratio, 2 by both" in notes


def test_no_pupil_is_readable_and_the_ratio_is_that_of_the_shape_model(eyes):
    pupil, iris = ring_diameters(eyes["subj01_timepoint01"])
    ratio = pupil / iris  # of all frames, closed eyes included
    np.testing.assert_allclose(ratio.mean(axis=0), [0.459, 0.465], atol=5e-4)
    np.testing.assert_allclose(ratio.std(axis=0), [0.008, 0.019], atol=5e-4)
    for name, series in eyes.items():
        verdict = pupil_validity(pupil_series(series))
        assert not verdict.readable
        assert verdict.eyes_correlation < 0.5
        measured = PupilRatio().measure(series, recording=name)
        assert 0.45 < measured.values["pupil_ratio"] < 0.49  # two persons, four visits, one number
        assert SHAPE_MODEL in measured.notes


def test_sitting_people_who_look_at_the_camera_have_noise_and_no_jumps(eyes):
    for name, series in eyes.items():
        values = EyeMovements().measure(series, recording=name).values
        assert values["saccade_like_rate"] == 0
        assert 10 < values["gaze_velocity"] < 35  # what 30 deg/s, the threshold of eye trackers, would count
        assert GazeDirection().measure(series, recording=name).values["gaze_dispersion"] < 3
