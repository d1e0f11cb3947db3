"""How features are named to readers."""

import re

_UNIT = re.compile(r"au(\d{2})(?:_(.+))?")


def label(feature: str) -> str:
    """The name of a feature in figures and tables; other names than those of action units keep their form.

    >>> label("au01"), label("au12_mean"), label("pose_yaw_std")
    ('AU1', 'AU12 mean', 'pose yaw std')
    """
    found = _UNIT.fullmatch(feature)
    if found is None:
        return feature.replace("_", " ")
    rest = (found[2] or "").replace("_", " ")
    return f"AU{int(found[1])} {rest}".rstrip()
