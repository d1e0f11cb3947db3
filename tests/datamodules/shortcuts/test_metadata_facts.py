"""What names, folders and the table say of a recording."""

import numpy as np
import pandas as pd

from datamodules.shortcuts.metadata_facts import metadata_facts


def test_names_numbers_folders_and_files(tmp_path):
    (tmp_path / "b").mkdir()
    (tmp_path / "b/dep_10_2.npz").write_bytes(b"12345")
    table = pd.DataFrame(
        {
            "recording_id": ["r2", "r10", "r1"],
            "subject_id": ["A", "B", "A"],
            "session_id": ["V1", "V1", "V2"],
            "site": ["x", "y", "x"],
            "fps": [25.0, np.nan, 30.0],
            "series_path": ["b/dep_10_2.npz", "ctl_9.npz", ""],
        }
    )
    facts = metadata_facts(table, root=tmp_path, column="series_path")
    assert facts["folder"].tolist() == ["b", ".", "."]
    assert facts["words of the file name"].tolist() == ["dep_#_#.npz", "ctl_#.npz", ""]
    np.testing.assert_array_equal(facts["number 1 in the file name"], [10, 9, np.nan])
    np.testing.assert_array_equal(facts["number 2 in the file name"], [2, np.nan, np.nan])
    assert facts["order of the recording id"].tolist() == [1, 2, 0]  # r2 comes before r10
    assert facts["row of the table"].tolist() == [0, 1, 2]
    np.testing.assert_array_equal(facts["size in bytes"], [5, np.nan, np.nan])
    np.testing.assert_array_equal(facts["frame rate"], [25, np.nan, 30])
    assert facts["site"].tolist() == ["x", "y", "x"]
    assert "number 1 in the person id" not in facts
    assert len(facts.columns) == len(set(facts.columns))


def test_a_table_without_that_column_has_no_file_names(tmp_path):
    ids = {"recording_id": ["a"], "subject_id": ["b"], "session_id": ["c"]}
    assert "folder" not in metadata_facts(pd.DataFrame(ids), root=tmp_path, column="series_path")
