"""Display names of features in figures and tables."""

import re

_UNIT = re.compile(r"au(\d{2})")
_WORDS = {"corr": "correlation", "lagcorr": "correlation at best lag", "lag": "best lag"}


def label(feature: str) -> str:
    """The name of a feature in figures and tables.

    Examples:
        >>> label("au01"), label("au12_mean"), label("pose_yaw_std")
        ('AU1', 'AU12 mean', 'pose yaw std')
        >>> label("au06_au12_corr")
        'AU6 AU12 correlation'
    """
    return " ".join(_word(part) for part in feature.split("_"))


def _word(part: str) -> str:
    unit = _UNIT.fullmatch(part)
    return f"AU{int(unit[1])}" if unit else _WORDS.get(part, part)
