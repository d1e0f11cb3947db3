import os
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone

from biomarkers.symptoms.discrepancy import SymptomDiscrepancy, aggregate, index
from tests.isolation import check_isolated

DATA = os.environ.get("EUTHYMIA_DATA")


def answers_of(persons, items=7, seed=0):
    rng = np.random.default_rng(seed)
    severity = rng.normal(0, 1, persons)[:, None]
    values = np.clip(np.round(0.8 + severity + rng.normal(0, 0.7, (persons, items))), 0, 3)
    return pd.DataFrame(
        values, columns=[f"q{j}" for j in range(items)], index=[f"p{i}" for i in range(persons)]
    )


def by_the_book(items, group):
    """The definition with pandas, group by group."""
    z = (items - items.mean()) / items.std()
    distance = np.sqrt(((z - z.groupby(group).transform("mean")) ** 2).sum(axis=1))
    scaled = (distance - distance.min()) / (distance.max() - distance.min())
    parts = scaled.groupby(group).agg(["size", "mean", "std"])
    several = parts[parts["size"] > 1]
    value = (several["size"] * (several["mean"] + several["std"])).sum() / several["size"].sum()
    return distance, scaled, value


def test_a_toy_table_by_hand():
    # Both items have mean 1 and variance (ddof=1) 4/5. Total 2: answers (2,0), (0,2), (1,1), (1,1) with
    # centroid (1,1), thus distances sqrt(2 * 5/4), the same, 0, 0. Totals 0 and 4: one person each.
    items = pd.DataFrame({"a": [2, 0, 1, 1, 0, 2], "b": [0, 2, 1, 1, 0, 2]}, dtype=float)
    found = SymptomDiscrepancy().fit(items).per_person(items)
    assert found["total"].tolist() == [2, 2, 2, 2, 0, 4]
    assert found["distance"].tolist() == pytest.approx([np.sqrt(2.5), np.sqrt(2.5), 0, 0, 0, 0])
    assert found["discrepancy"].tolist() == pytest.approx([1, 1, 0, 0, 0, 0])
    whole = index(found)
    gdi = 0.5 + np.sqrt(1 / 3)  # mean of 1, 1, 0, 0 and their ddof=1 deviation
    assert whole.value == pytest.approx(gdi)
    assert whole.groups["n"].tolist() == [1, 4, 1]
    assert whole.groups["gdi"][1] == pytest.approx(gdi)
    assert whole.singletons == 2


@pytest.mark.parametrize("persons", [40, 400])
def test_it_is_what_pandas_finds_by_score(persons):
    items = answers_of(persons)
    distance, scaled, value = by_the_book(items, items.sum(axis=1))
    found = SymptomDiscrepancy().fit(items).per_person(items)
    np.testing.assert_allclose(found["distance"], distance, atol=1e-12)
    np.testing.assert_allclose(found["discrepancy"], scaled, atol=1e-12)
    assert index(found).value == pytest.approx(value, rel=1e-12)


def test_it_is_what_pandas_finds_by_severity():
    items = answers_of(300)
    bands = pd.cut(2 * items.sum(axis=1), [-1, 9, 13, 20, 27, 42], labels=False)  # depression, doubled
    distance, _, value = by_the_book(items, bands)
    found = SymptomDiscrepancy(grouping="severity", scale="DASS-21-D").fit(items).per_person(items)
    assert found["group"].tolist() == bands.tolist()
    np.testing.assert_allclose(found["distance"], distance, atol=1e-12)
    assert index(found).value == pytest.approx(value)


def test_the_global_center_is_the_mean_of_everybody_fitted():
    items = answers_of(100)
    z = (items - items.mean()) / items.std()
    found = SymptomDiscrepancy(center="global").fit(items).per_person(items)
    np.testing.assert_allclose(found["distance"], np.linalg.norm(z, axis=1))
    high = pd.DataFrame([[3.0] * 6 + [2.0]], columns=items.columns)
    assert SymptomDiscrepancy(center="global").fit(items.iloc[:30]).per_person(high)["reason"].tolist() == [
        ""
    ]


def test_quantiles_do_not_follow_the_most_distant_person():
    items = answers_of(500)
    distance = SymptomDiscrepancy(normalization="none").fit(items).per_person(items)["discrepancy"]
    robust = SymptomDiscrepancy(normalization="quantile").fit(items).per_person(items)["discrepancy"]
    low, high = np.quantile(distance, [0.01, 0.99])
    np.testing.assert_allclose(robust, (distance - low) / (high - low))
    odd = items.copy()
    odd.iloc[0] = [3, 3, 3, 0, 0, 0, 0]
    moved = {
        name: index(SymptomDiscrepancy(normalization=name).fit(odd).per_person(odd)).value
        / index(SymptomDiscrepancy(normalization=name).fit(items).per_person(items)).value
        for name in ("range", "quantile")
    }
    assert abs(moved["quantile"] - 1) < abs(moved["range"] - 1) / 3


