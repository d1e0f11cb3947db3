"""Strata follow the definition, and know nothing but the training answers."""

import numpy as np
import pandas as pd

from biomarkers.symptoms.discrepancy_strata import discrepancy_strata
from datamodules.manifests.questionnaires import subscale

COLUMNS = list(subscale("DASS-21-D").columns)


def drawn(seed, n=300):
    return pd.DataFrame(np.random.default_rng(seed).binomial(3, 0.3, (n, 7)), columns=COLUMNS, dtype=float)


def test_the_cut_is_the_median_distance_of_the_training_band():
    fitted, asked = drawn(0), drawn(1, 60)
    z = lambda table: (table - fitted.mean()) / fitted.std()  # noqa: E731
    band = lambda table: np.digitize(2 * table.sum(axis=1), [10, 14, 21, 28])  # noqa: E731
    expected = []
    for row, group in zip(z(asked).to_numpy(), band(asked), strict=True):
        same = z(fitted)[band(fitted) == group]
        if same.empty:
            expected.append("")
            continue
        far = np.linalg.norm(same - same.mean(), axis=1)
        expected.append("high" if np.linalg.norm(row - same.mean()) > np.median(far) else "low")
    found = discrepancy_strata(fitted, asked, scale="DASS-21-D")
    assert found.tolist() == expected
    assert found.value_counts().min() > 15


def test_both_strata_are_about_equally_severe():
    fitted, asked = drawn(0, 2000), drawn(1, 2000)
    positive = 2 * asked.sum(axis=1) > 9
    share = positive.groupby(discrepancy_strata(fitted, asked, scale="DASS-21-D")).mean()
    assert abs(share["low"] - share["high"]) < 0.1
    assert set(share.index) == {"low", "high"}


def test_gaps_and_severities_that_nobody_was_fitted_on_have_no_stratum():
    fitted, asked = drawn(0), drawn(1, 3)
    fitted = fitted[2 * fitted.sum(axis=1) <= 27]
    asked.iloc[0, 2] = np.nan
    asked.iloc[1] = 3.0
    assert discrepancy_strata(fitted, asked, scale="DASS-21-D").tolist()[:2] == ["", ""]
