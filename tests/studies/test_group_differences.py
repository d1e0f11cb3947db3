"""The benchmark counts what it says, on a few tiny cohorts."""

import numpy as np

from datamodules.synthetic import latent
from studies import group_differences
from studies.group_differences import MOVED, QUICKENED, Counts, draw, measure, rates, written


def test_the_channels_that_move_are_those_of_the_model():
    assert set(MOVED) == {c.name for c in latent._CHANNELS if c.effect != 0}
    assert not set(QUICKENED) & set(MOVED)


def test_a_cohort_has_both_groups_and_the_size_that_was_asked_for(monkeypatch):
    monkeypatch.setattr(group_differences, "PERSONS", (10, 12))
    values, depressed = draw(0)
    assert 10 <= len(values) == len(depressed) <= 12
    assert values.shape[1] == len(latent.CHANNELS)
    assert 0 < depressed.sum() < len(depressed)


def test_separate_channels_are_counted_as_found_and_not_under_the_null(monkeypatch):
    """Only au12, which severity moves, and au02, which it leaves alone, differ: by far more than noise."""

    def differing(number):
        rng = np.random.default_rng(number)
        depressed = np.arange(40) % 2 == 0
        values = rng.standard_normal((40, len(latent.CHANNELS)))
        values[depressed, latent.CHANNELS.index("au12")] += 9
        values[depressed, latent.CHANNELS.index("au02")] += 9
        return values, depressed

    monkeypatch.setattr(group_differences, "draw", differing)
    counts = measure(cohorts=3, seed=0)
    assert counts.channels["welch_p_holm"]["au12"] == counts.channels["welch_p_holm"]["au02"] == 3
    assert counts.unmoved["welch_p_holm"] == 3
    assert counts.under_null["welch_p_holm"] < 3
    moved, unmoved = (dict(rows) for rows in rates(counts, "welch_p_holm"))
    assert moved["au12"].startswith("100.0% (43.9% to")
    assert unmoved["au02"].startswith("100.0%")
    assert moved["au01"].startswith("0.0%")


def test_the_page_says_when_a_correction_is_broken():
    counts = Counts(cohorts=100)
    assert "Both keep it" in written(counts, command="c", day="d", minutes=1)
    counts.under_null["u_p_holm"] = 20
    assert "Mann-Whitney, Holm breaks it" in written(counts, command="c", day="d", minutes=1)
