"""What a person of the cohort does at a visit: levels, wandering, smiles, blinks and acts.

The equations, with the meaning of every symbol, are in ``docs/guide/cohort.md``. In short, channel ``c`` of
person ``i`` at visit ``v`` has the level

    base_c + n confound * spread_c * habit_ic + n effect_c * shown_iv,d(c) + day_ivc   where severity moves c
    base_c + spread_c * (k * (M habit_i)_c + sqrt(1 - k^2) * own_ic)                   where it leaves c alone

with ``n = sqrt(1 - movement)``, ``k = habit_visibility``, ``g = facial_heterogeneity`` and, in domain ``d``
of symptoms, ``shown = exp(interaction style) (sqrt(1 - g^2) severity + g profile_d)``. Around its level a
channel wanders (AR(1)), blinks and smiles happen at rates that depend on person and severity, and with
``movement`` there are the acts of ``acts.py``.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from scipy.signal import lfilter

from datamodules.synthetic import acts
from datamodules.synthetic.latent import (
    _CHANNELS,
    _DAY,
    _EFFECT,
    _HABITS,
    _MOVED,
    CHANNELS,
    LatentSettings,
    Person,
    Visit,
    stream,
)
from datamodules.synthetic.questionnaire import DOMAINS

FloatArray = npt.NDArray[np.float64]

_BASE, _SPREAD, _WANDER, _LOW, _HIGH = np.array(
    [[c.base, c.spread, c.wander, c.low, c.high] for c in _CHANNELS], dtype=np.float64
).T
# Which symptoms a channel shows (our choice): low mood at mouth and cheeks, worry at the inner brow, tension
# at the frown, tiredness in lowered eyes and head. Low mood makes smiles rare, arousal makes blinks frequent.
_SHOWS = {
    "au01": "cognition",
    "au04": "tension",
    "au06": "mood",
    "au12": "mood",
    "au15": "mood",
    "gaze_y": "somatic",
    "pose_pitch": "somatic",
}
# The domain of each channel; where the effect is 0 any will do.
_DOMAIN = np.array([DOMAINS.index(_SHOWS.get(name, "mood")) for name in CHANNELS])
_MOOD, _AROUSAL = DOMAINS.index("mood"), DOMAINS.index("arousal")

_WANDER_SECONDS = 1.5  # time constant of the AR(1) process
_SMILES_PER_MINUTE, _SMILE_SECONDS, _SMILE_AU12, _SMILE_AU06 = 4.0, 1.6, 1.2, 0.9
_BLINKS_PER_MINUTE, _BLINK_SECONDS = 16.0, 0.3
_SMILE_SEVERITY, _BLINK_SEVERITY, _RATE_HABIT = -0.30, 0.15, 0.35  # change of a log rate per unit
_HABIT_SECONDS = 120.0  # length of the simulated severity-free behavior that `habit_statistics` summarizes
_HABIT_RECORDINGS = 30  # simulated severity-free recordings whose acts it summarizes

_BEHAVIOR, _HABIT, _ACTS, _HABIT_ACTS = 2, 3, 112, 113  # streams beside those of `latent`


def _mixing() -> FloatArray:
    """How habits show where severity does not: orthonormal columns, so full visibility reveals all."""
    rng = np.random.default_rng(20250601)  # one fixed face grammar for all cohorts
    q, _ = np.linalg.qr(rng.standard_normal((len(_CHANNELS) - _HABITS, _HABITS)))
    return np.asarray(q, dtype=np.float64)


def _still(settings: LatentSettings) -> float:
    """What movement leaves to levels, as a factor."""
    return math.sqrt(1 - settings.movement)


def _resting_level(person: Person, settings: LatentSettings) -> FloatArray:
    """Level of each channel at zero severity, ``(channels,)``."""
    k = settings.habit_visibility
    level: FloatArray = _BASE + _still(settings) * settings.confound * _SPREAD * person.habit
    # sqrt(outer/inner dimension) keeps the visible part at unit variance
    mixing = _mixing() * math.sqrt((len(_CHANNELS) - _HABITS) / _HABITS)
    visible = mixing @ person.habit[_MOVED]
    level[~_MOVED] += _SPREAD[~_MOVED] * (k * visible + math.sqrt(1 - k**2) * person.own[~_MOVED])
    return level


def _wander(rng: np.random.Generator, n: int, fps: float) -> FloatArray:
    """Stationary AR(1) of unit variance, ``(n, channels)``."""
    keep = math.exp(-1.0 / (_WANDER_SECONDS * fps))
    noise = rng.standard_normal((n, len(_CHANNELS)))
    rest, _ = lfilter([math.sqrt(1 - keep**2)], [1.0, -keep], noise[1:], axis=0, zi=keep * noise[:1])
    out: FloatArray = np.concatenate([noise[:1], rest])
    return out


def _bumps(rng: np.random.Generator, n: int, fps: float, per_minute: float, seconds: float) -> FloatArray:
    """A raised-cosine bump at each event of a Poisson process, ``(n,)`` in 0-1."""
    times = np.arange(n) / fps
    out = np.zeros(n)
    duration = n / fps
    count = rng.poisson(min(per_minute, acts.MOST_PER_MINUTE) / 60 * (duration + seconds))
    for onset in rng.uniform(-seconds, duration, count):
        phase = (times - onset) / seconds
        inside = (phase > 0) & (phase < 1)
        out[inside] = np.maximum(out[inside], 0.5 - 0.5 * np.cos(2 * np.pi * phase[inside]))
    return out


def _shown(visit: Visit, settings: LatentSettings) -> FloatArray:
    """Severity as the face shows it, by symptom domain, ``(domains,)``."""
    g = settings.facial_heterogeneity
    gain = math.exp(settings.interaction * visit.person.style)
    shown: FloatArray = gain * (math.sqrt(1 - g**2) * visit.severity + g * visit.person.profile)
    return shown


def _simulate(
    rng: np.random.Generator,
    level: FloatArray,
    person: Person,
    shown: FloatArray,
    settings: LatentSettings,
    n: int,
    events: Sequence[acts.Events],
) -> npt.NDArray[np.float32]:
    series: FloatArray = level + person.expressiveness * _WANDER * _wander(rng, n, settings.fps)
    habit, still = settings.confound * _RATE_HABIT * person.rates, _still(settings)
    smiles = _SMILES_PER_MINUTE * math.exp(still * (_SMILE_SEVERITY * shown[_MOOD] + habit[0]))
    blinks = _BLINKS_PER_MINUTE * math.exp(still * (_BLINK_SEVERITY * shown[_AROUSAL] + habit[1]))
    smile = person.expressiveness * _bumps(rng, n, settings.fps, smiles, _SMILE_SECONDS)
    series[:, CHANNELS.index("au12")] += _SMILE_AU12 * smile
    series[:, CHANNELS.index("au06")] += _SMILE_AU06 * smile
    series[:, CHANNELS.index("au45")] += 4.5 * _bumps(rng, n, settings.fps, blinks, _BLINK_SECONDS)
    if events:
        for channel, added in acts.render_events(events, n, settings.fps).items():
            series[:, CHANNELS.index(channel)] += added
    return np.clip(series, _LOW, _HIGH).astype(np.float32)


def behave(visit: Visit, settings: LatentSettings) -> npt.NDArray[np.float32]:
    """Behavior of one recording, ``(T, channels)`` in the channels' units, without measurement noise."""
    rng = stream(settings, _BEHAVIOR, visit.person.index, visit.index)
    shown = _shown(visit, settings)
    level = (
        _resting_level(visit.person, settings)
        + _still(settings) * _EFFECT * shown[_DOMAIN]
        # what severity gives up of a level's variance within the person becomes the day's
        + math.sqrt(1 + settings.movement / _DAY**2) * visit.day
    )
    n = round(settings.duration_s * settings.fps)
    return _simulate(rng, level, visit.person, shown, settings, n, act_events(visit, settings))


