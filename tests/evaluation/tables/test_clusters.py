import pandas as pd
import pytest

from evaluation.tables.aggregate import to_subjects
from evaluation.tables.clusters import cluster_column, same_clusters, unit_of, units, with_clusters
from evaluation.tables.predictions import read_predictions, write_predictions


@pytest.fixture
def table():
    return pd.DataFrame(
        {
            "recording_id": list("abcd"),
            "subject_id": ["p", "p", "q", "r"],
            "session_id": "1",
            "split": "test",
            "school": ["007", "007", "007", "NA"],
            "score_target": [1.0, 2.0, 3.0, 4.0],
            "score_prediction": [2.0, 2.0, 3.0, 3.0],
        }
    )


def test_without_a_column_persons_are_the_unit(table):
    assert with_clusters(table, None) is table
    assert (cluster_column(table), unit_of(table)) == (None, "persons")
    assert units(table).tolist() == ["p", "p", "q", "r"]


def test_a_column_becomes_the_unit(table):
    found = with_clusters(table, "school")
    assert (cluster_column(found), unit_of(found)) == ("cluster_school", "groups of 'school'")
    assert units(found).tolist() == ["007", "007", "007", "NA"]
    assert units(to_subjects(found)).tolist() == ["007", "007", "NA"]
    other = with_clusters(table.assign(room=list("xxyz")), "room")
    assert units(same_clusters(other, found)).tolist() == units(found).tolist()
    assert cluster_column(same_clusters(found, table)) is None


def test_groups_survive_the_file_letter_by_letter(table, tmp_path):
    write_predictions(tmp_path / "predictions.csv", with_clusters(table, "school"))
    assert units(read_predictions(tmp_path / "predictions.csv")).tolist() == ["007", "007", "007", "NA"]
    write_predictions(tmp_path / "plain.csv", table)
    assert cluster_column(read_predictions(tmp_path / "plain.csv")) is None


@pytest.mark.parametrize(
    ("column", "values", "message"),
    [
        ("room", None, "evaluation.cluster=room: the recordings have no such column; they have recording_id"),
        ("school", ["007", "", "007", "1"], r"empty for \['b'\]"),
        ("school", ["1", "2", "2", "2"], r"\['p'\] are in several groups, and must be nested"),
    ],
)
def test_columns_that_are_no_groups_are_refused(table, column, values, message):
    given = table if values is None else table.assign(school=values)
    with pytest.raises(ValueError, match=message):
        with_clusters(given, column)
