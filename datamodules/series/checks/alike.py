"""Check for columns whose names are alike: they differ only in case, blanks or separators."""

import re
from collections import defaultdict
from collections.abc import Collection, Sequence
from pathlib import Path

from datamodules.series.series import UnreadableSeries


def check_alike(path: Path, names: Sequence[str], known: Collection[str]) -> None:
    """Stop at two columns that are spellings of one name.

    A capital X, Y or Z alone is another axis than the small letter: `x_0` is a place in the picture and `X_0`
    one in space. A number behind a point is the mark by which table programs tell equal names apart. Names
    that are all `known` are meant, as `neutral`, an emotion, and `_neutral`, a blendshape.

    Raises:
        UnreadableSeries: Names the two columns and the remedy.
    """
    groups: dict[str, list[str]] = defaultdict(list)
    for name in names:
        groups[_folded(name)].append(name)
    for group in groups.values():
        if len(group) > 1 and not set(group) <= set(known):
            raise UnreadableSeries(
                f"{path}: columns '{group[0]}' and '{group[1]}' differ in capitals, blanks or "
                "separators alone, and would be two channels; remove one, give it a name of its own, or "
                "name the channels to use"
            )


def _folded(name: str) -> str:
    text = re.sub(r"(?<=[A-Za-z])\.\d+$", "", name.strip())
    text = re.sub(r"(?<![^\W\d_])[XYZ](?![^\W\d_])", lambda axis: f"\0{axis[0].lower()}", text)
    text = re.sub(r"(?<=\d)[\s_.-]+(?=\d)", "\1", text.casefold())
    return re.sub(r"[\s_.-]+", "", text)
