"""The latent model of the synthetic longitudinal cohort: channels, persons and their visits.

The equations, with the meaning of every symbol, are in ``docs/guide/cohort.md``; what persons do at a visit
is in ``behavior.py``. All constants below are our own choice: the cohort is a controlled experiment, not a
model of patients.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from datamodules.synthetic import acts
from datamodules.synthetic.questionnaire import symptom_profile

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
_EFFECT: FloatArray = np.array([channel.effect for channel in _CHANNELS])
_MOVED = _EFFECT != 0.0
_HABITS = int(_MOVED.sum())

_STYLE_SHARE = 0.5  # share of the habits' variance that lies along the direction of severity itself
_DAY = 0.5  # spread of a visit's unrelated state, in units of the severity effect of that channel
_MOST = {"confound": 5.0, "interaction": 1.0}  # strengths beyond which nothing looks like a face: our choice
_MOST_STABLE = 0.9  # share between persons above which too little change is left to study

# Independent random streams: adding a draw to one never shifts another. `behavior` has 2, 3, 112 and 113, and
# `recording` 100, 101 and 103.
_PERSON, _VISIT, _PROFILE, _TEMPO, _FORM, _DRIFT = 0, 1, 102, 110, 111, 114


@dataclass(frozen=True)
class LatentSettings:
    """What a cohort is drawn from; its dials decide how hard it is.

    Attributes:
        n_subjects: number of persons.
        n_visits: visits per person.
        fps: frames per second of the behavior series.
        duration_s: length of a recording in seconds.
        confound: spread of habits on the channels that severity moves; 0 switches the confound off.
        habit_visibility: share (0-1) of a habit that shows in channels that severity leaves alone.
        seed: same settings and seed, same cohort.
        facial_heterogeneity: how much faces of equal severity differ by the symptoms behind it (0-1).
        stability: share (0-0.9) of the variance of severity that lies between persons.
        movement: share (0-1) of habits and of the effect of severity that lies in movement; 0 has no acts.
        drift: how much habits wander between visits (0-1); neighboring visits correlate by 1 - drift.
        interaction: how much a person's style scales the effect of severity; 0 is the same for everyone.
    """

    n_subjects: int
    n_visits: int
    fps: float
    duration_s: float
    confound: float
    habit_visibility: float
    seed: int
    facial_heterogeneity: float = 0.0
    stability: float = 0.15
    movement: float = 0.0
    drift: float = 0.0
    interaction: float = 0.0

    def __post_init__(self) -> None:
        """Refuse settings under which the equations have no meaning."""
        if self.n_subjects < 1 or self.n_visits < 1:
            raise ValueError(f"a cohort needs persons and visits, not {self.n_subjects} x {self.n_visits}")
        if self.fps <= 0 or self.duration_s * self.fps < 2:
            raise ValueError(
                f"{self.duration_s} s at {self.fps} frames/s is less than two frames: ask for more"
            )
        for name, most in _MOST.items():
            if not 0 <= getattr(self, name) <= most:
                raise ValueError(
                    f"{name}={getattr(self, name)} is a strength: give a value from 0 (off) to {most:g}"
                )
        if not 0 <= self.stability <= _MOST_STABLE:
            raise ValueError(
                f"stability={self.stability} is the share of severity between persons: give a value from 0 "
                f"to {_MOST_STABLE}"
            )
        for name in ("habit_visibility", "facial_heterogeneity", "movement", "drift"):
            if not 0 <= getattr(self, name) <= 1:
                raise ValueError(f"{name}={getattr(self, name)} is a share: give a value from 0 to 1")


@dataclass(frozen=True)
class Person:
    """Who is filmed: everything about a person that severity does not change; only drift changes habits."""

    index: int
    subject_id: str
    sex: str
    age: float
    traits: dict[str, float]
    style: float  # along the direction of severity, standard normal
    habit: FloatArray  # (channels,), standard normal on the channels that severity moves, 0 elsewhere
    own: FloatArray  # (channels,), standard normal on the channels severity leaves alone, 0 elsewhere
    rates: FloatArray  # (2,), log-rate habits of smiles and blinks
    tempo: FloatArray  # (acts, aspects), habits of movement, standard normal
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
    form: FloatArray  # (acts, aspects), the same for movement, standard normal


class _Habits(NamedTuple):
    """The habits of a person, under the names that `Person` has for them."""

    style: float
    habit: FloatArray
    own: FloatArray
    rates: FloatArray
    tempo: FloatArray


def stream(settings: LatentSettings, kind: int, *key: int) -> np.random.Generator:
    """Random numbers of one kind for one person or visit, independent of those of every other kind."""
    return np.random.default_rng([settings.seed, kind, *key])


def _draw_habits(rng: np.random.Generator, moving: np.random.Generator) -> _Habits:
    style = rng.standard_normal()
    habit, own = np.zeros(len(_CHANNELS)), np.zeros(len(_CHANNELS))
    habit[_MOVED] = _along(style, _EFFECT[_MOVED], rng.standard_normal(_HABITS))
    own[~_MOVED] = rng.standard_normal(len(_CHANNELS) - _HABITS)
    rates = rng.standard_normal(2)
    tempo = _along(style, acts.EFFECT, moving.standard_normal(acts.EFFECT.shape))
    return _Habits(style, habit, own, rates, tempo)


def _along(style: float, effect: FloatArray, specific: FloatArray) -> FloatArray:
    """Habits that lean on the style: who has it looks ill when well."""
    return math.sqrt(_STYLE_SHARE) * style * np.sign(effect) + math.sqrt(1 - _STYLE_SHARE) * specific


def _draw_person(settings: LatentSettings, index: int) -> Person:
    rng = stream(settings, _PERSON, index)
    sex = "F" if rng.random() < 0.5 else "M"
    age = float(np.round(rng.uniform(18, 65), 1))
    habits = _draw_habits(rng, stream(settings, _TEMPO, index))
    return Person(
        index=index,
        subject_id=f"P{index:04d}",
        sex=sex,
        age=age,
        traits=_draw_traits(rng, habits),
        expressiveness=float(np.exp(0.2 * rng.standard_normal())),
        level=float(rng.standard_normal()),
        appearance_seed=int(rng.integers(2**31)),
        profile=symptom_profile(stream(settings, _PROFILE, index)),
        **habits._asdict(),
    )


def _draw_traits(rng: np.random.Generator, habits: _Habits) -> dict[str, float]:
    """Traits lean on habits a little, as personality and expressive style do; they carry no severity."""
    noise = rng.standard_normal(5)
    own = habits.own[~_MOVED]
    leaning = {"O": own[0], "C": own[1], "E": -habits.style, "A": habits.rates[0], "N": habits.style}
    return {
        name: float(0.5 * value + math.sqrt(0.75) * noise[j])
        for j, (name, value) in enumerate(leaning.items())
    }


def _drifted(settings: LatentSettings, person: Person, index: int) -> Person:
    """The person at the next visit; habits correlate by 1 - drift with before and keep their variance."""
    rng = stream(settings, _DRIFT, person.index, index)
    keep = 1 - settings.drift
    fresh = _draw_habits(rng, rng)._asdict()
    moved = {name: keep * getattr(person, name) + math.sqrt(1 - keep**2) * new for name, new in fresh.items()}
    return replace(person, **moved)


def _draw_visit(settings: LatentSettings, person: Person, index: int) -> Visit:
    rng = stream(settings, _VISIT, person.index, index)
    share = settings.stability
    severity = math.sqrt(share) * person.level + math.sqrt(1 - share) * rng.standard_normal()
    day = _DAY * np.abs(_EFFECT) * rng.standard_normal(len(_CHANNELS))
    return Visit(
        person=person,
        index=index,
        session_id=f"V{index + 1}",
        severity=float(severity),
        day=day,
        form=stream(settings, _FORM, person.index, index).standard_normal(acts.EFFECT.shape),
    )


def draw_cohort(settings: LatentSettings) -> list[Visit]:
    """Draw all visits of all persons, person by person.

    Person ``i`` is the same whatever the number of persons and visits.

    Examples:
        >>> visits = draw_cohort(LatentSettings(2, 3, 15.0, 4.0, confound=1.0, habit_visibility=0.1, seed=0))
        >>> [(v.person.subject_id, v.session_id) for v in visits][:4]
        [('P0000', 'V1'), ('P0000', 'V2'), ('P0000', 'V3'), ('P0001', 'V1')]
    """
    return [visit for index in range(settings.n_subjects) for visit in _draw_visits(settings, index)]


def _draw_visits(settings: LatentSettings, index: int) -> Iterator[Visit]:
    person = _draw_person(settings, index)
    for number in range(settings.n_visits):
        if number and settings.drift:
            person = _drifted(settings, person, number)
        yield _draw_visit(settings, person, number)
