from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from datamodules.xray.table_facts import category_facts, is_label, metadata, name_facts_of, traits_of


@pytest.mark.parametrize(
    "name", ["label2", "label3", "category_tri", "PHQ-9", "phq9_total", "d01", "item_1",
             "severity", "depressed", "diagnosis", "binary_label"],
)  # fmt: skip
def test_labels_and_answers_are_no_facts(name):
    assert is_label(name)
    table = pd.DataFrame({"recording_id": ["a", "b"], name: [0, 1]})
    assert [fact.name for fact in metadata(table, Path(), [])] == []
    assert category_facts(table) == []


def test_columns_are_sorted_by_what_they_are_called():
    words = {"site": "site", "school": "site", "class": "site", "recording_device": "site", "task": "genre",
             "genre": "genre", "topic": "genre", "session_type": "genre"}  # fmt: skip
    table = pd.DataFrame(
        {"recording_id": ["a", "b"], **{name: ["x", "y"] for name in words}, "split": ["train", "test"]}
    )
    assert {fact.name: fact.kind for fact in category_facts(table)} == words


def test_other_columns_are_metadata_numbers_or_categories():
    table = pd.DataFrame(
        {"recording_id": list("abc"), "age": [20, 30, np.nan], "diseases": ["none", "x", "none"],
         "essay": ["p", "q", "r"], "features_a": ["", "", ""], "trait_O": [1, 2, 3]}
    )  # fmt: skip
    found = {fact.name: fact.is_number for fact in metadata(table, Path(), [])}
    assert found == {"age": True, "diseases": False, "essay": False}


def test_names_have_words_numbers_and_order():
    table = pd.DataFrame(
        {"recording_id": ["S1_a", "S10_b", "S2_a"], "features_x": ["x/S1.npz", "y/S10.npz", "y/S2.npz"]}
    )
    found = {fact.name: fact.values.tolist() for fact in name_facts_of(table)}
    assert found["order of the recording id"] == [0, 2, 1]
    assert found["number 1 in the recording id"] == [1, 10, 2]
    assert found["words of the recording id"] == ["S#_a", "S#_b", "S#_a"]
    assert found["words of the folder (features_x)"] == ["x", "y", "y"]


def test_traits_without_a_spread_are_left_out():
    table = pd.DataFrame({"trait_O": [1.0, np.nan], "trait_C": [2.0, 3.0], "trait_E": [np.nan, np.nan]})
    names, values = traits_of(table)
    assert names == ("trait_C",)
    assert values.tolist() == [[2], [3]]
