"""The latent model of the synthetic longitudinal cohort: person, visit, behavior.

The equations, with the meaning of every symbol, are in ``docs/cohort.md``. In short, channel ``c`` of person
``i`` at visit ``v`` has the level

    base_c + confound * spread_c * habit_ic + effect_c * shown_iv,d(c) + day_ivc   where severity moves c
    base_c + spread_c * (k * (M habit_i)_c + sqrt(1 - k^2) * own_ic)               where it leaves c alone

with ``k = habit_visibility``, ``g = facial_heterogeneity`` and, in domain ``d`` of symptoms, ``shown =
sqrt(1 - g^2) severity + g profile_d``. Around its level a channel wanders (AR(1)), blinks and smiles happen
at rates that depend on person and severity. All constants below are our own choice: the cohort is a
controlled experiment, not a model of patients.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.signal import lfilter

from datamodules.synthetic.questionnaire import DOMAINS, symptom_profile

FloatArray = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Channel:
    """One behavior channel: resting value, spread of habits, effect of one unit of severity, range."""

    name: str
    base: float
    spread: float
    effect: float
    wander: float
    low: float
    high: float


# Action units in 0-5 intensity, angles in radians, pupil as the ratio of pupil to iris diameter.
# The signs of `effect` follow the field's findings (less smiling, lowered gaze and head, more brow and lip-
# corner tension with severity); by their sizes habits at `confound=1` outweigh one unit of severity.
_CHANNELS = (
    Channel("au01", 2.00, 1.10, 0.50, 0.25, 0.0, 5.0),
    Channel("au02", 1.4, 0.60, 0.00, 0.25, 0.0, 5.0),
    Channel("au04", 2.20, 1.40, 0.62, 0.25, 0.0, 5.0),
    Channel("au06", 1.90, 1.05, -0.42, 0.25, 0.0, 5.0),
    Channel("au12", 2.20, 1.45, -0.66, 0.30, 0.0, 5.0),
    Channel("au15", 2.10, 1.40, 0.62, 0.25, 0.0, 5.0),
    Channel("au17", 1.4, 0.60, 0.00, 0.25, 0.0, 5.0),
    Channel("au20", 1.4, 0.60, 0.00, 0.25, 0.0, 5.0),
    Channel("au25", 1.5, 0.60, 0.00, 0.35, 0.0, 5.0),
    Channel("au26", 1.2, 0.50, 0.00, 0.35, 0.0, 5.0),
    Channel("au45", 0.5, 0.15, 0.00, 0.05, 0.0, 5.0),
    Channel("gaze_x", 0.0, 0.08, 0.00, 0.06, -0.5, 0.5),
    Channel("gaze_y", -0.03, 0.12, -0.05, 0.05, -0.5, 0.5),
    Channel("pose_yaw", 0.0, 0.08, 0.00, 0.04, -0.5, 0.5),
    Channel("pose_pitch", -0.02, 0.12, -0.05, 0.03, -0.5, 0.5),
    Channel("pose_roll", 0.0, 0.06, 0.00, 0.02, -0.5, 0.5),
    Channel("pupil", 0.38, 0.04, 0.00, 0.01, 0.2, 0.6),
)
CHANNELS: tuple[str, ...] = tuple(channel.name for channel in _CHANNELS)
_BASE, _SPREAD, _EFFECT, _WANDER, _LOW, _HIGH = np.array(
    [[c.base, c.spread, c.effect, c.wander, c.low, c.high] for c in _CHANNELS], dtype=np.float64
).T
_MOVED = _EFFECT != 0.0
_HABITS = int(_MOVED.sum())

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

_STYLE_SHARE = 0.5  # share of the habits' variance that lies along the direction of severity itself
_PERSISTENCE = 0.15  # share of severity's variance that belongs to the person rather than to the visit
_DAY = 0.5  # spread of a visit's unrelated state, in units of the severity effect of that channel
_WANDER_SECONDS = 1.5  # time constant of the AR(1) process
_SMILES_PER_MINUTE, _SMILE_SECONDS, _SMILE_AU12, _SMILE_AU06 = 4.0, 1.6, 1.2, 0.9
_BLINKS_PER_MINUTE, _BLINK_SECONDS = 16.0, 0.3
_SMILE_SEVERITY, _BLINK_SEVERITY, _RATE_HABIT = -0.30, 0.15, 0.35  # change of a log rate per unit
_HABIT_SECONDS = 120.0  # length of the simulated severity-free behavior that `habit_statistics` summarizes

# Independent random streams: adding a draw to one never shifts another.
_PERSON, _VISIT, _BEHAVIOR, _HABIT = range(4)
_PROFILE = 102  # 100 to 103 are those of `recording`


@dataclass(frozen=True)
class LatentSettings:
    """What a cohort is drawn from; three dials decide how hard it is.

    Attributes:
        n_subjects: number of persons.
        n_visits: visits per person.
        fps: frames per second of the behavior series.
        duration_s: length of a recording in seconds.
        confound: spread of habits on the channels that severity moves; 0 switches the confound off.
        habit_visibility: share (0-1) of a habit that shows in channels that severity leaves alone.
        seed: same settings and seed, same cohort.
        facial_heterogeneity: how much faces of equal severity differ by the symptoms behind it (0-1).
    """

    n_subjects: int
    n_visits: int
    fps: float
    duration_s: float
    confound: float
    habit_visibility: float
    seed: int
    facial_heterogeneity: float = 0.0

    def __post_init__(self) -> None:
        """Refuse settings under which the equations have no meaning."""
        if self.n_subjects < 1 or self.n_visits < 1:
            raise ValueError(f"a cohort needs persons and visits, not {self.n_subjects} x {self.n_visits}")
        if self.fps <= 0 or self.duration_s * self.fps < 2:
            raise ValueError(
                f"{self.duration_s} s at {self.fps} frames/s is less than two frames: ask for more"
            )
        if self.confound < 0:
            raise ValueError(f"confound={self.confound} is a spread: give 0 (off) or more")
        if not 0 <= self.habit_visibility <= 1:
            raise ValueError(f"habit_visibility={self.habit_visibility} is a share: give a value from 0 to 1")
        if not 0 <= self.facial_heterogeneity <= 1:
            raise ValueError(
                f"facial_heterogeneity={self.facial_heterogeneity} is a share: give a value from 0 to 1"
            )


@dataclass(frozen=True)
class Person:
    """Who is filmed: everything about a person that no visit changes."""

    index: int
    subject_id: str
    sex: str
    age: float
    traits: dict[str, float]
    habit: FloatArray  # (channels,), standard normal on the channels that severity moves, 0 elsewhere
    own: FloatArray  # (channels,), standard normal on the channels severity leaves alone, 0 elsewhere
    rates: FloatArray  # (2,), log-rate habits of smiles and blinks
    expressiveness: float
    level: float  # the person's own level of severity
    appearance_seed: int
    profile: FloatArray  # (domains,), which symptoms come easily, standard normal


@dataclass(frozen=True)
class Visit:
    """One recording session of a person."""

    person: Person
    index: int
    session_id: str
    severity: float
    day: FloatArray  # (channels,), the visit's state that has nothing to do with severity


def _stream(settings: LatentSettings, kind: int, *key: int) -> np.random.Generator:
    return np.random.default_rng([settings.seed, kind, *key])


def _draw_person(settings: LatentSettings, index: int) -> Person:
    rng = _stream(settings, _PERSON, index)
    sex = "F" if rng.random() < 0.5 else "M"
    age = float(np.round(rng.uniform(18, 65), 1))
    style = rng.standard_normal()
    habit, own = np.zeros(len(_CHANNELS)), np.zeros(len(_CHANNELS))
    specific = rng.standard_normal(_HABITS)
    habit[_MOVED] = (
        math.sqrt(_STYLE_SHARE) * style * np.sign(_EFFECT[_MOVED]) + math.sqrt(1 - _STYLE_SHARE) * specific
    )
    own[~_MOVED] = rng.standard_normal(len(_CHANNELS) - _HABITS)
    rates = rng.standard_normal(2)
    # Traits lean on habits a little, as personality and expressive style do; they carry no severity.
    noise = rng.standard_normal(5)
    leaning = {"O": own[~_MOVED][0], "C": own[~_MOVED][1], "E": -style, "A": rates[0], "N": style}
    traits = {
        name: float(0.5 * value + math.sqrt(0.75) * noise[j])
        for j, (name, value) in enumerate(leaning.items())
    }
    return Person(
        index=index,
        subject_id=f"P{index:04d}",
        sex=sex,
        age=age,
        traits=traits,
        habit=habit,
        own=own,
        rates=rates,
        expressiveness=float(np.exp(0.2 * rng.standard_normal())),
        level=float(rng.standard_normal()),
        appearance_seed=int(rng.integers(2**31)),
        profile=symptom_profile(_stream(settings, _PROFILE, index)),
    )


def _draw_visit(settings: LatentSettings, person: Person, index: int) -> Visit:
    rng = _stream(settings, _VISIT, person.index, index)
    severity = math.sqrt(_PERSISTENCE) * person.level + math.sqrt(1 - _PERSISTENCE) * rng.standard_normal()
    day = _DAY * np.abs(_EFFECT) * rng.standard_normal(len(_CHANNELS))
    return Visit(
        person=person,
        index=index,
        session_id=f"V{index + 1}",
        severity=float(severity),
        day=day,
    )


def draw_cohort(settings: LatentSettings) -> list[Visit]:
    """Draw all visits of all persons, person by person.

    Person ``i`` is the same whatever the number of persons and visits.

    >>> visits = draw_cohort(LatentSettings(2, 3, 15.0, 4.0, confound=1.0, habit_visibility=0.1, seed=0))
    >>> [(v.person.subject_id, v.session_id) for v in visits][:4]
    [('P0000', 'V1'), ('P0000', 'V2'), ('P0000', 'V3'), ('P0001', 'V1')]
    """
    persons = (_draw_person(settings, i) for i in range(settings.n_subjects))
    return [_draw_visit(settings, person, v) for person in persons for v in range(settings.n_visits)]


def _mixing() -> FloatArray:
    """How habits show where severity does not: orthonormal columns, so full visibility reveals all."""
    rng = np.random.default_rng(20250601)  # one fixed face grammar for all cohorts
    q, _ = np.linalg.qr(rng.standard_normal((len(_CHANNELS) - _HABITS, _HABITS)))
    return np.asarray(q, dtype=np.float64)


def _resting_level(person: Person, settings: LatentSettings) -> FloatArray:
    """Level of each channel at zero severity, ``(channels,)``."""
    k = settings.habit_visibility
    level: FloatArray = _BASE + settings.confound * _SPREAD * person.habit
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
    for onset in rng.uniform(-seconds, duration, rng.poisson(per_minute / 60 * (duration + seconds))):
        phase = (times - onset) / seconds
        inside = (phase > 0) & (phase < 1)
        out[inside] = np.maximum(out[inside], 0.5 - 0.5 * np.cos(2 * np.pi * phase[inside]))
    return out


def _shown(visit: Visit, settings: LatentSettings) -> FloatArray:
    """Severity as the face shows it, by symptom domain, ``(domains,)``."""
    g = settings.facial_heterogeneity
    shown: FloatArray = math.sqrt(1 - g**2) * visit.severity + g * visit.person.profile
    return shown


def _simulate(
    rng: np.random.Generator,
    level: FloatArray,
    person: Person,
    shown: FloatArray,
    settings: LatentSettings,
    n: int,
) -> npt.NDArray[np.float32]:
    series: FloatArray = level + person.expressiveness * _WANDER * _wander(rng, n, settings.fps)
    habit = settings.confound * _RATE_HABIT * person.rates
    smiles = _SMILES_PER_MINUTE * math.exp(_SMILE_SEVERITY * shown[_MOOD] + habit[0])
    blinks = _BLINKS_PER_MINUTE * math.exp(_BLINK_SEVERITY * shown[_AROUSAL] + habit[1])
    smile = person.expressiveness * _bumps(rng, n, settings.fps, smiles, _SMILE_SECONDS)
    series[:, CHANNELS.index("au12")] += _SMILE_AU12 * smile
    series[:, CHANNELS.index("au06")] += _SMILE_AU06 * smile
    series[:, CHANNELS.index("au45")] += 4.5 * _bumps(rng, n, settings.fps, blinks, _BLINK_SECONDS)
    return np.clip(series, _LOW, _HIGH).astype(np.float32)


def behave(visit: Visit, settings: LatentSettings) -> npt.NDArray[np.float32]:
    """Behavior of one recording, ``(T, channels)`` in the channels' units, without measurement noise."""
    rng = _stream(settings, _BEHAVIOR, visit.person.index, visit.index)
    shown = _shown(visit, settings)
    level = _resting_level(visit.person, settings) + _EFFECT * shown[_DOMAIN] + visit.day
    n = round(settings.duration_s * settings.fps)
    return _simulate(rng, level, visit.person, shown, settings, n)


def statistics(series: npt.NDArray[np.float32]) -> dict[str, float]:
    """What the oracle reads off a series: mean and standard deviation of every channel."""
    mean, std = series.mean(axis=0), series.std(axis=0)
    return {
        f"{name}_{kind}": float(v[j])
        for kind, v in (("mean", mean), ("std", std))
        for j, name in enumerate(CHANNELS)
    }


def habit_statistics(person: Person, settings: LatentSettings) -> dict[str, float]:
    """The same statistics for this person without any symptom, from two simulated minutes."""
    rng = _stream(settings, _HABIT, person.index)
    n = round(_HABIT_SECONDS * settings.fps)
    well = np.zeros(len(DOMAINS))
    return statistics(_simulate(rng, _resting_level(person, settings), person, well, settings, n))