def act_events(visit: Visit, settings: LatentSettings) -> list[acts.Events]:
    """The events of all acts in one recording; none without movement."""
    if not settings.movement:
        return []
    rng = stream(settings, _ACTS, visit.person.index, visit.index)
    aspects = _aspects(visit.person, _shown(visit, settings), visit.form, settings)
    return acts.draw_events(rng, aspects, settings.duration_s)


def _aspects(person: Person, shown: FloatArray, form: FloatArray, settings: LatentSettings) -> FloatArray:
    return acts.aspects(
        shown[acts.DOMAIN], person.tempo, form, movement=settings.movement, confound=settings.confound
    )


def statistics(series: npt.NDArray[np.float32]) -> dict[str, float]:
    """What the oracle reads off a series: mean and standard deviation of every channel."""
    mean, std = series.mean(axis=0), series.std(axis=0)
    return {
        f"{name}_{kind}": float(v[j])
        for kind, v in (("mean", mean), ("std", std))
        for j, name in enumerate(CHANNELS)
    }


def act_statistics(visit: Visit, settings: LatentSettings, seconds: float) -> dict[str, float]:
    """What the oracle reads off the true events of the first seconds; nothing without movement."""
    events = act_events(visit, settings)
    return acts.event_statistics(events, seconds) if events else {}


def habit_statistics(person: Person, settings: LatentSettings) -> dict[str, float]:
    """The same statistics for this person without any symptom, from simulated minutes and acts."""
    rng, moving = (stream(settings, kind, person.index) for kind in (_HABIT, _HABIT_ACTS))
    n = round(_HABIT_SECONDS * settings.fps)
    well = np.zeros(len(DOMAINS))
    aspects = _aspects(person, well, np.zeros(acts.EFFECT.shape), settings)
    events = acts.draw_events(moving, aspects, _HABIT_SECONDS) if settings.movement else []
    found = statistics(_simulate(rng, _resting_level(person, settings), person, well, settings, n, events))
    if not settings.movement:
        return found
    # as long as a recording, because what a few events say is drawn toward the population
    rows = [
        acts.event_statistics(acts.draw_events(moving, aspects, settings.duration_s), settings.duration_s)
        for _ in range(_HABIT_RECORDINGS)
    ]
    return found | {name: float(np.mean([row[name] for row in rows])) for name in rows[0]}
