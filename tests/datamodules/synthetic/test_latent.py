"""The latent model does what its equations say: dials, streams, ranges."""

from dataclasses import replace

import numpy as np
import pytest

from datamodules.synthetic.behavior import behave, habit_statistics, statistics
from datamodules.synthetic.latent import _CHANNELS, CHANNELS, LatentSettings, draw_cohort
from datamodules.synthetic.questionnaire import DOMAINS

SETTINGS = LatentSettings(
    n_subjects=60, n_visits=4, fps=15.0, duration_s=8.0, confound=1.0, habit_visibility=0.1, seed=3
)
MOVED = np.array([channel.effect != 0 for channel in _CHANNELS])


def levels(settings):
    visits = draw_cohort(settings)
    return visits, np.stack([behave(visit, settings).mean(axis=0) for visit in visits])


def between_person_std(settings):
    visits, level = levels(settings)
    persons = np.array([visit.person.index for visit in visits])
    return np.stack([level[persons == p].mean(axis=0) for p in np.unique(persons)]).std(axis=0)


def test_same_settings_same_cohort():
    first, second = draw_cohort(SETTINGS), draw_cohort(SETTINGS)
    for a, b in zip(first[:6], second[:6], strict=True):
        np.testing.assert_array_equal(behave(a, SETTINGS), behave(b, SETTINGS))
        assert a.severity == b.severity
    other = replace(SETTINGS, seed=4)
    assert not np.array_equal(behave(draw_cohort(other)[0], other), behave(first[0], SETTINGS))


def test_a_person_does_not_depend_on_the_size_of_the_cohort():
    small = draw_cohort(replace(SETTINGS, n_subjects=2, n_visits=2))
    large = draw_cohort(SETTINGS)
    assert small[2].person.subject_id == large[4].person.subject_id
    np.testing.assert_array_equal(small[2].person.habit, large[4].person.habit)
    assert small[3].severity == large[5].severity


def test_severity_is_standard_and_mostly_within_persons():
    visits = draw_cohort(replace(SETTINGS, n_subjects=1500))
    severity = np.array([visit.severity for visit in visits]).reshape(1500, 4)
    assert abs(severity.mean()) < 0.06
    assert abs(severity.std() - 1) < 0.05
    # ICC(1): between-person share of the variance
    between, within = 4 * severity.mean(axis=1).var(ddof=1), severity.var(axis=1, ddof=1).mean()
    assert (between - within) / (between + 3 * within) == pytest.approx(0.15, abs=0.05)


def test_confound_spreads_the_persons_on_the_moved_channels_only():
    on, off = between_person_std(SETTINGS), between_person_std(replace(SETTINGS, confound=0.0))
    level_channels = MOVED & (np.array(CHANNELS) != "au45")
    assert (on[level_channels] > 1.5 * off[level_channels]).all()
    still = ~MOVED & (np.array(CHANNELS) != "au45")
    np.testing.assert_allclose(on[still], off[still], rtol=1e-6)


def test_visibility_lets_the_untouched_channels_tell_the_habit():
    def explained(settings):
        visits, level = levels(settings)
        habit = np.stack([visit.person.habit[MOVED] for visit in visits])
        untouched = np.c_[level[:, ~MOVED], np.ones(len(level))]
        weights, *_ = np.linalg.lstsq(untouched, habit, rcond=None)
        return 1 - ((habit - untouched @ weights) ** 2).sum() / ((habit - habit.mean(axis=0)) ** 2).sum()

    assert explained(replace(SETTINGS, habit_visibility=0.0)) < 0.3
    assert explained(replace(SETTINGS, habit_visibility=0.95)) > 0.7


def faces(settings):
    """Severity, symptom profile and mean level of the person, visit by visit."""
    visits, level = levels(settings)
    severity = np.array([visit.severity for visit in visits])
    return severity, np.stack([visit.person.profile for visit in visits]), level


def test_a_face_can_follow_the_symptoms_of_its_person():
    plain = replace(SETTINGS, n_subjects=150, confound=0.0)
    severity, profile, level = faces(plain)
    same, _, shown = faces(replace(plain, facial_heterogeneity=0.6))
    np.testing.assert_array_equal(same, severity)
    moved = shown - level
    for channel, domain in {
        "au12": "mood",
        "au04": "tension",
        "au01": "cognition",
        "gaze_y": "somatic",
    }.items():
        j, d = CHANNELS.index(channel), DOMAINS.index(domain)
        # 0.8 s + 0.6 profile instead of s, as far as ranges allow; the rest of the draws is the same
        expected = _CHANNELS[j].effect * (-0.2 * severity + 0.6 * profile[:, d])
        assert np.corrcoef(moved[:, j], expected)[0, 1] > 0.9
        assert abs(np.corrcoef(level[:, j], profile[:, d])[0, 1]) < 0.2
    still = ~MOVED & (np.array(CHANNELS) != "au45")
    np.testing.assert_array_equal(moved[:, still], 0)


def test_habits_do_not_know_the_symptoms():
    person = draw_cohort(SETTINGS)[0].person
    assert habit_statistics(person, SETTINGS) == habit_statistics(
        person, replace(SETTINGS, facial_heterogeneity=0.9)
    )


@pytest.mark.slow
def test_habit_statistics_predict_the_visits_of_a_person():
    visits, level = levels(replace(SETTINGS, duration_s=20.0))
    habit = {v.person.index: habit_statistics(v.person, SETTINGS) for v in visits}
    j = CHANNELS.index("au04")
    resting = np.array([habit[v.person.index]["au04_mean"] for v in visits])
    severity = np.array([v.severity for v in visits])
    assert np.corrcoef(level[:, j], severity)[0, 1] < 0.6
    assert np.corrcoef(level[:, j] - resting, severity)[0, 1] > 0.8


def test_ranges_and_statistics():
    series = behave(draw_cohort(SETTINGS)[0], SETTINGS)
    assert series.shape == (120, len(CHANNELS))
    assert series.dtype == np.float32
    low, high = np.array([[c.low, c.high] for c in _CHANNELS]).T
    assert (series >= low - 1e-6).all()
    assert (series <= high + 1e-6).all()
    stats = statistics(series)
    assert stats["pupil_std"] == pytest.approx(float(np.std(series[:, CHANNELS.index("pupil")])))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"confound": -1.0}, "spread"),
        ({"habit_visibility": 1.5}, "share"),
        ({"facial_heterogeneity": -0.1}, "share"),
        ({"n_visits": 0}, "visits"),
        ({"fps": 0.1}, "two frames"),
    ],
)
def test_meaningless_settings_are_refused(change, message):
    with pytest.raises(ValueError, match=message):
        replace(SETTINGS, **change)
