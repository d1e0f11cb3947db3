"""What happens in a room, frame by frame, before anything is drawn: where people are, light, blur, camera.

Everything here is our choice. Events fill slots of equal length in random order; in between the person sits,
sways and leans. Nothing here knows a person's severity.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from datamodules.synthetic.room.occluder import KINDS

FloatArray = npt.NDArray[np.float64]
BoolArray = npt.NDArray[np.bool_]

EVENTS = (
    "hand over",  # two fifths and more of the face are hidden
    "hand near",  # little of it is
    "blur",
    "soft",  # a blur that the face survives
    "dark",
    "dim",
    "bright",
    "lamp",  # the light jumps and stays within what a face survives
    "out",  # walks out of the picture and comes back
    "turned",  # shows the back of the head
    "visitor",  # a second person stands beside
    "visitor near",  # and walks past in front, large
    "stranger",  # the second person is there while the first is away
    "tilt",
    "fast",
)
FACE_WIDTH = (0.12, 0.40)  # of the longer side of the picture
BACK = 0.8  # share of a turn after which the back of the head is seen
_WIDTH_PER_UNIT = 1.52  # mean width of a drawn head, in half face heights
_SHORTEST_S, _LONGEST_S = 0.8, 1.5
_RAMP_S, _TURN_S, _WALK_S = 0.2, 0.25, 0.5
# Ends of a light that is beyond and within the limits of `truth`: mean luminance of lit skin.
_DARK, _DIM, _BRIGHT = (0.02, 0.06), (0.20, 0.30), (1.6, 2.4)
_BLUR, _SOFT = (0.05, 0.08), (0.004, 0.008)  # sigma as a share of the face's width
_HEAVY, _LIGHT = (0.45, 0.80), (0.04, 0.18)  # share of the face that a hand or a thing hides


@dataclass(frozen=True, kw_only=True, eq=False)
class Course:
    """Where a head is: all ``(T,)``.

    Attributes:
        x: middle of the face in pixels of the still camera.
        y: the same downward.
        unit: half face height in pixels.
        roll: added to the behavior's own (rad).
        yaw: the same.
        shown: whether the person is in the room.
        back: whether the back of the head is turned to the camera.
    """

    x: FloatArray
    y: FloatArray
    unit: FloatArray
    roll: FloatArray
    yaw: FloatArray
    shown: BoolArray
    back: BoolArray


@dataclass(frozen=True, kw_only=True, eq=False)
class Cover:
    """A thing before the face: what it is, whence it comes, how much of the face it shall hide ``(T,)``."""

    kind: npt.NDArray[np.int64]
    angle: FloatArray
    share: FloatArray  # 0 to 1; negative where there is none


@dataclass(frozen=True, kw_only=True, eq=False)
class Script:
    """All that moves in a room.

    Attributes:
        main: course of the person.
        other: course of the second person.
        cover: what hides the face.
        blur: sigma of the blur as a share of the face's width.
        light: factor of the room's light.
        skin: mean luminance that lit skin is brought to in the dark and in glare; NaN elsewhere.
        camera: ``(T, 3)`` shift in pixels and rotation (rad).
        window: light of the window, 0 to 1.
        event: number of the event in `EVENTS`, -1 in between.
    """

    main: Course
    other: Course
    cover: Cover
    blur: FloatArray
    light: FloatArray
    skin: FloatArray
    camera: FloatArray
    window: FloatArray
    event: npt.NDArray[np.int64]


@dataclass
class _Draft:
    """Arrays that events write into."""

    n: int
    fps: float
    width: int
    height: int
    rng: np.random.Generator
    channels: dict[str, FloatArray] = field(default_factory=dict)

    def __getitem__(self, name: str) -> FloatArray:
        return self.channels.setdefault(name, np.zeros(self.n))


def draw_script(
    rng: np.random.Generator, n: int, *, fps: float, width: int, height: int, events: Sequence[str] = EVENTS
) -> Script:
    """Draw what happens in `n` frames.

    Raises:
        ValueError: an event is unknown, or there is no time for so many.
    """
    unknown = sorted(set(events) - set(EVENTS))
    if unknown:
        raise ValueError(f"no event of a room: {', '.join(unknown)}; there are {', '.join(EVENTS)}")
    draft = _Draft(n, fps, width, height, rng)
    _sit(draft)
    draft["share"][:], draft["skin"][:], draft["event"][:] = -1, np.nan, -1
    slots = np.linspace(0.02 * n, n, len(events) + 1).round().astype(int)
    if events and np.diff(slots).min() < 1.1 * _SHORTEST_S * fps:
        raise ValueError(
            f"{n / fps:g} s are too short for {len(events)} events: give {1.2 * _SHORTEST_S:g} s for each"
        )
    for number, (low, high) in zip(rng.permutation(len(events)), pairwise(slots.tolist()), strict=True):
        longest = min(_LONGEST_S * fps, high - low - 1)
        shortest = longest if events[number] in ("out", "stranger") else min(_SHORTEST_S * fps, longest)
        length = int(rng.uniform(shortest, longest))
        start = int(rng.integers(low, high - length))
        _enact(draft, events[number], slice(start, start + length))
    return _finished(draft)


def _smooth(draft: _Draft, period_s: float) -> FloatArray:
    """A smooth wander between about -1 and 1: three sines of random phase."""
    t = np.arange(draft.n) / draft.fps
    total: FloatArray = np.zeros(draft.n)
    for share, ratio in ((0.5, 1.0), (0.3, 0.53), (0.2, 0.29)):
        rate = draft.rng.uniform(0.8, 1.25) / (ratio * period_s)
        total += share * np.sin(2 * math.pi * (rate * t + draft.rng.uniform()))
    return total


def _ramp(draft: _Draft, frames: slice, seconds: float) -> FloatArray:
    """0 outside, 1 inside, smooth over `seconds` at both ends ``(T,)``."""
    t = np.arange(draft.n)
    edge = max(1.0, min(seconds * draft.fps, 0.45 * (frames.stop - frames.start)))
    rise = np.clip(np.minimum(t - frames.start + 1, frames.stop - t) / edge, 0, 1)
    out: FloatArray = rise * rise * (3 - 2 * rise)
    return out


def _sit(draft: _Draft) -> None:
    """What is always going on: sway, lean, camera shake, slow light."""
    rng, longer = draft.rng, max(draft.width, draft.height)
    share = rng.uniform(FACE_WIDTH[0] + 0.02, FACE_WIDTH[1] - 0.03) * (1 + 0.08 * _smooth(draft, 7.0))
    lowest, highest = FACE_WIDTH[0] + 0.008, min(FACE_WIDTH[1], 0.62 * draft.height / longer)
    draft["unit"][:] = np.clip(share, lowest, highest) * longer / _WIDTH_PER_UNIT
    top, bottom = 1.2 * draft["unit"].max(), draft.height - 1.15 * draft["unit"].max()
    middle = np.clip(rng.uniform(0.38, 0.55) * draft.height, top, bottom)
    draft["y"][:] = middle + 0.5 * np.minimum(middle - top, bottom - middle) * _smooth(draft, 4.0)
    draft["x"][:] = draft.width * (rng.uniform(0.40, 0.60) + 0.05 * _smooth(draft, 3.0))
    shake = rng.choice([0.0, 1.0, 4.0])
    draft["camera_x"][:], draft["camera_y"][:] = shake * _smooth(draft, 0.5), shake * _smooth(draft, 0.4)
    draft["camera_roll"][:] = 0.002 * shake * _smooth(draft, 0.6)
    draft["light"][:] = 1 + 0.08 * _smooth(draft, 6.0)
    draft["window"][:] = 0.5 + 0.5 * _smooth(draft, 5.0)
    draft["other_y"][:] = draft["y"]
    draft["other_unit"][:] = 1.0


def _enact(draft: _Draft, event: str, frames: slice) -> None:
    draft["event"][frames] = EVENTS.index(event)
    acts = {
        "hand over": lambda: _cover(draft, frames, _HEAVY),
        "hand near": lambda: _cover(draft, frames, _LIGHT),
        "blur": lambda: _add(draft, "blur", _ramp(draft, frames, 0.08), _BLUR),
        "soft": lambda: _add(draft, "blur", _ramp(draft, frames, 0.08), _SOFT),
        "dark": lambda: _skin(draft, frames, _DARK),
        "dim": lambda: _skin(draft, frames, _DIM),
        "bright": lambda: _skin(draft, frames, _BRIGHT),
        "lamp": lambda: _lamp(draft, frames),
        "out": lambda: _walk_out(draft, frames),
        "turned": lambda: _turn(draft, frames),
        "visitor": lambda: _visit(draft, frames),
        "visitor near": lambda: _pass_by(draft, frames),
        "stranger": lambda: _stranger(draft, frames),
        "tilt": lambda: _add(draft, "roll", _sign(draft) * _ramp(draft, frames, 0.4), (0.25, 0.5)),
        "fast": lambda: _fast(draft, frames),
    }
    acts[event]()


def _sign(draft: _Draft) -> float:
    return float(draft.rng.choice([-1.0, 1.0]))


def _add(draft: _Draft, channel: str, shape: FloatArray, size: tuple[float, float]) -> None:
    draft[channel][:] += draft.rng.uniform(*size) * shape


def _skin(draft: _Draft, frames: slice, luminance: tuple[float, float]) -> None:
    draft["skin"][frames] = draft.rng.uniform(*luminance)


def _lamp(draft: _Draft, frames: slice) -> None:
    draft["light"][frames] *= draft.rng.choice([0.7, 1.25])


def _cover(draft: _Draft, frames: slice, share: tuple[float, float]) -> None:
    reach = _ramp(draft, frames, _RAMP_S)[frames]
    draft["share"][frames] = draft.rng.uniform(*share) * reach
    draft["kind"][frames] = draft.rng.integers(len(KINDS))
    draft["angle"][frames] = draft.rng.uniform(-1.2, 1.2)  # from below, or from a side


def _walk_out(draft: _Draft, frames: slice) -> None:
    away = _ramp(draft, frames, _WALK_S)
    room = 1.5 * draft["unit"]
    goal = np.where(_sign(draft) > 0, draft.width + room, -room)
    draft["x"][:] = (1 - away) * draft["x"] + away * goal


def _turn(draft: _Draft, frames: slice) -> None:
    draft["turn"][:] = np.maximum(draft["turn"], _ramp(draft, frames, _TURN_S))
    draft["turn_sign"][frames] = _sign(draft)


def _enter(draft: _Draft, frames: slice, size: tuple[float, float], goal: FloatArray, side: float) -> None:
    """The second person comes from a side to a goal, and goes again."""
    draft["other"][frames] = 1
    draft["other_unit"][frames] = (draft.rng.uniform(*size) * draft["unit"])[frames]
    outside = np.where(side > 0, draft.width, 0.0) + side * 1.5 * draft["other_unit"]
    near = _ramp(draft, frames, _WALK_S)
    draft["other_x"][frames] = ((1 - near) * outside + near * goal)[frames]
    draft["other_y"][frames] = (draft["y"] + draft.rng.uniform(-0.3, 0.1) * draft["unit"])[frames]


def _visit(draft: _Draft, frames: slice) -> None:
    side = _sign(draft)
    _enter(draft, frames, (0.55, 0.85), draft["x"] + side * draft.rng.uniform(1.7, 2.2) * draft["unit"], side)


def _pass_by(draft: _Draft, frames: slice) -> None:
    """From one side to the other, in front and larger."""
    side = _sign(draft)
    _enter(draft, frames, (1.05, 1.25), draft["x"], side)
    reach = draft.width / 2 + 1.3 * draft["other_unit"]
    across = np.linspace(side, -side, frames.stop - frames.start)
    draft["other_x"][frames] = draft.width / 2 + across * reach[frames]


def _stranger(draft: _Draft, frames: slice) -> None:
    """Sits down where the first person was, as soon as that one is gone."""
    _walk_out(draft, frames)
    walk = round(_WALK_S * draft.fps)
    inner = slice(frames.start + walk // 2, max(frames.stop - walk // 2, frames.start + walk // 2 + 2))
    middle = np.full(draft.n, draft.width / 2)
    _enter(draft, inner, (0.8, 1.1), middle, -1.0 if draft["x"][inner].mean() > draft.width / 2 else 1.0)


def _fast(draft: _Draft, frames: slice) -> None:
    t = np.arange(draft.n) / draft.fps
    swing = np.sin(2 * math.pi * draft.rng.uniform(1.0, 1.6) * (t - t[frames.start]))
    draft["x"][:] += 0.09 * draft.width * swing * _ramp(draft, frames, 0.2)


def _finished(draft: _Draft) -> Script:
    still = np.zeros(draft.n)
    turn = draft["turn"]
    main = Course(
        x=draft["x"], y=draft["y"], unit=draft["unit"], roll=draft["roll"],
        yaw=np.where(turn > BACK, 0.0, 1.2 * draft["turn_sign"] * turn / BACK),
        shown=np.ones(draft.n, dtype=bool), back=turn > BACK,
    )  # fmt: skip
    other = Course(
        x=draft["other_x"], y=draft["other_y"], unit=draft["other_unit"], roll=still, yaw=still,
        shown=draft["other"] > 0, back=np.zeros(draft.n, dtype=bool),
    )  # fmt: skip
    return Script(
        main=main,
        other=other,
        cover=Cover(kind=draft["kind"].astype(np.int64), angle=draft["angle"], share=draft["share"]),
        blur=draft["blur"],
        light=draft["light"],
        skin=draft["skin"],
        camera=np.stack([draft["camera_x"], draft["camera_y"], draft["camera_roll"]], axis=1),
        window=draft["window"],
        event=draft["event"].astype(np.int64),
    )
