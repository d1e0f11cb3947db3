"""Temporal references of MPEG-1 and MPEG-2 pictures (ISO/IEC 13818-2, 6.3.9), to find missing ones."""

_GROUP, _PICTURE = b"\0\0\1\xb8", b"\0\0\1\0"
_MODULUS = 1024
_BIDIRECTIONAL = 3  # picture_coding_type


class TemporalReferences:
    """Tells where pictures are missing: within a group every place is taken.

    Pictures shown before the first one of their group may be missing: an editor cuts them off. Those between
    two others are known to be missing when a third comes that others lean on.
    """

    def __init__(self) -> None:
        self._taken: set[int] = set()
        self._first: int | None = None  # place up to which nothing is missing
        self._last = 0  # place of the last picture that others lean on

    def jumps(self, packet: bytes) -> bool:
        """Whether pictures are missing before that of a packet."""
        at = packet.find(_PICTURE)
        if at < 0:
            return False
        place = int.from_bytes(packet[at + 4 : at + 6], "big") >> 6
        kind = packet[at + 5] >> 3 & 7
        return (
            self._lead(place, begins=0 <= packet.find(_GROUP) < at)
            if kind != _BIDIRECTIONAL
            else self._add(place)
        )

    def _add(self, place: int) -> bool:
        if self._first is not None:
            self._taken.add(self._unwrapped(place))
        return False

    def _lead(self, place: int, *, begins: bool) -> bool:
        """Take a picture that others lean on: all before the one before it must have come by now."""
        missing = self._first is not None and not self._taken.issuperset(range(self._first, self._last + 1))
        if not begins and self._first is not None:
            place = self._unwrapped(place)
            missing = missing or place < self._last  # the head of a group is missing
            begins = place < self._last
        self._first = place if begins or self._first is None else self._last
        self._taken = (
            {place} if begins else {other for other in self._taken if other >= self._first} | {place}
        )
        self._last = place
        return missing

    def _unwrapped(self, place: int) -> int:
        return place + _MODULUS * round((self._last - place) / _MODULUS)
