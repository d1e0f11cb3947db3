"""Acts of the face: pairs of movements whose rate, speed and relation carry habit and severity.

An act is a lead that rises and falls on one channel, and a follower on another. Aspect ``a`` of act ``k`` of
person ``i`` at visit ``v`` (log rate, log amplitude, log seconds of rise and of fall, log odds that the
follower joins the lead, log seconds that it comes later) is

    base_ka + sqrt(m w_a) (effect_ka shown_iv,d(k) + |effect_ka| (confound h_a habit_ika + day_ivka / 2))

with ``m = movement`` and the share ``w_a`` of the aspect's family. A follower that does not join comes at a
time of its own, so relations change nothing that one channel alone shows. Sizes are our own choice;
``docs/guide/cohort.md`` names the source of each direction.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from datamodules.synthetic.questionnaire import DOMAINS

FloatArray = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Act:
    """One kind of act: its two channels, how large, how often, how fast, and the symptoms that change it."""

    name: str
    lead: str
    follower: str
    lead_size: float  # in the channel's unit
    follower_size: float
    per_minute: float
    rise_s: float
    fall_s: float
    rarer: float  # sign of the effect of severity on the rate
    domain: str
    sided: bool = False  # goes to the left or to the right


ACTS = (
    Act("smile", "au12", "au06", 1.6, 1.4, 12.0, 0.55, 0.85, -1, "mood"),
    Act("brow", "au01", "au02", 1.5, 1.5, 12.0, 0.35, 0.55, -1, "cognition"),
    Act("frown", "au04", "au17", 1.5, 1.4, 12.0, 0.45, 0.7, 1, "tension"),
    Act("mouth", "au25", "au26", 1.6, 1.4, 14.0, 0.35, 0.5, -1, "mood"),
    Act("nod", "pose_pitch", "gaze_y", 0.16, 0.18, 12.0, 0.4, 0.55, -1, "somatic"),
    Act("glance", "gaze_x", "pose_yaw", 0.24, 0.2, 14.0, 0.35, 0.5, -1, "somatic", sided=True),
)
DOMAIN = np.array([DOMAINS.index(act.domain) for act in ACTS])
ASPECTS = ("rate", "amplitude", "rise", "fall", "joining", "lag")
MOST_PER_MINUTE = 600.0  # bound of every rate, far beyond what a face does: keeps extreme settings drawable
# Effect of one unit of severity where the whole movement lay in that family (our choice).
_SIZE = np.array([0.3, 0.10, 0.14, 0.09, 1.4, 0.3])
_SIGN = np.array([[act.rarer, -1, 1, 1, -1, 1] for act in ACTS])
EFFECT: FloatArray = _SIZE * _SIGN
# Rates 1/8, slowing 1/8, relations 3/4 of the movement's variance: fixed before any claim was drawn.
_SHARES = np.array([0.125, 0.125, 0.125, 0.125, 0.75, 0.75])
# Spread of a habit in units of the effect: as levels have it, and less for relations, as a follower that
# always or never joins says nothing of severity.
_HABIT = np.array([2.25, 2.25, 2.25, 2.25, 1.25, 1.5])
_DAY = 0.5  # the same for the form of the day
_JOINING, _LAG_SECONDS = 0.0, 0.45  # log odds that the follower joins, and how late it then is
_AMPLITUDE_JITTER, _TIME_JITTER, _LAG_JITTER = 0.4, 0.3, 0.15  # from event to event, in log units
_LONGEST_LAG, _BEFORE = 3.0, 8.0  # seconds; acts that began before the recording may reach into it


@dataclass(frozen=True)
class Events:
    """All events of one act; arrays have one row an event, and two columns for lead and follower."""

    start: FloatArray  # (n, 2), seconds
    joined: npt.NDArray[np.bool_]  # (n,)
    amplitude: FloatArray  # (n, 2), in units of the act's size
    rise: FloatArray  # (n, 2), seconds
    fall: FloatArray  # (n, 2), seconds
    side: FloatArray  # (n, 2), 1, or -1 for an act that goes to the other side


def aspects(
    shown: FloatArray, habit: FloatArray, day: FloatArray, *, movement: float, confound: float
) -> FloatArray:
    """Aspects of all acts at a visit, ``(acts, aspects)`` in log units.

    Args:
        shown: severity as each act shows it, ``(acts,)``.
        habit: habits of the person, ``(acts, aspects)``, standard normal.
        day: form of the day, ``(acts, aspects)``, standard normal.
        movement: share of habit and effect that lies in movement.
        confound: spread of habits, 0 is off.
    """
    size = np.abs(EFFECT)
    moved = EFFECT * shown[:, None] + confound * _HABIT * size * habit + _DAY * size * day
    out: FloatArray = _base() + np.sqrt(movement * _SHARES) * moved
    return out


def _base() -> FloatArray:
    return np.array(
        [
            [
                math.log(act.per_minute),
                0.0,
                math.log(act.rise_s),
                math.log(act.fall_s),
                _JOINING,
                math.log(_LAG_SECONDS),
            ]
            for act in ACTS
        ]
    )


def draw_events(rng: np.random.Generator, levels: FloatArray, seconds: float) -> list[Events]:
    """Draw the events of each act in a recording of so many seconds, from its aspects ``(acts, aspects)``."""
    return [_draw(rng, act, level, seconds) for act, level in zip(ACTS, levels, strict=True)]


def _draw(rng: np.random.Generator, act: Act, level: FloatArray, seconds: float) -> Events:
    """Leads of a Poisson process; followers that join come later, the others at times of their own."""
    rate, amplitude, rise, fall, joining, lag = level
    n = int(rng.poisson(min(math.exp(rate), MOST_PER_MINUTE) / 60 * (seconds + _BEFORE)))
    lead, own = rng.uniform(-_BEFORE, seconds, (2, n))
    joined = rng.random(n) < 1 / (1 + math.exp(-joining))
    late = np.minimum(np.exp(lag + _LAG_JITTER * rng.standard_normal(n)), _LONGEST_LAG)
    side = np.where(rng.random((n, 2)) < 0.5, -1.0, 1.0) if act.sided else np.ones((n, 2))
    side[joined, 1] = side[joined, 0]
    return Events(
        start=np.stack([lead, np.where(joined, lead + late, own)], axis=1),
        joined=joined,
        amplitude=np.exp(amplitude + _AMPLITUDE_JITTER * rng.standard_normal((n, 2))),
        rise=np.exp(rise + _TIME_JITTER * rng.standard_normal((n, 2))),
        fall=np.exp(fall + _TIME_JITTER * rng.standard_normal((n, 2))),
        side=side,
    )


def render_events(events: Sequence[Events], n: int, fps: float) -> dict[str, FloatArray]:
    """What the acts add to each of their channels, ``(n,)``; where events overlap the larger one counts."""
    times = np.arange(n) / fps
    out = {}
    for act, found in zip(ACTS, events, strict=True):
        for j, (channel, size) in enumerate(((act.lead, act.lead_size), (act.follower, act.follower_size))):
            bumps = found.amplitude[:, j, None] * _bump(times, found, j)
            up, down = bumps[found.side[:, j] > 0], bumps[found.side[:, j] < 0]
            out[channel] = size * (up.max(axis=0, initial=0.0) - down.max(axis=0, initial=0.0))
    return out


def _bump(times: FloatArray, events: Events, j: int) -> FloatArray:
    """Half a cosine up, half a cosine down, ``(events, times)`` in 0-1."""
    since = times - events.start[:, j, None]
    rise, fall = events.rise[:, j, None], events.fall[:, j, None]
    phase = np.where(since < rise, since / rise - 1, (since - rise) / fall)
    bump: FloatArray = 0.5 + 0.5 * np.cos(np.pi * np.clip(phase, -1, 1))
    return bump


def event_statistics(events: Sequence[Events], seconds: float) -> dict[str, float]:
    """Read the true aspects of each act off its events in the first seconds, in the units of the aspects.

    Means and odds count one more event, as the population has it, so a recording without the act has a value.
    """
    out: dict[str, float] = {}
    for act, found, base in zip(ACTS, events, _base(), strict=True):
        inside = (found.start[:, 0] >= 0) & (found.start[:, 0] < seconds)
        joined = inside & found.joined
        n, together = int(inside.sum()), int(joined.sum())
        lag = np.log(found.start[joined, 1] - found.start[joined, 0])
        values = {
            "rate": math.log((n + 0.5) / (seconds / 60)),
            "amplitude": _shrunken(np.log(found.amplitude[inside]).mean(axis=1), base[1]),
            "rise": _shrunken(np.log(found.rise[inside]).mean(axis=1), base[2]),
            "fall": _shrunken(np.log(found.fall[inside]).mean(axis=1), base[3]),
            "joining": math.log((together + 0.5) / (n - together + 0.5)),
            "lag": _shrunken(lag, base[5]),
        }
        out |= {f"{act.name}_{aspect}": values[aspect] for aspect in ASPECTS}
    return out


def _shrunken(values: FloatArray, expected: float) -> float:
    return float((values.sum() + expected) / (len(values) + 1))
