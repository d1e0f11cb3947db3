import pandas as pd
import pytest

from datamodules.sources.shared.draft import SourceError
from datamodules.sources.shared.label_table import coded


def test_words_are_translated_without_case_and_other_words_named(tmp_path):
    table = pd.DataFrame({"Sex": ["F", "m"]})
    assert coded(table, "Sex", {"f": "female", "m": "male"}, tmp_path) == ["female", "male"]
    with pytest.raises(SourceError, match="'Sex' is 'm' in line 3; known are f; correct"):
        coded(table, "Sex", {"f": "female"}, tmp_path)
