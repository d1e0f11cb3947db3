"""Widths of feature sets that the pages of a challenge state, and what is in the files."""

import re
from collections.abc import Mapping

from datamodules.series.feature_set import width_of
from datamodules.sources.shared.draft import Draft, SourceError

# As the public pages of AdoDAS state them (November 2026). How the folders of the sets are called is not
# stated, so that a width is known where a name contains these words.
_WIDTHS = {
    r"quality": 4,
    r"head_?pose": 5,
    r"face_?behaviou?r": 5,
    r"body_?pose": 27,
    r"motion": 4,
    r"(voice_?activity|vad)": 4,
    r"dino_?v2_(.*_)?(small|vits\d*|s)": 384,
    r"dino_?v2_(.*_)?(base|vitb\d*|b)": 768,
    r"dino_?v2_(.*_)?(large|vitl\d*|l)": 1024,
}


def known_width(name: str) -> int | None:
    """The stated width of a set by its name, None where the name tells none.

    Examples:
        >>> known_width("head_pose"), known_width("dinov2/small"), known_width("emotion"), known_width("clip")
        (5, 384, None, None)
    """
    words = re.sub(r"[\W_]+", "_", name.lower()).strip("_")
    found = {width for pattern, width in _WIDTHS.items() if re.fullmatch(f"(.*_)?{pattern}(_.*)?", words)}
    return found.pop() if len(found) == 1 else None  # a name of two kinds tells none


def check_widths(draft: Draft, widths: Mapping[str, int]) -> None:
    """Hold the files of each column against the stated width of its set; what cannot be read is told later.

    Args:
        draft: With its rows.
        widths: Column of a set -> stated width.

    Raises:
        SourceError: Another width; names file and both numbers.
    """
    for column, stated in widths.items():
        for row in draft.rows:
            path = draft.root / row[column]
            found = width_of(path) if row[column] else None
            if found not in (None, stated):
                raise SourceError(
                    f"{path}: {found} values a row, the pages state {stated} for this set; if it is another "
                    "one, give its folder another name, or leave it out with sets=[...]"
                )
