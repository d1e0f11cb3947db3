import pandas as pd

from datamodules.splits.strata import missing_classes


def test_a_table_without_yes_or_no_misses_no_class_but_names_empty_parts():
    table = pd.DataFrame({"recording_id": ["a", "b"]})
    assert missing_classes(table, {"train": ["a", "b"], "test": []}) == ["test is empty"]
    labelled = table.assign(binary=[0.0, 1.0])
    assert missing_classes(labelled, {"train": ["a"]}) == ["train has no recording with binary = 1"]
