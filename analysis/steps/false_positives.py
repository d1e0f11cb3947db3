"""False-positive rate of the group comparison under permuted groups."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass

import pandas as pd

from analysis.step_data import Finding, Material, feature_columns
from analysis.steps.cells import estimate
from biomarkers.groups.false_positives import ALPHA, null_rates
from biomarkers.groups.subject_means import one_group_each
from evaluation.report.page import Section
from evaluation.uncertainty.bootstrap import Resampling

_NAMES = {
    "welch_p_holm": "Welch, after Holm",
    "u_p_holm": "Mann-Whitney, after Holm",
    "welch_p": "Welch, uncorrected",
    "u_p": "Mann-Whitney, uncorrected",
}


@dataclass(frozen=True, kw_only=True)
class NullRates:
    """The analysis's own false-positive rate: its groups shuffled between its persons.

    Args:
        features: Ends of the names of the features that are compared.
        draws: Permutations.
    """

    features: Sequence[str]
    draws: int

    def __call__(self, material: Material, resampling: Resampling) -> Finding:
        """Count permutations with any significant feature."""
        persons = one_group_each(feature_columns(material, *self.features), material.labels)
        rates = null_rates(persons, draws=self.draws, seed=resampling.seed)
        kept = all(rates[test].low <= ALPHA for test in ("welch_p_holm", "u_p_holm"))
        verdict = "keep" if kept else "do NOT keep"
        section = Section(
            "nulls",
            "What would be found if there were nothing?",
            f"The groups were shuffled between the persons {self.draws} times, so that no difference is "
            f"real. Share of shuffles in which any of {persons.values.shape[1]} features is significant at "
            f"{ALPHA:g}: the corrected tests {verdict} to {ALPHA:.0%} within the interval.",
            columns=("Test", "Any false finding"),
            rows=[(_NAMES[test], estimate(rate.rate, rate.low, rate.high)) for test, rate in rates.items()],
            remarks=(
                "Intervals are Wilson's over shuffles. Whether real differences are found is another "
                "question: the intervals of the effects above say which ones these persons can exclude",
            ),
        )
        table = pd.DataFrame([{"test": test} | asdict(rate) for test, rate in rates.items()])
        return Finding([section], {"null_rates": table})
