"""The study of item heads on few persons: what it computes, that it goes on, and what its page says."""

import json

import numpy as np
import pandas as pd
import pytest
import torch

from studies.item_heads import __main__ as study
from studies.item_heads import joint, page
from studies.item_heads.persons import SCALES, draw, joined
from studies.item_heads.recovery import recover

SMALL = {"BDI-II": 60, "PHQ-9": 40, "DASS-21-D": 30}


def test_few_persons_recover_the_order_of_items_and_severities():
    found = recover(persons=300, seed=900)
    assert found["difficulty"] > 0.95
    assert found["severity"] > 0.9
    assert found["discrimination"] > 0.6
    assert 0.5 < found["severity_predicted"] < 0.8  # features tell half: at most sqrt(.5) on average
    assert 0.88 < found["held"] < 0.99


def test_joined_persons_answer_their_own_questionnaire_alone():
    corpora = {scale: draw(scale, count, seed=900, stream=0) for scale, count in SMALL.items()}
    whole = joined(corpora)
    assert whole.mask.sum(0).tolist() == [60] * 21 + [40] * 9 + [30] * 7
    assert torch.equal(whole.answers[60:100, 21:30], corpora["PHQ-9"].answers)
    np.testing.assert_array_equal(
        corpora["DASS-21-D"].totals["DASS-21-D"], 2 * corpora["DASS-21-D"].answers.sum(1)
    )
    other = draw("PHQ-9", 40, seed=900, stream=1)
    assert not torch.isin(other.features, corpora["PHQ-9"].features).any()


def test_a_comparison_judges_both_on_the_same_new_persons(monkeypatch):
    monkeypatch.setattr(joint, "STEPS", 20)
    found = joint.compare(seed=900, sizes=SMALL, tested=60)
    assert set(found) == {f"{scale}_{side}" for scale in SCALES for side in ("joint", "own", "constant")}
    assert all(0 < value < 20 for value in found.values())
    assert found == joint.compare(seed=900, sizes=SMALL, tested=60)


def test_it_goes_on_with_what_is_missing_and_writes_the_page(tmp_path, monkeypatch, capsys):
    calls = []

    def compare(*, seed):
        calls.append(seed)
        gap = {"BDI-II": 0.3 * (-1) ** seed, "PHQ-9": 1.0, "DASS-21-D": -1.0}
        rows = {f"{scale}_joint": 5 + gap[scale] + 0.01 * seed for scale in SCALES}
        return (
            rows | {f"{scale}_own": 5.0 for scale in SCALES} | {f"{scale}_constant": 9.0 for scale in SCALES}
        )

    def recovered(*, persons, seed):
        names = ["discrimination", "difficulty", "severity", "severity_predicted", "held", "held_predicted"]
        return dict.fromkeys([*names, "discrimination_start", "difficulty_start"], 0.95 + seed * 1e-4)

    monkeypatch.setattr(study, "compare", compare)
    monkeypatch.setattr(study, "recover", recovered)
    monkeypatch.setattr(study, "_SEED", 0)
    given = {"out": tmp_path / "out", "seeds": 3, "repetitions": 4, "docs": tmp_path / "docs"}
    study.main(**given, minutes=1e-9)
    assert "stopped" in capsys.readouterr().out
    study.main(**given)
    study.main(**given)
    assert calls == [0, 1, 2, 3]
    assert len(list((tmp_path / "out").glob("*.json"))) == 7
    text = (tmp_path / "docs" / "item_heads.md").read_text()
    assert "reach the target of 0.9 in every simulation" in text
    assert "DASS-21-D: better than a network of its own, by 0.98 points" in text.replace("0.99", "0.98")
    assert "PHQ-9: worse than a network of its own" in text
    assert "BDI-II: not told apart" in text
    assert "<" not in text.replace("b_j1 < b_j2 < ...", "").replace("<table>", "")
    assert (tmp_path / "docs" / "images" / "item_heads.png").stat().st_size > 1000
    low = pd.DataFrame([json.loads(file.read_text()) for file in (tmp_path / "out").glob("recovery*.json")])
    assert "missed in some simulation: least severity 0.800" in page._found(low.assign(severity=0.8))


def test_the_interval_is_that_of_student():
    mean, low, high = page.interval(np.array([1.0, 2.0, 4.0]))
    assert (mean, low, high) == pytest.approx((7 / 3, 7 / 3 - 3.7945, 7 / 3 + 3.7945), abs=1e-3)
