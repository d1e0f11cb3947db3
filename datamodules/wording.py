"""Wording of error messages: the nearest known name, and the first few of many."""

import difflib
from collections.abc import Iterable, Sequence


def nearest(name: str, known: Iterable[str]) -> str:
    """Phrase a suggestion for a misspelt name, or nothing when no name is close."""
    plain = {own.casefold(): own for own in reversed(list(known))}
    match = difflib.get_close_matches(name.casefold(), list(plain), n=1, cutoff=0.6)
    return f"; did you mean '{plain[match[0]]}'?" if match else ""


def most_like(name: str, known: Iterable[str], shown: int = 12) -> str:
    """Names as they stand; of more than are shown those most like a name, and how many more there are.

    Examples:
        >>> most_like("path", ["age", "paths", "sex"], 1)
        'paths and 2 more'
    """
    names = list(known)
    if len(names) > shown:
        matcher = difflib.SequenceMatcher(b=name.casefold())
        likeness = {}
        for one in names:
            matcher.set_seq1(one.casefold())
            likeness[one] = matcher.ratio()
        names.sort(key=lambda one: -likeness[one])
    return first_few(names, shown)


def first_few(names: Sequence[str], shown: int = 10, *, of: int | None = None, between: str = ", ") -> str:
    """The first names, ten unless told, and how many more there are.

    Args:
        names: All of them, or the first ones.
        shown: Names to show.
        of: How many there are, where `names` has the first ones only.
        between: Text between two names.

    Examples:
        >>> first_few(["a", "b", "c"], 2)
        'a, b and 1 more'
    """
    more = (len(names) if of is None else of) - len(names[:shown])
    return between.join(names[:shown]) + (f" and {more} more" if more else "")
