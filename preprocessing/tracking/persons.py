"""Persons: tracklets of the same face put together by its appearance, and which person is the main one."""

from dataclasses import dataclass, field

import numpy as np

from preprocessing.tracking.appearance import distances
from preprocessing.tracking.tracklets import Tracklet, apartness

# Our choices, from drawn persons in a room: 97 of 100 tracklets are nearer than this to others of their
# person, and none of those of two persons that were in a room together.
_SAME = 0.10
_CLEARLY = 1.3  # times as far another known person must be
# Tracklets that join at one end or at both may look as different as a hand or a turn of the head makes them.
_JOINED, _BRIDGED = 0.2, 0.25
_NEXT, _PLACE, _SIZE = 3, 0.4, 1.3  # frames, widths, times: what counts as joined
_KNOWN = 10  # clear frames from which on a person is known


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

    def distance(self, tracklet: Tracklet) -> float:
        """Median distance of a tracklet's exemplars to the nearest one of the person."""
        own = [exemplar for one in self.tracklets for exemplar in one.exemplars]
        if not own or not tracklet.exemplars:
            return float("inf")
        return float(np.median(distances(np.stack(tracklet.exemplars), np.stack(own)).min(axis=1)))


def persons(tracklets: list[Tracklet]) -> list[Person]:
    """Put tracklets together; the main person is the first of the answer."""
    found: list[Person] = []
    for tracklet in sorted(tracklets, key=lambda one: -_clear(one)):
        person = _alike(tracklet, found)
        if person is None:
            found.append(person := Person())
        person.tracklets.append(tracklet)
    found.sort(key=lambda one: -one.weight)
    return _joined(found)


def _alike(tracklet: Tracklet, known: list[Person]) -> Person | None:
    """The one person that a tracklet is like, if it is like one and clearly less like all others."""
    ranked = sorted((person.distance(tracklet), number) for number, person in enumerate(known))
    if not ranked or ranked[0][0] > _SAME:
        return None
    person = known[ranked[0][1]]
    rivals = [distance for distance, _ in ranked[1:] if distance < _CLEARLY * ranked[0][0]]
    return None if rivals or person.frames & set(tracklet.frames) else person


def _joined(found: list[Person]) -> list[Person]:
    """Give the main person what joins his or her tracklets and is nobody else: a face hidden or turned."""
    if not found:
        return found
    main, core = found[0], Person(tracklets=list(found[0].tracklets))
    left = [tracklet for one in found[1:] for tracklet in one.tracklets]
    rivals = {id(tracklet): _rivals(tracklet, found[1:]) for tracklet in left}
    while joining := [one for one in left if _may_join(one, main, core, rivals[id(one)])]:
        main.tracklets.append(joining[0])
        left.remove(joining[0])
    rest = [Person(tracklets=[one for one in person.tracklets if one in left]) for person in found[1:]]
    return [main, *(person for person in rest if person.tracklets)]


def _rivals(tracklet: Tracklet, others: list[Person]) -> list[Person]:
    """Persons who are known by more than this tracklet."""
    rest = [Person(tracklets=[one for one in person.tracklets if one is not tracklet]) for person in others]
    return [person for person in rest if sum(map(_clear, person.tracklets)) >= _KNOWN]


def _may_join(tracklet: Tracklet, main: Person, core: Person, rivals: list[Person]) -> bool:
    """Whether a tracklet joins the main person's, and is neither unlike nor as like another person."""
    joints = _joints(tracklet, main)
    if not tracklet.exemplars or not joints:
        return bool(joints)
    apart = core.distance(tracklet)
    limit = _BRIDGED if joints == 2 else _JOINED
    return apart < limit and all(other.distance(tracklet) > _CLEARLY * apart for other in rivals)


def _joints(tracklet: Tracklet, person: Person) -> int:
    """At how many ends a tracklet goes on where the person is seen just before or just after."""
    if person.frames & set(tracklet.frames):
        return 0
    before = any(_meet(one, tracklet) for one in person.tracklets)
    after = any(_meet(tracklet, one) for one in person.tracklets)
    return before + after


def _meet(early: Tracklet, late: Tracklet) -> bool:
    apart, growth = apartness(early.boxes[-1], late.boxes[0])
    return 0 < late.frames[0] - early.frames[-1] <= _NEXT and apart < _PLACE and growth < _SIZE


def _clear(tracklet: Tracklet) -> int:
    return sum(tracklet.clear)
