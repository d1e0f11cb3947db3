"""Layouts: what plain data say, and what is refused; `conf/` beside the table of questionnaires."""

import pytest
from omegaconf import OmegaConf

from datamodules.manifests.questionnaires import SUBSCALES
from engine.config.source_code import ROOT
from models.items.layout import Layout
from models.items.quadrature import standard_normal

CONF = ROOT / "conf"


def plain(name):
    return OmegaConf.to_container(OmegaConf.load(CONF / "data" / "items" / f"{name}.yaml"), resolve=False)[
        "items"
    ]


@pytest.mark.parametrize("leaf", ["bdi_ii", "phq_8", "phq_9", "dass_21", "dass_21_d"])
def test_the_items_of_conf_are_those_of_the_questionnaires(leaf):
    for name, own in plain(leaf).items():
        known = SUBSCALES[name]
        assert tuple(own["columns"]) == known.columns
        assert tuple(own["highest"]) == known.highest
        assert own["factor"] == (2 if known.scale.doubled else 1)
        assert own["threshold"] == known.scale.binary_threshold


def test_linked_items_are_items_of_three_scales_of_depression():
    conf = OmegaConf.load(CONF / "model" / "heads" / "items_linked.yaml")
    linked = [list(group) for group in conf.answers.linked]
    known = {name for scale in ("BDI-II", "PHQ-9", "DASS-21-D") for name in SUBSCALES[scale].columns}
    named = [name for group in linked for name in group]
    assert set(named) <= known
    assert len(named) == len(set(named))
    forms = [[name.split("_")[1] for name in group] for group in linked]
    assert all(len(set(form)) >= 2 for form in forms)


def test_columns_follow_one_another_and_dimensions_are_shared_by_name():
    layout = Layout({name: own | {"dimension": "one"} for name, own in plain("dass_21").items()})
    assert layout.columns[7] == "item_dass21_02"
    assert layout.dimensions == ("one",)
    assert layout.named("DASS-21-S").items == slice(14, 21)
    apart = Layout(plain("dass_21"))
    assert apart.dimensions == ("DASS-21-D", "DASS-21-A", "DASS-21-S")
    assert apart.membership().sum(1).tolist() == [7, 7, 7]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"columns": []}, "0 columns"),
        ({"highest": [3]}, "9 columns and 1"),
        ({"highest": [3] * 8 + [0]}, "a highest answer of 0"),
        ({"columns": ["item_phq9_1"] * 9}, "two questionnaires"),
        ({"bands": 4}, "bands: nothing reads it"),
    ],
)
def test_plain_data_that_make_no_questionnaire_are_refused(change, message):
    with pytest.raises(ValueError, match=message):
        Layout({"PHQ-9": plain("phq_9")["PHQ-9"] | change})
    with pytest.raises(ValueError, match="choose their items"):
        Layout({})
    with pytest.raises(ValueError, match="lacks factor"):
        Layout({"PHQ-9": {name: v for name, v in plain("phq_9")["PHQ-9"].items() if name != "factor"}})


def test_quadrature_is_exact_for_moments():
    for nodes in (5, 31, 81):
        z, weights = standard_normal(nodes)
        assert weights.sum().item() == pytest.approx(1)
        for power, moment in ((2, 1), (4, 3), (6, 15), (8, 105)):
            assert (weights * z**power).sum().item() == pytest.approx(moment)
        assert (weights * z**3).sum().item() == pytest.approx(0, abs=1e-9)
    with pytest.raises(ValueError, match="nodes=1"):
        standard_normal(1)
