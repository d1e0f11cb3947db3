"""Behavior follows its equations: levels, habits, symptoms, acts; and a dial that is off changes nothing."""

import hashlib
from dataclasses import replace

import numpy as np
import pytest

from datamodules.synthetic import acts
from datamodules.synthetic.appearance import Appearance
from datamodules.synthetic.behavior import act_statistics, behave, habit_statistics, statistics
from datamodules.synthetic.face import landmarks
from datamodules.synthetic.latent import _CHANNELS, CHANNELS, LatentSettings, draw_cohort
from datamodules.synthetic.questionnaire import DOMAINS
from datamodules.synthetic.recording import CohortSettings, placement, recorded_series

SETTINGS = LatentSettings(
    n_subjects=60, n_visits=4, fps=15.0, duration_s=8.0, confound=1.0, habit_visibility=0.1, seed=3
)
MOVED = np.array([channel.effect != 0 for channel in _CHANNELS])
# Of the cohort before it had stability, movement, drift and interaction, by facial heterogeneity.
DIGESTS = {
    0.0: ("99c2e4c2f226e08e", "416d27c3a0c1b009", "0cd1861cbeae36de", "c4477ad0bc7bfa9d"),
    0.5: ("12ed1b112eafe175", "416d27c3a0c1b009", "d54f0b4bebf2f56c", "c4477ad0bc7bfa9d"),
}


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


def digest(arrays):
    content = b"".join(np.ascontiguousarray(array, dtype=np.float32).tobytes() for array in arrays)
    return hashlib.sha256(content).hexdigest()[:16]


def latents(visit):
    p = visit.person
    rest = [*p.habit, *p.own, *p.rates, p.expressiveness, p.level, *p.profile, p.age, *p.traits.values()]
    return np.array([visit.severity, *visit.day, *rest])


@pytest.mark.parametrize("heterogeneity", DIGESTS)
def test_the_default_dials_change_no_byte(heterogeneity):
    latent = LatentSettings(3, 3, 12.0, 4.0, 1.0, 0.1, seed=7, facial_heterogeneity=heterogeneity)
    settings = CohortSettings(latent=latent, size=48, heterogeneity=0.3)
    visits = draw_cohort(latent)
    series = [recorded_series(visit, settings) for visit in visits]
    people = [visit.person for visit in visits]
    assert DIGESTS[heterogeneity] == (
        digest(series),
        digest(latents(visit) for visit in visits),
        digest(
            landmarks(Appearance.draw(p.appearance_seed), x, 1, placement(v, settings))
            for v, p, x in zip(visits, people, series, strict=True)
        ),
        digest(list(habit_statistics(p, latent).values()) for p in people),
    )
    assert act_statistics(visits[0], latent, 4.0) == {}


MOVING = replace(SETTINGS, movement=0.75, duration_s=40.0, n_subjects=12, n_visits=2)
LEVEL = [CHANNELS.index(name) for name in ("au01", "au04", "au15", "gaze_y", "pose_pitch")]  # no smiles


@pytest.mark.parametrize("movement", [0.0, 0.75, 1.0])
def test_movement_takes_habit_and_effect_out_of_levels(movement, monkeypatch):
    monkeypatch.setattr(acts, "render_events", lambda *rest: {})
    settings = replace(SETTINGS, movement=movement)
    (visit, *_) = draw_cohort(settings)
    visit = replace(visit, severity=0.0, day=0 * visit.day, person=replace(visit.person, habit=0 * MOVED))
    plain = behave(visit, settings)
    still = np.sqrt(1 - movement)
    effect, spread = (np.array([getattr(c, name) for c in _CHANNELS]) for name in ("effect", "spread"))
    for changed, expected in (
        (replace(visit, severity=0.7), 0.7 * still * effect),
        (replace(visit, person=replace(visit.person, habit=0.3 * MOVED)), 0.3 * still * spread),
        # a level varies within a person as much as ever: what severity gives up becomes the day's
        (replace(visit, day=0.1 * MOVED), 0.1 * np.sqrt(1 + movement / 0.5**2) * np.ones(len(CHANNELS))),
    ):
        moved = (behave(changed, settings) - plain)[:, LEVEL]
        np.testing.assert_allclose(moved, np.tile(expected[LEVEL], (len(moved), 1)), atol=1e-5)


def test_acts_are_added_to_what_was_there():
    visits = draw_cohort(MOVING)
    with_acts = np.concatenate([behave(visit, MOVING) for visit in visits])
    without = np.concatenate([behave(visit, replace(MOVING, movement=0.0)) for visit in visits])
    acting = {channel for act in acts.ACTS for channel in (act.lead, act.follower)}
    fast = np.abs(np.diff(with_acts, axis=0)).mean(axis=0) / np.abs(np.diff(without, axis=0)).mean(axis=0)
    for j, channel in enumerate(CHANNELS):
        if channel in acting:
            assert fast[j] > 1.1, channel
        elif channel != "au45" and not MOVED[j]:  # levels of those change as well
            np.testing.assert_array_equal(with_acts[:, j], without[:, j])


def test_act_statistics_know_the_recording_only():
    visit = draw_cohort(MOVING)[0]
    ill = replace(visit, severity=visit.severity + 3)
    whole, half = (act_statistics(visit, MOVING, seconds) for seconds in (40.0, 20.0))
    assert len(whole) == len(acts.ACTS) * len(acts.ASPECTS)
    assert whole.keys() == half.keys()
    assert whole != half
    assert act_statistics(ill, MOVING, 40.0)["smile_rise"] > whole["smile_rise"]


@pytest.mark.slow
def test_habits_of_movement_predict_the_visits_of_a_person():
    settings = replace(MOVING, n_subjects=40, duration_s=160.0)  # a rate shows in some thirty acts
    visits = draw_cohort(settings)
    habit = {v.person.index: habit_statistics(v.person, settings) for v in visits}
    found = [act_statistics(replace(v, severity=0.0), settings, 160.0) for v in visits]
    for name in ("smile_rate", "frown_rise", "nod_amplitude", "glance_joining", "brow_lag"):
        own = np.array([habit[v.person.index][name] for v in visits])
        seen = np.array([row[name] for row in found])
        assert np.corrcoef(own, seen)[0, 1] > 0.5, name
        assert np.polyfit(own, seen, 1)[0] == pytest.approx(1, abs=0.25), name


def test_a_style_scales_the_effect_of_severity():
    visits = draw_cohort(SETTINGS)
    strong = replace(SETTINGS, interaction=0.5)
    j = CHANNELS.index("au04")
    for visit in visits[:8]:
        ill, well = (replace(visit, severity=value, day=0 * visit.day) for value in (0.3, 0.0))
        plain, scaled = ((behave(ill, s) - behave(well, s))[:, j] for s in (SETTINGS, strong))
        inside = (behave(ill, strong)[:, j] < 5) & (behave(well, strong)[:, j] > 0)
        np.testing.assert_allclose(
            scaled[inside], plain[inside] * np.exp(0.5 * visit.person.style), atol=1e-5
        )
