"""Published symptom discrepancies, as constants, with their inconsistencies.

Source: Xu, Zhang and Zhang, "Faces of the Mind" (arXiv 2405.20072, 2024 and 2025), 11,427 pupils, DASS-21;
numbers as printed in its public code (github.com/njnklab/FACES), means of the normalized distance within
groups of the same raw total.
"""

from collections.abc import Mapping
from types import MappingProxyType

SDI: Mapping[tuple[str, str], float] = MappingProxyType(
    {  # our aggregation of the printed groups; the code prints the groups only
        ("DASS-21-D", "score"): 0.253,
        ("DASS-21-A", "score"): 0.285,
        ("DASS-21-S", "score"): 0.341,
        ("DASS-21-D", "severity"): 0.288,
        ("DASS-21-A", "severity"): 0.321,
        ("DASS-21-S", "severity"): 0.376,
    }
)


def _means(printed: str) -> tuple[float, ...]:
    return tuple(map(float, printed.split()))


MEAN_BY_TOTAL: Mapping[str, tuple[float, ...]] = MappingProxyType(
    {  # raw totals 0 to 21
        "DASS-21-D": _means(
            "0 0.1616 0.2458 0.3034 0.3315 0.3514 0.35 0.3157 0.3759 0.448 0.4718 "
            "0.4711 0.4787 0.5059 0.4764 0.5039 0.4655 0.4358 0.3864 0.3086 0.1951 0"
        ),
        "DASS-21-A": _means(
            "0 0.1482 0.2185 0.2985 0.3376 0.3726 0.3907 0.3664 0.4207 0.4528 0.4656 "
            "0.4699 0.5127 0.4923 0.5016 0.524 0.4621 0.479 0.4697 0.3222 0.1869 0"
        ),
        "DASS-21-S": _means(
            "0 0.2151 0.2983 0.3557 0.3658 0.3716 0.3601 0.2985 0.4011 0.45 0.4692 "
            "0.4884 0.522 0.513 0.4573 0.4933 0.4494 0.4209 0.4425 0.3135 0.2159 0"
        ),
    }
)

ISSUES = (
    "Distances are divided by that of the most distant person of the sample: values of two samples are not "
    "comparable, curves are in shape.",
    "The public code holds a second version, which groups by the sum of standardized items; the printed "
    "groups, 22 totals of 11,427 persons, cannot come from it.",
    "Discrepancy is 0 at totals 0 and 21 whoever answers; no null is printed.",
)
