import pandas as pd

from datamodules.splits.partition import Split, faults_of


def test_a_table_without_yes_or_no_misses_no_class_but_names_empty_parts():
    table = pd.DataFrame({"recording_id": ["a", "b"]})
    split = Split("s", train=("a", "b"), val=("a",), test=())
    assert faults_of(table, split, ["train", "test"]) == ["part 'test' of 's' is empty"]
    labeled = table.assign(binary=[0.0, 1.0])
    assert faults_of(labeled, split, ["val"]) == ["part 'val' of 's' has no recording with binary = 1"]
