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
ORACLES = {
    "raw": ("Oracle, raw", "the movements of a recording"),
    "relative": ("Oracle, relative to person", "how they differ from the person's habit"),
    "enrolment": ("Oracle, minus other visits", "how they differ from the person's other recordings"),
    "both": ("Oracle, both", "the movements, and how they differ from the person's other recordings"),
    "calibrated": (
        "Oracle, calibrated",
        "how they differ from earlier visits, from which the known scores are taken out",
    ),
    "both + earlier scores": (
        "Oracle, with earlier scores",
        "the movements, how they differ from earlier visits, and the scores of these",
    ),
    "earlier scores": ("Oracle, earlier scores alone", "scores of earlier visits, and no movement"),
}
"""Name of each of `evaluation.baselines.oracle`, and what it reads."""

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