@pytest.mark.parametrize("center", ["group", "global"])
@pytest.mark.parametrize("normalization", ["range", "quantile", "none"])
def test_order_of_persons_and_items_and_the_unit_do_not_matter(center, normalization):
    items = answers_of(200)
    options = {"center": center, "normalization": normalization}
    plain = SymptomDiscrepancy(**options).fit(items).per_person(items)
    rng = np.random.default_rng(1)
    shuffled = items.iloc[rng.permutation(200), rng.permutation(7)]
    other = SymptomDiscrepancy(**options).fit(shuffled).per_person(shuffled).loc[items.index]
    np.testing.assert_allclose(other["discrepancy"], plain["discrepancy"], atol=1e-9)
    scaled = items * 0.1  # sums of tenths are not exact, yet equal totals stay one group
    tenth = SymptomDiscrepancy(**options).fit(scaled).per_person(scaled)
    np.testing.assert_allclose(tenth["discrepancy"], plain["discrepancy"], atol=1e-9)
    assert index(tenth).value == pytest.approx(index(plain).value)


def test_the_unit_of_a_single_item_does_not_matter_within_given_groups():
    # severity is one band for everybody here, so rescaling items cannot regroup
    items = answers_of(200).clip(upper=1)
    whole = SymptomDiscrepancy(grouping="severity", scale="BDI-II")
    plain = index(whole.fit(items).per_person(items)).value
    scaled = items * [1, 0.5, 1.5, 1, 0.2, 1, 1.1]
    assert index(clone(whole).fit(scaled).per_person(scaled)).value == pytest.approx(plain)


def test_others_are_measured_by_what_was_fitted():
    items = answers_of(300)
    train, test = items.iloc[:200], items.iloc[200:]
    fitted = SymptomDiscrepancy().fit(train)
    alone = fitted.per_person(test.iloc[[5]])
    pd.testing.assert_frame_equal(alone, fitted.per_person(test).iloc[[5]])
    pd.testing.assert_frame_equal(fitted.per_person(train), SymptomDiscrepancy().fit(train).per_person(train))


def test_a_group_that_was_not_fitted_has_a_reason_and_no_number():
    items = answers_of(300)
    total = items.sum(axis=1)
    fitted = SymptomDiscrepancy().fit(items[total != 5])
    found = fitted.per_person(items)
    assert (found["reason"] != "").tolist() == (total == 5).tolist()
    assert found["discrepancy"].isna().tolist() == (total == 5).tolist()
    assert set(found.loc[total == 5, "reason"]) == {"nobody of this group was fitted"}
    assert index(found).groups["n"].sum() == (total != 5).sum() < len(items)


def test_gaps_are_refused_in_fitting_and_explained_afterwards():
    items = answers_of(50)
    gappy = items.copy()
    gappy.iloc[3, 2] = np.nan
    with pytest.raises(ValueError, match=r"1 of 50 persons have gaps, e\.g\. p3: no answer to q2"):
        SymptomDiscrepancy().fit(gappy)
    found = SymptomDiscrepancy().fit(items).per_person(gappy)
    assert found["reason"]["p3"] == "no answer to q2"
    assert found.loc["p3", ["total", "group", "distance", "discrepancy"]].isna().all()
    assert found["reason"].drop("p3").eq("").all()


def test_what_cannot_be_measured_is_refused():
    items = answers_of(50)
    with pytest.raises(ValueError, match="everybody fitted answers q1 alike"):
        SymptomDiscrepancy().fit(items.assign(q1=2.0))
    with pytest.raises(ValueError, match="all distances are 0"):
        SymptomDiscrepancy().fit(pd.DataFrame({"a": [0.0, 1, 2], "b": [0.0, 1, 2]}))
    with pytest.raises(ValueError, match="center='median': choose 'group' or 'global'"):
        SymptomDiscrepancy(center="median").fit(items)
    with pytest.raises(ValueError, match="severity needs the bands"):
        SymptomDiscrepancy(grouping="severity").fit(items)
    with pytest.raises(ValueError, match="same items in order"):
        SymptomDiscrepancy().fit(items).per_person(items[items.columns[::-1]])


def test_test_rows_change_nothing_that_was_fitted():
    items = answers_of(120)

    def procedure(features, target, train, test):
        table = pd.DataFrame(features, columns=items.columns)
        fitted = SymptomDiscrepancy(normalization="quantile").fit(table.iloc[train])
        return lambda rows: fitted.per_person(pd.DataFrame(rows, columns=items.columns))[
            "distance"
        ].to_numpy()

    check_isolated(procedure, items, items.sum(axis=1), train=np.arange(80), test=np.arange(80, 120))


def test_groups_of_one_are_left_out():
    n, mean, std = [4, 1, 5], [0.2, 0.0, 0.4], [0.1, np.nan, 0.2]
    assert aggregate(n, mean, std) == pytest.approx((4 * 0.3 + 5 * 0.6) / 9)
    with pytest.raises(ValueError, match="no group has two persons"):
        aggregate([1, 1], [0, 0], [np.nan, np.nan])


@pytest.mark.skipif(DATA is None, reason="EUTHYMIA_DATA names no folder")
def test_the_published_tables_aggregate_to_the_published_values():
    table = pd.read_csv(Path(DATA) / "faces_sdi" / "group_tables.csv")
    found = {
        key: round(aggregate(own["n"], own["mean"], own["std"]), 3)
        for key, own in table.groupby(["grouping", "subscale"])
    }
    assert found == {
        ("same_score", "depression"): 0.253,
        ("same_score", "anxiety"): 0.285,
        ("same_score", "stress"): 0.341,
        ("same_severity", "depression"): 0.288,
        ("same_severity", "anxiety"): 0.321,
        ("same_severity", "stress"): 0.376,
    }
