"""Columns named nearly like items and traits are told; what is named rightly is not."""

import logging

import numpy as np
import pandas as pd
import pytest

from datamodules.manifests.manifest import manifest_from_table
from datamodules.manifests.validation.column_names import trait_spellings

ROWS = 12
rng = np.random.default_rng(0)


def warned(caplog, tmp_path, scale="PHQ-9", **columns):
    (tmp_path / "s.npz").touch()
    table = pd.DataFrame(
        {"recording_id": [f"r{n}" for n in range(ROWS)], "subject_id": [f"P{n}" for n in range(ROWS)],
         "session_id": "V1", "path": "", "series_path": "s.npz", "scale": scale} | columns
    )  # fmt: skip
    table = table.drop(columns="scale") if scale is None else table
    with caplog.at_level(logging.WARNING):
        manifest_from_table(table, root=tmp_path, name="m", probe=False)
    return caplog.text


def items(name, low=0, count=9):
    return {name.format(n): rng.integers(low, 4, ROWS) for n in range(1, count + 1)}


@pytest.mark.parametrize(
    "name", ["item_{}", "item{}", "q{}", "Q_{:02d}", "phq_{}", "PHQ9_{:02d}", "phq9-{}", "phq{}"]
)
def test_items_of_another_name_are_told_with_the_right_one(name, caplog, tmp_path):
    answers = items(name)
    text = warned(caplog, tmp_path, **answers, score=sum(answers.values()))
    assert (
        f"m: {name.format(1)} to {name.format(9)} look like the items of PHQ-9; call them item_phq9_1" in text
    )
    assert "coded from 1" not in text


@pytest.mark.parametrize(("name", "scale", "right"), [
    ("bdi_{}", "BDI-II", "item_bdi2_01 to item_bdi2_21"), ("BDI-II_{}", "BDI-II", "item_bdi2_01"),
    ("item_bdi_{}", "BDI-II", "item_bdi2_01"), ("hamd{}", "HAMD-17", "item_hamd17_01"),
])  # fmt: skip
def test_the_questionnaire_may_stand_in_the_name(name, scale, right, caplog, tmp_path):
    assert right in warned(caplog, tmp_path, scale=scale, **items(name))


def test_totals_tell_that_items_are_coded_from_one(caplog, tmp_path):
    answers = items("item_{}", low=1)
    assert "coded from 1: subtract 1" in warned(caplog, tmp_path, **answers, score=sum(answers.values()) - 9)


@pytest.mark.parametrize("labels", [{}, {"score": ""}], ids=["no score", "empty score"])
def test_items_of_a_table_without_a_scale_are_told(labels, caplog, tmp_path):
    assert "call them item_phq9_1" in warned(caplog, tmp_path, scale=None, **items("phq9_{}"), **labels)


def test_a_questionnaire_without_a_zero_is_told(caplog, tmp_path):
    assert "no answer of item_phq9_1 to item_phq9_9 is 0" in warned(
        caplog, tmp_path, **items("item_phq9_{}", low=1)
    )


@pytest.mark.parametrize("columns", [
    items("item_phq9_{}"), items("feature_{}"), items("item_x_{}", count=3), items("q{}", count=2),
    {"trait_O": 0.5, "trait_interview": 0.5}, {"item_phq9_1": 1.0},
], ids=["named rightly", "other names", "a few", "two", "traits", "one"])  # fmt: skip
def test_nothing_is_said_of_what_is_right(columns, caplog, tmp_path):
    text = warned(caplog, tmp_path, **columns)
    assert "look like" not in text
    assert "no answer" not in text
    assert "did you mean 'trait" not in text


@pytest.mark.parametrize("name", ["trait_o", "trait_openness", "Trait_O", "trait O", "traitO", "trait_Open"])
def test_a_trait_under_another_spelling_is_told(name, caplog, tmp_path):
    assert trait_spellings(pd.DataFrame(columns=[name])) == {name: "trait_O"}
    assert f"'{name}' is not read as a trait; did you mean 'trait_O'?" in warned(
        caplog, tmp_path, **{name: 0.5}
    )


def test_a_label_in_capitals_is_told(caplog, tmp_path):
    assert "'SCORE'; did you mean 'score'?" in warned(caplog, tmp_path, SCORE=3.0)
