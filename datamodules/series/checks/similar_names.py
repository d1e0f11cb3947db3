"""Check for columns whose names are alike: they differ only in case, blanks or separators."""

import re
from collections import defaultdict
from collections.abc import Collection, Sequence
from functools import lru_cache
from pathlib import Path

from datamodules.series.series import UnreadableSeries

_ANY, _WORD = re.compile(r"[^\W\d_]+"), re.compile(r"[^\W\d_]{3,}")
_REPEATED = re.compile(r"(.+)\.\d+")


def check_alike(path: Path, names: Sequence[str], known: Collection[str]) -> None:
    """Stop at two columns that are spellings of one name.

    Capitals are spelling in words and in `known` names, not in symbols of one or two letters: `dX` is not
    `dx`, and of axes `x_0` is a place in the picture and `X_0` one in space. Blanks, points and lines are
    spelling, but a minus before a number is not. A number behind a point is the mark by which table programs
    tell equal names apart, if the bare name is a column, too. Names that are all `known` are meant, as
    `neutral`, an emotion, and `_neutral`, a blendshape.

    Raises:
        UnreadableSeries: Names the two columns and the remedy.
    """
    standard = {_folded(name, _ANY) for name in known}
    bare = {name.strip() for name in names}
    groups: dict[str, list[str]] = defaultdict(list)
    for name in names:
        plain = name.strip()
        repeated = _REPEATED.fullmatch(plain)
        # Where the bare name ends in a digit, the point may be that of a number: `hz_0`, `hz_0.1`.
        if repeated and repeated[1] in bare and (repeated[1] in known or repeated[1][-1].isalpha()):
            plain = repeated[1]
        folded = _folded(plain, _ANY)
        groups[folded if folded in standard else _folded(plain, _WORD)].append(name)
    for group in groups.values():
        if len(group) > 1 and not set(group) <= set(known):
            raise UnreadableSeries(
                f"{path}: columns '{group[0]}' and '{group[1]}' differ in capitals, blanks or "
                "separators alone, and would be two channels; remove one, give it a name of its own, or "
                "name the channels to use"
            )


@lru_cache(maxsize=2**14)  # every file is held against the same known names
def _folded(name: str, letters: re.Pattern[str]) -> str:
    """A name without separators, and in small letters where they are such `letters`."""
    text = re.sub(r"(?<![^\W\d_])[XYZ](?![^\W\d_])", lambda axis: f"\0{axis[0].lower()}", name.strip())
    text = letters.sub(lambda word: word[0].casefold(), text)
    text = re.sub(r"-(?=\d)", "\2", text)
    text = re.sub(r"(?<=\d)[\s_.]+(?=\d)", "\1", text)
    return re.sub(r"[\s_.-]+", "", text)
