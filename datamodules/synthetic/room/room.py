"""A room as frames and as truth, both from one seed."""

from __future__ import annotations

import functools
import math
from collections.abc import Iterator, Sequence

import cv2
import numpy as np
import numpy.typing as npt

from datamodules.synthetic.appearance import Appearance
from datamodules.synthetic.behavior import behave
from datamodules.synthetic.face import FACE_SIZE, Frame, landmarks
from datamodules.synthetic.latent import CHANNELS, LatentSettings, draw_cohort
from datamodules.synthetic.room.backdrop import Backdrop
from datamodules.synthetic.room.occluder import depth_for, fill, hidden_share, pieces, placed
from datamodules.synthetic.room.person import Person
from datamodules.synthetic.room.script import EVENTS, Course, Script, draw_script
from datamodules.synthetic.room.truth import Truth

FloatArray = npt.NDArray[np.float64]
Series = npt.NDArray[np.float32]

_LUMA = np.array([0.299, 0.587, 0.114])  # ITU-R BT.601
_EXPOSED = 0.62  # our choice: a camera brings the skin at most here, so that glare is an event
_NOISE = 2.0  # standard deviation of a camera's noise in gray levels; our choice
_OTHER_SEED = 7919  # persons of the second seed are not those of the first
_SCRIPT, _BACKDROP, _GRAIN, _GUEST = range(200, 204)  # streams; those of the cohort lie below


