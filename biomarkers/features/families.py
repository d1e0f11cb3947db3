"""Families of features: the channel, facial region and statistic that a feature measures.

Statistics of one channel resemble each other: permuting one leaves the others to tell the same, and each
looks unimportant alone (Strobl et al., BMC Bioinformatics 9:307, 2008). So importance is told of families.
"""

import re
from collections.abc import Iterable, Mapping

from biomarkers.features.statistics import STATISTICS

OTHER = "other"
IDENTITY = "shape (identity)"

_GAP = "missingindicator_"  # how scikit-learn names the indicator of a gap
_REGIONS: Mapping[str, re.Pattern[str]] = {
    IDENTITY: re.compile(r"p_\d+"),
    "brows": re.compile(r"au0[124](_.*)?"),
    "eyes": re.compile(r"au(05|06|07|43|45)(_.*)?|gaze.*|pupil.*|iris.*|eye.*|blink.*|fixation.*|saccade.*"),
    "nose": re.compile(r"au09(_.*)?"),
    "mouth": re.compile(r"au(1\d|2\d)(_.*)?|lip.*|mouth.*"),
    "head": re.compile(r"pose.*|head.*|p_(scale|r[xyz]|t[xy])"),
    "emotions": re.compile(r"(happiness|sadness|surprise|fear|disgust|anger|contempt)(_.*)?"),
}


def channel(feature: str) -> str:
    """The channel that a feature describes; a feature that is no statistic of one is its own.

    Examples:
        >>> channel("au12_q25"), channel("au04_present_mean"), channel("blinks_per_minute")
        ('au12', 'au04_present', 'blinks_per_minute')
    """
    name = feature.removeprefix(_GAP)
    head, _, tail = name.rpartition("_")
    return head if head and tail in STATISTICS else name


def statistic(feature: str) -> str:
    """The statistic that a feature is.

    Examples:
        >>> statistic("au12_q25"), statistic("blinks_per_minute")
        ('q25', 'other')
    """
    tail = feature.rpartition("_")[2]
    return tail if channel(feature) != feature.removeprefix(_GAP) else OTHER


def region(feature: str) -> str:
    """Where in the face a feature is measured.

    `p_0` to `p_33` of OpenFace are the shape of the face: they tell who somebody is, whatever is felt.

    Examples:
        >>> region("au12_mean"), region("gaze_x_std"), region("p_12_max"), region("age")
        ('mouth', 'eyes', 'shape (identity)', 'other')
    """
    own = channel(feature)
    return next((name for name, pattern in _REGIONS.items() if pattern.fullmatch(own)), OTHER)


def identity(feature: str) -> bool:
    """Whether a feature is a parameter of the shape of the face."""
    return region(feature) == IDENTITY


def families(features: Iterable[str]) -> dict[str, dict[str, list[str]]]:
    """Sort features into families: kind of family -> name of the family -> its features, in order.

    Examples:
        >>> families(["au12_mean", "au12_std"])["statistic"]
        {'mean': ['au12_mean'], 'std': ['au12_std']}
    """
    kinds = {"channel": channel, "region": region, "statistic": statistic}
    found: dict[str, dict[str, list[str]]] = {by: {} for by in kinds}
    for feature in features:
        for by, family_of in kinds.items():
            found[by].setdefault(family_of(feature), []).append(feature)
    return found
