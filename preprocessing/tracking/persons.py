"""Persons: tracklets of the same face put together by its appearance, and which person is the main one."""

from dataclasses import dataclass, field

import numpy as np

from preprocessing.tracking.appearance import distances
from preprocessing.tracking.tracklets import Tracklet, apartness

# Our choices, from drawn persons in rooms. Distances are those of `appearance`.
_SAME = 0.10  # tracklets that are nearer are surely of one person
# A tracklet that is farther is clearly different: a glance of few frames, a longer look, and one that goes
# on at once where the main person was, which a hand or a turn of the head makes.
_GLANCE, _LOOK, _GOES_ON = 0.16, 0.20, 0.30
_LONGER = 4  # clear frames from which on it is a longer look, and another person is known
_CLEARLY = 1.3  # times as far another known person must be
_PLACE, _SIZE = 0.4, 1.3  # widths, times: what is at the same place
_AT_ONCE, _MOMENT = 0.12, 0.25  # seconds; in a moment nobody takes another's place and leaves it again
_FPS = 25.0  # where it is not told


@dataclass(kw_only=True, eq=False)
class Person:
    """Tracklets of one face, which never overlap in time."""

    tracklets: list[Tracklet] = field(default_factory=list)

    @property
    def frames(self) -> set[int]:
        """Frames in which the person is seen."""
        return {frame for one in self.tracklets for frame in one.frames}

    @property
    def weight(self) -> float:
        """Sum of the face's widths over frames: who is longest and largest in view."""
        return float(sum(box[2] - box[0] for one in self.tracklets for box in one.boxes))

    def distance(self, tracklet: Tracklet, *, moved: bool = False) -> float:
        """Median distance of a tracklet's exemplars to the nearest one of the person."""
        own = [exemplar for one in self.tracklets for exemplar in one.exemplars]
        if not own or not tracklet.exemplars:
            return float("inf")
        apart = distances(np.stack(tracklet.exemplars), np.stack(own), moved=moved)
        return float(np.median(apart.min(axis=1)))


def persons(tracklets: list[Tracklet], fps: float | None = None) -> list[Person]:
    """Put tracklets together; the main person is the first of the answer.

    Tracklets that look the same make a person, and who is longest and largest in view is the main one. Any
    other tracklet is the main person's too, unless something speaks for somebody else: the main person is
    seen at the same time, another known person is more like it, or it looks clearly different and is more
    than a moment between two sights of the main person.

    Args:
        tracklets: Of the whole recording.
        fps: Frames per second.
    """
    found: list[Person] = []
    for tracklet in sorted(tracklets, key=lambda one: -_clear(one)):
        person = _alike(tracklet, found)
        if person is None:
            found.append(person := Person())
        person.tracklets.append(tracklet)
    found.sort(key=lambda one: -one.weight)
    return _completed(found, fps or _FPS)


def _alike(tracklet: Tracklet, known: list[Person]) -> Person | None:
    """The person that a tracklet is most like, of those who are not seen elsewhere at the same time."""
    free = [person for person in known if not person.frames & set(tracklet.frames)]
    apart, number = min(
        ((person.distance(tracklet), k) for k, person in enumerate(free)), default=(np.inf, 0)
    )
    return free[number] if apart < _SAME else None


def _completed(found: list[Person], fps: float) -> list[Person]:
    """Give the main person all tracklets that nothing speaks against."""
    if not found:
        return found
    main, core = found[0], Person(tracklets=list(found[0].tracklets))
    rivals = [person for person in found[1:] if _is_known(person, core)]
    left = [tracklet for one in found[1:] for tracklet in one.tracklets]
    apart = {id(tracklet): core.distance(tracklet, moved=True) for tracklet in left}
    left = [one for one in left if not _is_rivals(one, apart[id(one)], rivals)]
    left.sort(key=lambda one: apart[id(one)])
    while own := [one for one in left if _belongs(one, apart[id(one)], main, fps)]:
        main.tracklets.append(own[0])
        left.remove(own[0])
        now = Person(tracklets=[own[0]])
        for one in left:
            if now.distance(one, moved=True) < _SAME:
                apart[id(one)] = 0.0
    rest = [
        Person(tracklets=[one for one in person.tracklets if one not in main.tracklets])
        for person in found[1:]
    ]
    return [main, *(person for person in rest if person.tracklets)]


def _is_known(person: Person, main: Person) -> bool:
    """Whether somebody is surely another person: seen beside the main one, or well and clearly different."""
    if sum(map(_clear, person.tracklets)) < _LONGER:
        return False
    apart = [main.distance(one, moved=True) for one in person.tracklets if one.exemplars]
    return bool(person.frames & main.frames) or min(apart) > _GOES_ON


def _is_rivals(tracklet: Tracklet, apart: float, rivals: list[Person]) -> bool:
    """Whether a tracklet looks nearly as much like another known person as like the main one."""
    return any(
        tracklet in other.tracklets or other.distance(tracklet, moved=True) < _CLEARLY * apart
        for other in rivals
        if tracklet.exemplars
    )


def _belongs(tracklet: Tracklet, apart: float, main: Person, fps: float) -> bool:
    """Whether nothing speaks against it that a tracklet is the main person."""
    if main.frames & set(tracklet.frames):
        return False
    before, after = (gap / fps for gap in _gaps(tracklet, main))
    lasts = (tracklet.frames[-1] - tracklet.frames[0] + 1) / fps
    if max(before, after, lasts) <= _MOMENT:
        return True
    if min(before, after) <= _AT_ONCE:
        return not tracklet.exemplars or apart < _GOES_ON
    seen_well = _clear(tracklet) >= _LONGER or min(before, after) <= _MOMENT
    return apart < (_LOOK if seen_well else _GLANCE)


def _gaps(tracklet: Tracklet, person: Person) -> tuple[float, float]:
    """Frames to the last and the next sight of the person at the place where the tracklet begins and ends."""
    before = [_gap(one, tracklet) for one in person.tracklets]
    after = [_gap(tracklet, one) for one in person.tracklets]
    return min(before), min(after)


def _gap(early: Tracklet, late: Tracklet) -> float:
    apart, growth = apartness(early.boxes[-1], late.boxes[0])
    gap = late.frames[0] - early.frames[-1]
    return gap if gap > 0 and apart < _PLACE and growth < _SIZE else float("inf")


def _clear(tracklet: Tracklet) -> int:
    return sum(tracklet.clear)
