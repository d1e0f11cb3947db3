import numpy as np
import pandas as pd
import pytest

from biomarkers.symptoms.discrepancy import SymptomDiscrepancy
from biomarkers.symptoms.outlier_subjects import keep
from tests.biomarkers.symptoms.test_discrepancy import answers_of


def table(*groups):
    """A group a list of distances."""
    rows = [(group, distance) for group, own in enumerate(groups) for distance in own]
    return pd.DataFrame(rows, columns=["group", "distance"]).assign(reason="")


def removed(found):
    return found.index[~found].tolist()


def test_the_farthest_of_each_group_go():
    found = keep(table(range(10), [5, 1, 4, 2, 3, 9, 8, 7, 6, 0]), share=0.2)
    assert removed(found) == [8, 9, 15, 16]


def test_a_global_cut_takes_the_farthest_of_all_but_leaves_one_of_each_group():
    near, far = [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8], [5, 4]
    assert removed(keep(table(near, far), share=0.1, cut="global")) == [8]
    assert removed(keep(table(near, far), share=0.2, cut="global")) == [8]  # 9 is the nearest of its group
    assert removed(keep(table(near, far), share=0.2, cut="per_group")) == [6, 7, 8]


def test_counting_rounds_the_kept_down_and_keeps_one():
    assert removed(keep(table([1, 2, 3, 4, 5]), share=0.1, rule="count")) == [4]
    assert removed(keep(table([1, 2, 3, 4, 5]), share=0.9, rule="count")) == [1, 2, 3, 4]
    assert removed(keep(table([7]), share=0.5, rule="count")) == []
    for count in (1, 2, 9, 10, 11, 30):
        for share in (0.1, 0.3, 0.9):
            kept = keep(table(range(count)), share=share, rule="count")
            assert kept.sum() == max(1, count * round(10 - 10 * share) // 10)


def test_equally_far_persons_are_treated_alike_by_percentile_and_by_row_when_counted():
    tied = table([0, 0, 0, 0, 1, 1, 1, 1, 2, 2])
    assert removed(keep(tied, share=0.1)) == []  # the 90 % quantile is 2 itself
    assert removed(keep(tied, share=0.3)) == [8, 9]
    assert removed(keep(tied, share=0.3, rule="count")) == [7, 8, 9]
    assert removed(keep(table([0] * 20), share=0.5)) == []
    almost = table([1, 1 + 1e-12, 1 - 1e-12, 1])
    assert removed(keep(almost, share=0.5)) == []
    assert removed(keep(almost, share=0.5, rule="count")) == [2, 3]


@pytest.mark.parametrize("cut", ["per_group", "global"])
@pytest.mark.parametrize("rule", ["percentile", "count"])
def test_no_share_removes_nobody(cut, rule):
    assert keep(table([3, 1, 2], [5], [9, 9]), share=0, cut=cut, rule=rule).all()


@pytest.mark.parametrize("cut", ["per_group", "global"])
@pytest.mark.parametrize("center", ["group", "global"])
def test_the_mask_belongs_to_the_person_and_not_to_the_row(cut, center):
    """One published script writes distances in the order of groups and reads them in the order of rows."""
    items = answers_of(300)
    found = SymptomDiscrepancy(center=center).fit(items).per_person(items)
    plain = keep(found, share=0.2, cut=cut)
    other = found.sample(frac=1, random_state=0)
    assert keep(other, share=0.2, cut=cut).loc[found.index].equals(plain)
    assert 0 < (~plain).sum() <= 0.2 * len(items)
    if cut == "global":
        gone = found.loc[~plain, "distance"].min()
        assert gone > np.quantile(found["distance"], 0.8)
    else:
        for _, own in found.groupby("group"):
            inside = own.loc[plain[own.index], "distance"]
            outside = own.loc[~plain[own.index], "distance"]
            assert len(inside) >= 1
            assert outside.empty or inside.max() < outside.min()


def test_the_published_variants_differ():
    items = answers_of(400)
    masks = {
        (center, cut, rule): keep(
            SymptomDiscrepancy(center=center).fit(items).per_person(items), share=0.2, cut=cut, rule=rule
        )
        for center, cut, rule in (
            ("group", "per_group", "percentile"),
            ("group", "global", "percentile"),
            ("global", "per_group", "count"),
        )
    }
    agreement = [(one == other).mean() for a, one in masks.items() for b, other in masks.items() if a < b]
    assert max(agreement) < 0.9


def test_bad_requests_are_refused():
    for share in (-0.1, 1, 1.5):
        with pytest.raises(ValueError, match="0 or more and below 1"):
            keep(table([1, 2]), share=share)
    with pytest.raises(ValueError, match="'per_group' or 'global'"):
        keep(table([1, 2]), share=0.1, cut="all")
    lost = table([1, np.nan]).assign(reason=["", "nobody of this group was fitted"])
    with pytest.raises(ValueError, match=r"1 persons have no distance, e\.g\. 1: nobody"):
        keep(lost, share=0.1)
