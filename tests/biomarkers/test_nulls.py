"""Nothing is found where there is nothing, and what there is is found."""

import numpy as np
import pandas as pd
import pytest

from biomarkers.comparison import compare_groups
from biomarkers.nulls import null_rate
from biomarkers.persons import Persons, person_means
from datamodules.synthetic import latent

MOVED = {f"{c.name}_mean" for c in latent._CHANNELS if c.effect != 0}


def noise(features, *, persons=40):
    values = pd.DataFrame(np.random.default_rng(3).standard_normal((persons, features)))
    return Persons(values=values, depressed=np.arange(persons) < persons // 2, left_out={})


def test_holm_keeps_the_rate_and_no_correction_does_not():
    cohort = noise(8)
    corrected = null_rate(cohort, draws=100)
    assert corrected.draws == 100
    assert corrected.low <= 0.05
    plain = null_rate(cohort, test="welch_p", draws=100)
    assert plain.low < 1 - 0.95**8 < plain.high


def test_what_cannot_be_measured_is_refused():
    with pytest.raises(ValueError, match="test='t': choose one of"):
        null_rate(noise(2), test="t", draws=1)
    with pytest.raises(ValueError, match="draws=0"):
        null_rate(noise(2), draws=0)


@pytest.mark.slow
def test_the_cohort_has_its_differences_and_no_others(latent_tables):
    persons = person_means(*latent_tables(persons=240))
    table = compare_groups(persons, n_boot=1000).set_index("feature")
    assert set(table.index[table["welch_p_holm"] < 0.05]) == MOVED
    signs = {f"{c.name}_mean": np.sign(c.effect) for c in latent._CHANNELS if c.effect != 0}
    assert {name: np.sign(table.loc[name, "difference"]) for name in MOVED} == signs
    for test in ("welch_p_holm", "u_p_holm"):
        assert null_rate(persons, test=test, draws=200).low <= 0.05
