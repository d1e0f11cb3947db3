"""Wording of error messages: the nearest known name, and the first few of many."""

import difflib
from collections.abc import Iterable, Sequence


def nearest(name: str, known: Iterable[str]) -> str:
    """Phrase a suggestion for a misspelt name, or nothing when no name is close."""
    plain = {own.casefold(): own for own in reversed(list(known))}
    match = difflib.get_close_matches(name.casefold(), list(plain), n=1, cutoff=0.6)
    return f"; did you mean '{plain[match[0]]}'?" if match else ""


_SHOWN = 10  # names in a message


def first_few(names: Sequence[str], *, shown: int = _SHOWN) -> str:
    """The first ten names, or as many as are to be shown, and how many more there are."""
    rest = f" and {len(names) - shown} more" if len(names) > shown else ""
    return ", ".join(names[:shown]) + rest
