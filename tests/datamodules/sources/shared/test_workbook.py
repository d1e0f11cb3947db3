import sys

import pandas as pd
import pytest

from datamodules.sources.shared.draft import SourceError
from datamodules.sources.shared.label_table import numbers, read_labels

COLUMNS = {"subject_id": ["Participant_ID"], "score": ["PHQ_Score"]}


def test_a_workbook_is_read_as_its_first_sheet(tmp_path):
    pytest.importorskip("openpyxl")
    path = tmp_path / "labels.xlsx"
    frame = pd.DataFrame({"Participant_ID": ["300", None, "301"], "PHQ_Score": [4, None, None], "Sex": "F"})
    frame.loc[1, "Sex"] = None
    frame.to_excel(path, index=False)
    table = read_labels(path, COLUMNS)
    assert table["subject_id"].tolist() == ["300", "301"]
    assert numbers(table, "score", path, empty=True) == [4, None]
    path.write_text("no workbook")
    with pytest.raises(SourceError, match="not a readable workbook"):
        read_labels(path, COLUMNS)


def test_a_workbook_without_its_package_says_how_to_get_it(tmp_path, monkeypatch):
    (tmp_path / "labels.xlsx").touch()
    monkeypatch.setitem(sys.modules, "openpyxl", None)
    with pytest.raises(SourceError, match=r"euthymia\[corpora\]'.*labels\.csv beside it"):
        read_labels(tmp_path / "labels.xlsx", COLUMNS)
