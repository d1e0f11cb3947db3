import numpy as np
import pytest

from biomarkers.oculomotor.pupil import PupilRatio, PupilSeries, pupil_series, pupil_validity

T = 120


@pytest.fixture
def rng():
    return np.random.default_rng(0)


def test_ratio_of_circles_where_the_eyes_are_open(make_series, eye_channels):
    pupils = np.column_stack([np.linspace(3.0, 6.0, T), np.linspace(3.0, 6.0, T)])
    closed = np.zeros(T)
    closed[:20] = 1
    series = make_series(**eye_channels(pupils, decimals=5), au45_present=closed)
    measured = PupilRatio().measure(series, recording="r")
    seen = pupils[20:, 0] / 12
    assert measured.values["pupil_ratio"] == pytest.approx(seen.mean(), abs=1e-4)
    assert measured.values["pupil_ratio_sd"] == pytest.approx(seen.std(ddof=1), abs=1e-4)
    assert measured.values["pupil_eyes_correlation"] == pytest.approx(1, abs=1e-6)
    assert measured.notes[0] == "readable as a pupil"


def test_the_floor_is_the_spread_that_rounding_gives(make_series, eye_channels, rng):
    ring = np.arange(8) * np.pi / 4
    circle = np.stack([np.cos(ring), np.sin(ring), 0 * ring], axis=1)

    def diameter(size):
        points = size / 2 * circle + rng.uniform(-0.05, 0.05, (20000, 8, 3))  # rounded to 0.1 mm
        return np.linalg.norm(points[:, :4] - points[:, 4:], axis=-1).mean(axis=1)

    simulated = (diameter(5.7) / diameter(12.4)).std()
    series = make_series(**eye_channels(np.full((T, 2), 5.7), iris=12.4, decimals=6))
    assert pupil_series(series).floor == pytest.approx(simulated, rel=0.03)


def test_eyes_that_disagree_or_stand_still_are_no_pupil(rng):
    seen, floor = np.ones(T, dtype=bool), 0.002
    together = 0.45 + 0.03 * rng.standard_normal((T, 1)) + 0.003 * rng.standard_normal((T, 2))
    apart = 0.45 + 0.03 * rng.standard_normal((T, 2))
    assert pupil_validity(PupilSeries(ratio=together, seen=seen, floor=floor)).readable
    verdict = pupil_validity(PupilSeries(ratio=apart, seen=seen, floor=floor))
    assert not verdict.readable
    assert verdict.eyes_correlation == pytest.approx(np.corrcoef(apart.T)[0, 1])
    assert "the eyes correlate by" in str(verdict)
    still = 0.45 + 0.001 * (together - 0.45)
    assert "rounding alone gives 0.44%" in str(
        pupil_validity(PupilSeries(ratio=still, seen=seen, floor=floor))
    )
    constant = np.full((T, 2), 0.45)
    assert "an eye is constant" in str(pupil_validity(PupilSeries(ratio=constant, seen=seen, floor=floor)))


def test_a_single_series_is_measured_and_cannot_be_judged(make_series, rng):
    x = 0.4 + 0.02 * rng.standard_normal(T)
    measured = PupilRatio().measure(make_series(pupil=x), recording="r")
    assert measured.values["pupil_ratio"] == pytest.approx(x.mean(), abs=1e-6)
    assert measured.values["pupil_ratio_cv"] == pytest.approx(x.std(ddof=1) / x.mean(), rel=1e-4)
    assert measured.gaps == {
        "pupil_eyes_correlation": "one series of both eyes, so whether the eyes agree cannot be seen"
    }
    assert measured.notes[0].startswith("cannot be read as a pupil: one series")


def test_without_a_pupil_there_are_reasons(make_series):
    measured = PupilRatio().measure(make_series(au45=np.zeros(T)), recording="r")
    assert set(measured.gaps.values()) == {"no eye landmarks and no pupil channel"}
    shut = make_series(pupil=np.full(T, 0.4), au45_present=np.ones(T))
    assert set(PupilRatio().measure(shut, recording="r").gaps.values()) == {
        "0 frames with open eyes, 30 are needed"
    }
