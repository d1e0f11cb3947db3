"""Questionnaire answers that follow from the same severity as the face, with a personal pattern of symptoms.

Graded response model (Samejima 1969): person ``i`` at visit ``v`` answers item ``j`` with at least ``k`` with
probability

    P(y >= k) = logistic(a_j (t - b_jk)),    t = sqrt(1 - h^2) severity_iv + h profile_i,d(j)

where ``d(j)`` is the symptom domain of the item and ``h`` the heterogeneity: two persons of equal severity
then differ in *which* symptoms they have. With ``prevalence="school"`` symptoms are as rare as among pupils,
see ``prevalence.py``. The wording of items is no part of this model, only their number, range and domain.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Literal, get_args

import numpy as np
import numpy.typing as npt

from datamodules.synthetic.prevalence import school_trait

FloatArray = npt.NDArray[np.float64]

Prevalence = Literal["standard", "school"]
PREVALENCES: tuple[Prevalence, ...] = get_args(Prevalence)
DOMAINS = ("mood", "cognition", "somatic", "tension", "arousal")
_LEVELS = 3  # items are answered 0-3 in all three questionnaires
_DISCRIMINATION = (1.6, 2.6)  # our choice: coefficient alpha near .9 and above for 21 items
_EASE = 0.30  # our choice: spread of the items' mean difficulty


@dataclass(frozen=True)
class _Form:
    """One questionnaire: column prefix, digits of an item number, domain of each item, difficulties."""

    prefix: str
    digits: int
    domains: str  # one letter an item: M C S T A, in the order of DOMAINS
    steps: tuple[float, float, float]  # severity at which half the answers reach 1, 2, 3

    def __len__(self) -> int:
        return len(self.domains)

    @cached_property
    def columns(self) -> list[str]:
        return [f"item_{self.prefix}_{j + 1:0{self.digits}d}" for j in range(len(self))]

    @cached_property
    def domain_index(self) -> npt.NDArray[np.int64]:
        return np.array(["MCSTA".index(letter) for letter in self.domains])

    @cached_property
    def difficulties(self) -> FloatArray:
        """Step difficulties ``(items, 3)``: equal spacing, the items shuffled evenly around it."""
        spread = np.linspace(-1, 1, len(self))[(np.arange(len(self)) * 8 + 3) % len(self)] * _EASE
        out: FloatArray = np.array(self.steps)[None] + spread[:, None]
        return out

    @cached_property
    def discriminations(self) -> FloatArray:
        low, high = _DISCRIMINATION
        return low + (high - low) * ((np.arange(len(self)) * 5 + 2) % len(self)) / (len(self) - 1)


# Calibrated (our choice): with severity ~ N(0, 1) four to five of ten visits reach 14 points of the BDI-II.
_BDI = _Form("bdi2", 2, "MCCMCCCCCMTMTCSSTSTSS", (0.26, 1.08, 1.90))
_PHQ = _Form("phq9", 1, "MMSSSCTTC", (0.05, 0.95, 1.65))
_DASS = _Form("dass21", 2, "TAMAMTATAMTTMTAMMTAAM", (0.25, 1.10, 1.80))
_FORMS = (_BDI, _PHQ, _DASS)
# Subscales of the DASS-21 (Lovibond & Lovibond 1995), item numbers from 1.
_DASS_SUBSCALES = {
    "DASS-21-D": (3, 5, 10, 13, 16, 17, 21),
    "DASS-21-A": (2, 4, 7, 9, 15, 19, 20),
    "DASS-21-S": (1, 6, 8, 11, 12, 14, 18),
}
# Subscale whose histogram a domain follows among pupils; the two without a subscale follow mood (our choice).
_SCHOOL = dict.fromkeys(DOMAINS, "depression") | {"tension": "stress", "arousal": "anxiety"}
_SUBSCALE_ITEMS = dict(zip(("depression", "anxiety", "stress"), _DASS_SUBSCALES.values(), strict=True))


def symptom_profile(rng: np.random.Generator) -> FloatArray:
    """Draw which symptom domains weigh more in a person, ``(len(DOMAINS),)``, standard normal."""
    return rng.standard_normal(len(DOMAINS))


def answer(
    severity: float,
    profile: FloatArray,
    rng: np.random.Generator,
    *,
    heterogeneity: float = 0.3,
    prevalence: Prevalence = "standard",
) -> dict[str, int]:
    """Answer the BDI-II, the PHQ-9 and the DASS-21 once.

    With equal draws of `rng` no answer falls when severity rises.

    Args:
        severity: latent severity, standard-normal-like.
        profile: the person's symptom profile, ``(len(DOMAINS),)``.
        rng: the stream of this visit.
        heterogeneity: weight (0-1) of the profile in what an item measures; 0 gives all the same symptoms.
        prevalence: `standard`, or `school` with totals of the DASS-21 as among 11,427 pupils.

    Returns:
        Item column of the manifest -> answer 0-3; DASS items are raw, their totals doubled.

    Raises:
        ValueError: `heterogeneity` is not a share, or there is no such prevalence.

    Examples:
        >>> items = answer(0.0, np.zeros(5), np.random.default_rng(0))
        >>> len(items), {value for value in items.values()} <= {0, 1, 2, 3}
        (51, True)
    """
    if not 0 <= heterogeneity <= 1:
        raise ValueError(f"heterogeneity={heterogeneity} is a share: give a value from 0 to 1")
    if prevalence not in PREVALENCES:
        raise ValueError(f"prevalence={prevalence!r}: choose {' or '.join(PREVALENCES)}")
    traits = np.sqrt(1 - heterogeneity**2) * severity + heterogeneity * profile
    if prevalence == "school":
        traits = _among_pupils(traits)
    items: dict[str, int] = {}
    for form in _FORMS:
        trait = traits[form.domain_index]
        logit = form.discriminations[:, None] * (trait[:, None] - form.difficulties)
        chance = 1 / (1 + np.exp(-logit))
        values = (rng.random(len(form))[:, None] < chance).sum(axis=1)
        items |= dict(zip(form.columns, values.tolist(), strict=True))
    return items


def _among_pupils(traits: FloatArray) -> FloatArray:
    """Standard normal traits of the domains, ``(..., domains)``, made as rare as among pupils."""
    out = np.empty_like(traits)
    for number, domain in enumerate(DOMAINS):
        subscale = _SCHOOL[domain]
        rows = np.array(_SUBSCALE_ITEMS[subscale]) - 1
        out[..., number] = school_trait(
            traits[..., number], subscale, _DASS.discriminations[rows], _DASS.difficulties[rows]
        )
    return out


def totals(items: dict[str, int]) -> dict[str, int]:
    """Totals by scale: BDI-II, PHQ-9, PHQ-8 (without the last item) and the doubled DASS-21 subscales."""
    phq = [items[column] for column in _PHQ.columns]
    result = {
        "BDI-II": sum(items[column] for column in _BDI.columns),
        "PHQ-9": sum(phq),
        "PHQ-8": sum(phq[:8]),
    }
    columns = _DASS.columns
    return result | {
        name: 2 * sum(items[columns[number - 1]] for number in numbers)
        for name, numbers in _DASS_SUBSCALES.items()
    }
