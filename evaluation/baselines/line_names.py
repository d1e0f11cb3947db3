"""Names of the reference lines in reports, and which reading of a family of lines stands for it."""

from collections.abc import Iterator, Mapping
from typing import Any

SIMPLE = {
    "constant": "Constant guess",
    "identity": "Identity look-up",
    "nuisance": "Nuisance only",
    "traits": "Traits only",
    "last_score": "Last earlier score",
    "mean_score": "Mean earlier score",
}
FAMILIES = {
    "statistics": "Statistics",
    "coordination": "Coordination",
    "cross_correlation": "Cross-correlation",
    "rocket": "ROCKET",
}
READINGS = {"raw": "the recording", "enrolment": "minus other visits", "both": "both"}


def family_lines(reference: Mapping[str, Any]) -> Iterator[tuple[str, str, Mapping[str, Any]]]:
    """Family, reading and summary of every line on series that there is.

    Args:
        reference: `reference` of `metrics.json`.
    """
    for family in FAMILIES:
        readings = reference.get(family) or {}
        yield from ((family, name, readings[name]) for name in READINGS if readings.get(name))


def chief_lines(reference: Mapping[str, Any]) -> dict[str, tuple[str, Mapping[str, Any]]]:
    """Family -> the reading that knows most, and its summary: both, or the recording where it is alone."""
    return {
        family: (reading, line) for family, reading, line in family_lines(reference) if reading != "enrolment"
    }
