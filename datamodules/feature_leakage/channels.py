"""Check that no channel of a series is a label, an answer or an identifier by its name."""

import re
from collections.abc import Sequence

from datamodules.wording import first_few

# Names that carry the answer, or the person, whatever corpus they come from.
_LABELS = re.compile(
    r"item_.*|(.*_)?(score|label|total|severity)|binary|band|target|(bdi|phq|dass|hamd).*|(.*_)?id"
)


class LeakageError(ValueError):
    """The evaluation would measure something it has already seen."""


def check_channels(names: Sequence[str]) -> None:
    """Stop if a label, a questionnaire item or an identifier is among the feature channels.

    Raises:
        LeakageError: Names the offending channels.
    """
    offenders = [name for name in names if _LABELS.fullmatch(name.strip().lower())]
    if offenders:
        raise LeakageError(
            f"feature channels that carry the label or the person: {first_few(offenders)}; "
            "name the channels to use, or remove these columns from the series files"
        )
