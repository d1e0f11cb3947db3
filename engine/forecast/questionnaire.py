"""Reliability of the questionnaire behind a corpus: from its answers, or as published."""

from typing import NamedTuple

import numpy as np
import pandas as pd

from biomarkers.symptoms.reliability import alpha, omega
from datamodules.manifests.identity import visit_codes
from datamodules.manifests.questionnaires import SUBSCALES
from datamodules.manifests.scales import Scale
from evaluation.change.questionnaire_noise import RELIABILITY

FEWEST = 50  # our choice: visits with all answers below which a published reliability is surer
_ITEMS = 3  # that one factor needs


class Reliability(NamedTuple):
    """A reliability and where it is from, in words; None where none is known, and what to do."""

    value: float | None
    source: str


def reliability_of(scale: Scale | None, rows: pd.DataFrame, *, given: float | None = None) -> Reliability:
    """Reliability of totals.

    Args:
        scale: The questionnaire, or None.
        rows: Recordings whose labels may be read, with or without the columns of single answers.
        given: Takes the place of what is found.
    """
    if given is not None:
        return Reliability(given, "as given")
    if scale is None:
        return Reliability(None, "no questionnaire is known: give reliability=")
    covariance, visits = _answers(scale, rows)
    if covariance is not None:
        own, plain = omega(covariance), alpha(covariance)
        if np.isfinite(own):
            return Reliability(own, f"omega of {visits} questionnaires ({scale.name}); alpha {plain:.2f}")
    if scale.name in RELIABILITY:
        return Reliability(RELIABILITY[scale.name], f"published alpha of the {scale.name}")
    return Reliability(None, f"none is known of the {scale.name}: give reliability=")


def _answers(scale: Scale, rows: pd.DataFrame) -> tuple[np.ndarray | None, int]:
    """Covariances of the answers that vary, over complete visits, and how many there are."""
    items = SUBSCALES[scale.name].within(rows)
    if not set(items.columns) <= set(rows):
        return None, 0
    once = rows[~pd.Series(visit_codes(rows), index=rows.index).duplicated()]
    answers = items.answers(once).dropna()
    answers = answers.loc[:, answers.nunique() > 1]
    if len(answers) < FEWEST or answers.shape[1] < _ITEMS:
        return None, len(answers)
    return np.cov(answers.to_numpy(), rowvar=False), len(answers)
