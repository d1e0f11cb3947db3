import pandas as pd
import pytest

from datamodules.sources.shared.draft import SourceError
from datamodules.sources.shared.label_table import coded, read_labels


def test_words_are_translated_without_case_and_other_words_named(tmp_path):
    table = pd.DataFrame({"Sex": ["F", "m"]})
    assert coded(table, "Sex", {"f": "female", "m": "male"}, tmp_path) == ["female", "male"]
    with pytest.raises(SourceError, match="'Sex' is 'm' in line 3; known are f; correct"):
        coded(table, "Sex", {"f": "female"}, tmp_path)


def test_a_column_that_is_missing_is_told_with_the_names_nearest_to_it(tmp_path):
    header = [*(f"answer_{number}" for number in range(40)), "Participant-ID"]
    (tmp_path / "labels.csv").write_text("\n".join([",".join(header), ",".join(["1"] * len(header))]))
    with pytest.raises(SourceError, match=r"no column 'Participant_ID'.*; found Participant-ID, ") as refused:
        read_labels(tmp_path / "labels.csv", {"subject_id": ["Participant_ID"]})
    assert str(refused.value).count("answer_") == 11
    assert "and 29 more. " in str(refused.value)
