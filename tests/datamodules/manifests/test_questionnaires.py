import numpy as np
import pandas as pd
import pytest

from datamodules.manifests.questionnaires import SUBSCALES, ItemError, subscale
from datamodules.manifests.scales import SCALES
from datamodules.sources.shared.phq8 import ITEMS
from datamodules.synthetic.questionnaire import answer, totals


def form(name, *rows):
    items = subscale(name)
    return pd.DataFrame([dict(zip(items.columns, row, strict=True)) for row in rows]).assign(
        recording_id=[f"r{row}" for row in range(len(rows))]
    )


def test_every_scale_has_items_that_reach_its_ends():
    assert SUBSCALES.keys() == SCALES.keys()
    for name, items in SUBSCALES.items():
        table = form(name, [0] * len(items), items.highest)
        assert items.total(table).tolist() == [SCALES[name].low, SCALES[name].high]
        assert len(set(items.columns)) == len(items) == len(items.highest)


def test_columns_are_those_of_the_sources_and_of_the_cohort():
    assert subscale("PHQ-8").columns == tuple(ITEMS)
    cohort = answer(0.5, np.zeros(5), np.random.default_rng(0))
    known = {name for scale in SUBSCALES for name in subscale(scale).columns}
    assert set(cohort) <= known
    assert subscale("DASS-21-A").columns[:2] == ("item_dass21_02", "item_dass21_04")
    assert subscale("PHQ-9").columns[0] == "item_phq9_1"
    assert subscale("BDI-II").columns[-1] == "item_bdi2_21"


def test_the_subscales_of_the_dass_share_no_item_and_leave_none():
    columns = [name for scale in "DAS" for name in subscale(f"DASS-21-{scale}").columns]
    assert sorted(columns) == [f"item_dass21_{number:02d}" for number in range(1, 22)]


@pytest.mark.parametrize("severity", [-1.0, 0.3, 2.0])
def test_totals_agree_with_those_the_cohort_states(severity):
    items = answer(severity, np.zeros(5), np.random.default_rng(1))
    table = pd.DataFrame([items])
    for name, total in totals(items).items():
        assert subscale(name).within(table).total(table).tolist() == [total]


def test_totals_by_hand_keep_the_index():
    table = form("DASS-21-S", [1, 0, 2, 3, 0, 0, 1], [0, 0, 0, 0, 0, 0, 3]).set_index("recording_id")
    total = subscale("DASS-21-S").total(table)
    assert total.to_dict() == {"r0": 14.0, "r1": 6.0}


@pytest.mark.parametrize("value", [4, -1, 1.5, np.inf])
def test_an_impossible_answer_is_named_with_the_remedy(value):
    table = form("PHQ-9", [0] * 9, [0, 0, value] + [0] * 6)
    with pytest.raises(ItemError, match=rf"item_phq9_3 of r1 is {value:g} \(0 to 3\).*subtract 1"):
        subscale("PHQ-9").answers(table)


def test_insomnia_items_of_the_hamd_end_at_two():
    table = form("HAMD-17", [0, 0, 0, 3] + [0] * 13)
    with pytest.raises(ItemError, match=r"item_hamd17_04 of r0 is 3 \(0 to 2\)"):
        subscale("HAMD-17").answers(table)
    assert subscale("HAMD-17").answers(form("HAMD-17", [4, 4, 4, 2] + [0] * 13)).sum(axis=1).tolist() == [14]


def test_a_missing_column_is_named():
    table = form("BDI-II", [0] * 21).drop(columns="item_bdi2_07")
    with pytest.raises(ItemError, match=r"BDI-II needs the columns .* item_bdi2_07 missing"):
        subscale("BDI-II").total(table)


def test_missing_items_are_refused_prorated_or_leave_no_total():
    anxiety = subscale("DASS-21-A")
    table = form("DASS-21-A", [1, 2, 3, 0, 0, 1, np.nan], [1] * 7)
    with pytest.raises(ItemError, match=r"more than 0 unanswered items in r0 \(1 of 7\)"):
        anxiety.total(table)
    # sum 7 of six items: 7 * 7 / 6 = 8.17, rounded 8, doubled 16
    assert anxiety.total(table, missing="prorate").tolist() == [16.0, 14.0]
    np.testing.assert_array_equal(anxiety.total(table, missing="unknown"), [np.nan, 14.0])
    with pytest.raises(ValueError, match="'refuse', 'prorate' or 'unknown'"):
        anxiety.total(table, missing="mean")


def test_too_many_missing_items_are_not_prorated():
    table = form("DASS-21-A", [1, 2, 3, 0, 0, np.nan, np.nan])
    with pytest.raises(ItemError, match=r"more than 1 .* r0 \(2 of 7\)"):
        subscale("DASS-21-A").total(table, missing="prorate")


def test_half_a_point_is_rounded_up():
    table = form("PHQ-8", [3, 1, 1, 1, 1, 0, 0, np.nan])  # 7 * 8 / 7 = 8
    assert subscale("PHQ-8").total(table, missing="prorate").tolist() == [8.0]
    table = form("BDI-II", [1] * 10 + [0] * 8 + [np.nan] * 3)  # 10 * 21 / 18 = 11.67
    assert subscale("BDI-II").total(table, missing="prorate").tolist() == [12.0]
    table = form("BDI-II", [1] * 9 + [0] * 9 + [np.nan] * 3)  # 9 * 21 / 18 = 10.5
    assert subscale("BDI-II").total(table, missing="prorate").tolist() == [11.0]


def test_a_phq9_serves_for_a_phq8_only_where_there_is_none():
    nine = form("PHQ-9", [1] * 8 + [3])
    items = subscale("PHQ-8").within(nine)
    assert items.total(nine).tolist() == [8.0]
    both = nine.assign(**form("PHQ-8", [2] * 8).drop(columns="recording_id"))
    assert subscale("PHQ-8").within(both) is subscale("PHQ-8")
    bare = pd.DataFrame({"recording_id": ["r0"]})
    with pytest.raises(ItemError, match="item_phq8_1"):
        subscale("PHQ-8").within(bare).total(bare)


def test_an_unknown_scale_names_the_known_ones():
    with pytest.raises(ValueError, match="choose one of BDI-II, PHQ-8"):
        subscale("BDI")
