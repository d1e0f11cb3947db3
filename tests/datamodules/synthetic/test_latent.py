"""The latent model does what its equations say: dials and streams of persons and visits."""

from dataclasses import replace

import numpy as np
import pytest

from datamodules.synthetic.latent import LatentSettings, draw_cohort

SETTINGS = LatentSettings(
    n_subjects=60, n_visits=4, fps=15.0, duration_s=8.0, confound=1.0, habit_visibility=0.1, seed=3
)
HABITS = ("habit", "own", "rates", "tempo")


def test_a_person_does_not_depend_on_the_size_of_the_cohort():
    small = draw_cohort(replace(SETTINGS, n_subjects=2, n_visits=2))
    large = draw_cohort(SETTINGS)
    assert small[2].person.subject_id == large[4].person.subject_id
    np.testing.assert_array_equal(small[2].person.habit, large[4].person.habit)
    assert small[3].severity == large[5].severity


@pytest.mark.parametrize("stability", [0.15, 0.8])
def test_stability_is_the_share_of_severity_between_persons(stability):
    visits = draw_cohort(replace(SETTINGS, n_subjects=1500, stability=stability))
    severity = np.array([visit.severity for visit in visits]).reshape(1500, 4)
    assert abs(severity.mean()) < 0.08
    assert abs(severity.std() - 1) < 0.05
    # ICC(1): between-person share of the variance
    between, within = 4 * severity.mean(axis=1).var(ddof=1), severity.var(axis=1, ddof=1).mean()
    assert (between - within) / (between + 3 * within) == pytest.approx(stability, abs=0.05)


def habits(settings):
    """All habits that vary, `(persons, visits, habits)`."""
    visits = draw_cohort(settings)
    rows = np.array([np.concatenate([np.ravel(getattr(v.person, h)) for h in HABITS]) for v in visits])
    rows = rows.reshape(settings.n_subjects, settings.n_visits, -1)
    return rows[:, :, rows.std(axis=(0, 1)) > 0]


@pytest.mark.parametrize("drift", [0.0, 0.3, 1.0])
def test_drifting_habits_keep_their_variance(drift):
    found = habits(replace(SETTINGS, n_subjects=400, drift=drift))
    np.testing.assert_allclose(found.std(axis=0), 1, atol=0.2)

    def correlation(apart):
        pairs = found[:, :-apart] * found[:, apart:]
        return pairs.mean() / (found**2).mean()

    assert correlation(1) == pytest.approx(1 - drift, abs=0.03)
    assert correlation(2) == pytest.approx((1 - drift) ** 2, abs=0.03)


def test_drift_changes_habits_only():
    still, moved = draw_cohort(SETTINGS), draw_cohort(replace(SETTINGS, drift=0.5))
    for a, b in zip(still, moved, strict=True):
        assert a.severity == b.severity
        assert a.person.traits == b.person.traits
        assert a.person.appearance_seed == b.person.appearance_seed
        assert np.array_equal(a.person.habit, b.person.habit) == (a.index == 0)
    assert draw_cohort(replace(SETTINGS, n_visits=2, drift=0.5))[3].person.rates.tolist() == (
        moved[5].person.rates.tolist()
    )


def test_half_of_a_habit_of_movement_is_the_style_of_the_level_habits():
    found = [visit.person for visit in draw_cohort(replace(SETTINGS, n_subjects=1500, n_visits=1))]
    style = np.array([person.style for person in found])
    for name in ("habit", "tempo"):
        values = np.array([np.ravel(getattr(person, name)) for person in found])
        shared = [np.corrcoef(style, v)[0, 1] ** 2 for v in values.T if v.std() > 0]
        np.testing.assert_allclose(shared, 0.5, atol=0.07)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"confound": -1.0}, "confound=-1.0 is a strength"),
        ({"confound": 30.0}, r"confound=30.0 .* from 0 \(off\) to 5"),
        ({"interaction": float("inf")}, r"interaction=inf .* to 1"),
        ({"habit_visibility": 1.5}, "share"),
        ({"facial_heterogeneity": -0.1}, "share"),
        ({"stability": 0.95}, "stability=0.95 .* from 0 to 0.9"),
        ({"stability": -0.1}, "stability"),
        ({"movement": 1.1}, "movement=1.1 is a share"),
        ({"drift": -0.2}, "drift=-0.2 is a share"),
        ({"interaction": -1.0}, "interaction"),
        ({"n_visits": 0}, "visits"),
        ({"fps": 0.1}, "two frames"),
    ],
)
def test_meaningless_settings_are_refused(change, message):
    with pytest.raises(ValueError, match=message):
        replace(SETTINGS, **change)