class Room:
    """A person and a visitor in a moving scene.

    Args:
        look: the person.
        series: the person's behavior channels ``(T, F)``, one row a frame.
        seed: of the room and all that happens in it; same arguments, same bytes.
        fps: frames per second.
        width: of the picture in pixels.
        height: of the picture in pixels.
        events: what happens, from `script.EVENTS`.

    Examples:
        >>> room = draw_room(3, seconds=2.0, events=("blur",))
        >>> next(room.frames()).shape, len(room.truth.usable)
        ((480, 640, 3), 50)
    """

    def __init__(
        self,
        look: Appearance,
        series: npt.NDArray[np.floating],
        *,
        seed: Sequence[int],
        fps: float = 25.0,
        width: int = 640,
        height: int = 480,
        events: Sequence[str] = EVENTS,
    ) -> None:
        self._seed, self.fps, self.width, self.height = tuple(seed), fps, width, height
        n = len(series)
        self.script: Script = draw_script(
            self._stream(_SCRIPT), n, fps=fps, width=width, height=height, events=events
        )
        self.main = Person(look, _moved(series, self.script.main))
        guest = int(self._stream(_GUEST).integers(2**31))
        self.other = Person(Appearance.draw(guest), _behavior(guest, n / fps, fps)[:n])
        self._backdrop = Backdrop(self._stream(_BACKDROP), width=width, height=height)
        skin = float(np.array(look.skin) @ _LUMA) / 255
        exposure = min(1.0, _EXPOSED / skin) * self.script.light
        self.gain = np.where(np.isnan(self.script.skin), exposure, self.script.skin / skin)

    def __len__(self) -> int:
        return len(self.main.series)

    def frames(self) -> Iterator[Frame]:
        """Draw the frames one at a time, RGB ``(height, width, 3)``."""
        grain = self._stream(_GRAIN)
        shape = (self.height + 64, self.width + 64, 3)
        noise = np.clip(np.rint(_NOISE * grain.standard_normal(shape)), -128, 127).astype(np.int16)
        for t in range(len(self)):
            frame = self._scene(t)
            frame = cv2.convertScaleAbs(frame, alpha=float(self.gain[t]))
            if self.truth.blur[t] > 0:
                frame = cv2.GaussianBlur(frame, (0, 0), float(self.truth.blur[t]))
            y, x = grain.integers(64, size=2)
            yield cv2.add(frame, noise[y : y + self.height, x : x + self.width], dtype=cv2.CV_8U)

    @functools.cached_property
    def truth(self) -> Truth:
        """What is true of each frame."""
        script, n = self.script, len(self)
        ovals = np.stack([_mapped(self.main.oval(t), self._to_frame(script.main, t)) for t in range(n)])
        points = landmarks(self.main.look, self.main.series, 1) / FACE_SIZE
        marks = np.stack([_mapped(points[t], self._to_frame(script.main, t)) for t in range(n)])
        facing = script.main.shown & ~script.main.back
        outside = np.array([self._outside(oval) for oval in ovals])
        boxes = np.concatenate([ovals.min(axis=1), ovals.max(axis=1)], axis=1)
        lit = np.clip(np.array(self.main.look.skin) * self.gain[:, None], 0, 255) @ _LUMA / 255
        truth = Truth(
            boxes=boxes,
            landmarks=marks,
            ovals=ovals,
            other_boxes=self._other_boxes(),
            hidden=np.array([self._hidden(t, oval) for t, oval in enumerate(ovals)]),
            outside=outside,
            blur=script.blur * (boxes[:, 2] - boxes[:, 0]),
            gain=self.gain,
            luminance=lit,
            series=self.main.series,
            yaw=self.main.series[:, CHANNELS.index("pose_yaw")].astype(np.float64),
            facing=facing,
            event=tuple("" if number < 0 else EVENTS[number] for number in script.event),
        )
        for values in (truth.boxes, truth.landmarks, truth.ovals):
            values[~truth.face] = np.nan
        return truth

    def _stream(self, kind: int) -> np.random.Generator:
        return np.random.default_rng([*self._seed, kind])

    def _camera(self, t: int) -> FloatArray:
        """From the still picture to the frame: a turn around its middle, and a shift."""
        x, y, roll = self.script.camera[t].tolist()
        middle = np.array([self.width / 2, self.height / 2])
        turn = np.array([[math.cos(roll), -math.sin(roll)], [math.sin(roll), math.cos(roll)]])
        return np.column_stack([turn, middle - turn @ middle + [x, y]])

    def _to_frame(self, course: Course, t: int) -> FloatArray:
        """From half face heights to pixels of the frame ``(2, 3)``."""
        camera, unit = self._camera(t), course.unit[t]
        place = camera[:, :2] @ np.array([course.x[t], course.y[t]]) + camera[:, 2]
        return np.column_stack([unit * camera[:, :2], place])

    def _scene(self, t: int) -> Frame:
        script = self.script
        frame: Frame = self._backdrop.view(self._camera(t), float(script.window[t]), t / self.fps)
        people = [(self.main, script.main), (self.other, script.other)]
        for person, course in sorted(people, key=lambda pair: pair[1].unit[t]):  # the nearer one last
            if course.shown[t]:
                person.draw(frame, t, self._to_frame(course, t), back=bool(course.back[t]))
        matrix = self._to_frame(script.main, t)
        look = self.main.look
        for piece, points in zip(
            pieces(self._kind(t), look.skin, look.clothes), self._cover(t), strict=False
        ):
            fill(frame, _mapped(points, matrix), piece.color, smooth=True)
        return frame

    def _kind(self, t: int) -> int:
        return int(self.script.cover.kind[t])

    def _cover(self, t: int) -> list[FloatArray]:
        """The polygons of what hides the face, in half face heights; none mostly."""
        cover = self.script.cover
        if cover.share[t] < 0:
            return []
        angle = float(cover.angle[t])
        depth = depth_for(float(cover.share[t]), self.main.oval(t), self._kind(t), angle)
        shapes = pieces(self._kind(t), self.main.look.skin, self.main.look.clothes)
        return [placed(piece.points, angle=angle, depth=depth) for piece in shapes]

    def _hidden(self, t: int, oval: FloatArray) -> float:
        script = self.script
        outlines = [_mapped(points, self._to_frame(script.main, t)) for points in self._cover(t)]
        if script.other.shown[t] and script.other.unit[t] >= script.main.unit[t]:
            there = self._to_frame(script.other, t)
            outlines += [_mapped(points, there) for points in self.other.outline(t)]
        return hidden_share(oval, outlines) if outlines else 0.0

    def _outside(self, oval: FloatArray) -> float:
        picture = np.array([[0, 0], [self.width, 0], [self.width, self.height], [0, self.height]]) - 0.5
        return 1 - hidden_share(oval, [picture])

    def _other_boxes(self) -> FloatArray:
        course = self.script.other
        boxes = np.full((len(self), 4), np.nan)
        for t in np.flatnonzero(course.shown):
            oval = _mapped(self.other.oval(t), self._to_frame(course, t))
            if self._outside(oval) < 1:
                boxes[t] = [*oval.min(axis=0), *oval.max(axis=0)]
        return boxes


def draw_room(
    seed: int,
    *,
    seconds: float = 30.0,
    fps: float = 25.0,
    width: int = 640,
    height: int = 480,
    events: Sequence[str] = EVENTS,
) -> Room:
    """Draw a room with a person of its own, who behaves like one of the cohort."""
    series = _behavior(seed, seconds, fps)
    look = Appearance.draw(int(np.random.default_rng([seed, _OTHER_SEED]).integers(2**31)))
    return Room(look, series, seed=(seed,), fps=fps, width=width, height=height, events=events)


def _behavior(seed: int, seconds: float, fps: float) -> Series:
    settings = LatentSettings(1, 1, fps, seconds + 1, confound=1.0, habit_visibility=0.1, seed=seed)
    return behave(draw_cohort(settings)[0], settings)[: round(seconds * fps)]


def _moved(series: npt.NDArray[np.floating], course: Course) -> Series:
    """The behavior with what the room adds to the head's pose."""
    out = series.astype(np.float32, copy=True)
    out[:, CHANNELS.index("pose_roll")] += course.roll
    out[:, CHANNELS.index("pose_yaw")] += course.yaw
    return out


def _mapped(points: FloatArray, matrix: FloatArray) -> FloatArray:
    return np.asarray(points @ matrix[:, :2].T + matrix[:, 2])
