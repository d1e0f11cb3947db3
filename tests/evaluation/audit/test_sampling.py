import numpy as np
import pandas as pd
import pytest
from scipy import stats

from evaluation.audit.sampling import sampling_audit


def persons(count, *, first, seed, women=0.5, shift=0.0):
    rng = np.random.default_rng(seed)
    rows = []
    for person in range(count):
        sex, age = ("female" if rng.random() < women else "male"), rng.normal(40 + shift, 10)
        rows += [
            {
                "recording_id": f"{first + person}_{visit}",
                "subject_id": str(first + person),
                "sex": sex,
                "age": age,
                "score": rng.normal(15, 5),
                "site": "",
                "fps": 30.0,
            }
            for visit in range(3)
        ]
    return pd.DataFrame(rows)


def by_column(found):
    return {entry["column"]: entry for entry in found}


def test_a_test_set_of_women_only_is_found_and_nothing_else():
    found = by_column(sampling_audit(persons(60, first=0, seed=0), persons(30, first=100, seed=1, women=1.0)))
    assert set(found) == {"sex", "age", "score"}  # site is empty, the frame rate never varies
    assert found["sex"]["differs"]
    assert found["sex"]["test"] == {"female": 1.0, "male": 0.0}
    assert not found["age"]["differs"]
    assert not found["score"]["differs"]


def test_the_p_value_is_that_of_a_permutation_test_over_people():
    train, test = persons(12, first=0, seed=2), persons(9, first=100, seed=3, shift=6)
    found = by_column(sampling_audit(train, test, n_permutations=5000))["age"]
    ages = [table.groupby("subject_id")["age"].mean().to_numpy() for table in (train, test)]
    expected = stats.permutation_test(
        ages, lambda a, b: a.mean() - b.mean(), n_resamples=5000, rng=np.random.default_rng(0)
    )
    assert found["p"] == pytest.approx(expected.pvalue, abs=0.03)
    assert found["difference"] == pytest.approx(
        abs(ages[0].mean() - ages[1].mean()) / np.concatenate(ages).std()
    )


def test_people_of_one_kind_are_flagged_as_rarely_as_promised():
    flagged = [
        any(
            entry["differs"]
            for entry in sampling_audit(
                persons(20, first=0, seed=2 * seed),
                persons(12, first=100, seed=2 * seed + 1),
                n_permutations=200,
            )
        )
        for seed in range(30)
    ]
    assert np.mean(flagged) <= 0.2


def test_persons_of_equal_means_are_left_out_and_never_give_nan():
    # recordings differ, their means over each of two persons do not
    rows = persons(2, first=0, seed=0).assign(age=[30.0, 40.0, 50.0] * 2)
    found = by_column(sampling_audit(rows[:3], rows[3:]))
    assert "age" not in found
    assert all(np.isfinite(entry["difference"]) for entry in found.values())
