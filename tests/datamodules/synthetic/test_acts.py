"""Acts keep each channel's own statistics while their relation changes; their record tells their aspects."""

from dataclasses import fields

import numpy as np
import pytest
from scipy.stats import ks_2samp

from datamodules.synthetic import acts
from datamodules.synthetic.acts import ACTS, ASPECTS, Events, aspects, draw_events, render_events
from datamodules.synthetic.latent import CHANNELS

NOBODY = np.zeros((len(ACTS), len(ASPECTS)))


def levels(**changes):
    """Aspects of an average person, some set anew for all acts."""
    out = aspects(np.zeros(len(ACTS)), NOBODY, NOBODY, movement=1.0, confound=1.0)
    for name, value in changes.items():
        out[:, ASPECTS.index(name)] = value
    return out


def recordings(count, seconds=40.0, fps=12.0, **changes):
    rng = np.random.default_rng(5)
    n = round(seconds * fps)
    return [render_events(draw_events(rng, levels(**changes), seconds), n, fps) for _ in range(count)]


def one(start, *, joined=True, amplitude=(1.0, 1.0), side=(1.0, 1.0)):
    """Events of one act with a rise of 1 s and a fall of 2 s."""
    start = np.array(start, dtype=float).reshape(-1, 2)
    n = len(start)
    return Events(
        start=start,
        joined=np.full(n, joined),
        amplitude=np.tile(amplitude, (n, 1)).astype(float),
        rise=np.full((n, 2), 1.0),
        fall=np.full((n, 2), 2.0),
        side=np.tile(side, (n, 1)).astype(float),
    )


def test_every_act_has_channels_of_its_own():
    used = [channel for act in ACTS for channel in (act.lead, act.follower)]
    assert len(set(used)) == len(used)
    assert set(used) <= set(CHANNELS)


def test_the_record_tells_the_aspects_of_the_acts():
    level = levels() + 0.2 * np.random.default_rng(0).standard_normal(NOBODY.shape)
    found = acts.event_statistics(draw_events(np.random.default_rng(1), level, 7200.0), 7200.0)
    expected = {
        f"{act.name}_{name}": level[k, a] for k, act in enumerate(ACTS) for a, name in enumerate(ASPECTS)
    }
    assert found.keys() == expected.keys()
    for name, value in expected.items():
        assert found[name] == pytest.approx(value, abs=0.15), name


def test_a_recording_without_an_act_has_statistics_of_it():
    found = acts.event_statistics([one(np.empty((0, 2)))] * len(ACTS), 30.0)
    assert np.isfinite(list(found.values())).all()
    assert found["smile_rate"] == pytest.approx(np.log(1.0))  # half an event in half a minute
    assert found["smile_rise"] == pytest.approx(np.log(ACTS[0].rise_s))


@pytest.fixture(scope="module")
def related():
    """Recordings whose followers join at once, and others whose followers hardly do."""
    return recordings(150, joining=3.0, lag=np.log(0.2)), recordings(150, joining=-3.0, lag=np.log(1.5))


@pytest.mark.parametrize("act", ACTS, ids=lambda act: act.name)
def test_relations_change_no_channel_alone(act, related):
    together, apart = related

    def correlation(series):
        return np.mean([np.corrcoef(one[act.lead], one[act.follower])[0, 1] for one in series])

    assert correlation(together) > correlation(apart) + 0.3
    for channel in (act.lead, act.follower):
        for read in (np.mean, np.std, lambda x: np.abs(np.diff(x)).mean()):
            values = [[read(series[channel]) for series in group] for group in (together, apart)]
            assert ks_2samp(*values).pvalue > 0.001, channel


def test_followers_come_as_often_at_the_edges_as_within():
    rng = np.random.default_rng(2)
    starts = [draw_events(rng, levels(joining=0.0), 40.0)[0].start[:, 1] for _ in range(600)]
    counts, _ = np.histogram(np.concatenate(starts), bins=np.linspace(0, 40, 9))
    expected = ACTS[0].per_minute / 60 * 5 * 600
    assert np.abs(counts - expected).max() < 4.5 * np.sqrt(expected)


def test_movement_gives_each_family_its_share():
    shown = np.ones(len(ACTS))
    for movement in (0.8, 0.2):
        moved = aspects(shown, NOBODY, NOBODY, movement=movement, confound=1.0) - levels()
        shares = (moved / acts.EFFECT) ** 2
        for names, share in (
            (("rate",), 0.125),
            (("amplitude", "rise", "fall"), 0.125),
            (("joining", "lag"), 0.75),
        ):
            rows = [ASPECTS.index(name) for name in names]
            np.testing.assert_allclose(shares[:, rows], movement * share)


def test_habits_and_days_act_in_the_same_units():
    ones = np.ones_like(NOBODY)
    effect = np.abs(aspects(np.ones(len(ACTS)), NOBODY, NOBODY, movement=0.5, confound=1.0) - levels())
    habit = aspects(np.zeros(len(ACTS)), ones, NOBODY, movement=0.5, confound=2.0) - levels()
    day = aspects(np.zeros(len(ACTS)), NOBODY, ones, movement=0.5, confound=0.0) - levels()
    np.testing.assert_allclose(habit, 2 * acts._HABIT * effect)
    np.testing.assert_allclose(day, acts._DAY * effect)


def test_an_act_rises_and_falls():
    act = ACTS[0]
    drawn = render_events([one([[1.0, 4.0]], amplitude=(1.0, 0.5))] + [one([])] * (len(ACTS) - 1), 100, 10.0)
    lead, follower = drawn[act.lead], drawn[act.follower]
    assert lead[20] == pytest.approx(act.lead_size)
    assert lead[15] == lead[30] == pytest.approx(act.lead_size / 2)
    assert follower.argmax() == 50
    assert follower.max() == pytest.approx(act.follower_size / 2)
    assert (lead[:11] == 0).all()
    assert (lead[40:] == 0).all()


def test_glances_go_to_both_sides_and_the_head_follows_the_eyes():
    number = [act.sided for act in ACTS].index(True)
    found = draw_events(np.random.default_rng(0), levels(joining=1.0), 600.0)[number]
    assert abs(found.side[:, 0].mean()) < 0.3
    assert (found.side[found.joined, 0] == found.side[found.joined, 1]).all()
    assert (found.side[~found.joined, 0] != found.side[~found.joined, 1]).any()
    quiet = [one([])] * number
    drawn = render_events([*quiet, one([[1.0, 1.0]], side=(-1.0, 1.0))], 50, 10.0)
    assert drawn[ACTS[number].lead].min() == pytest.approx(-ACTS[number].lead_size)
    assert drawn[ACTS[number].follower].min() == 0


def test_events_are_equal_for_equal_streams():
    first, second = (draw_events(np.random.default_rng(3), levels(), 10.0) for _ in range(2))
    for a, b in zip(first, second, strict=True):
        for field in fields(Events):
            np.testing.assert_array_equal(getattr(a, field.name), getattr(b, field.name))
