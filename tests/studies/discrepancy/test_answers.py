import pytest

from studies.discrepancy.answers import main, read_answers
from tests.biomarkers.symptoms.answers import partial_credit


@pytest.mark.slow
def test_a_table_of_answers_becomes_a_report(tmp_path):
    answers = partial_credit(120).astype(int) + 1
    answers.to_csv(tmp_path / "answers.csv", index=False)
    main(tmp_path / "answers.csv", draws=20, out=tmp_path / "page.md")
    page = (tmp_path / "page.md").read_text()
    for shown in ("120 persons, 7 items", "| 30 |", "| 60 |", "| 120 |", "<answers.csv>"):
        assert shown in page
    assert str(tmp_path) not in page


def test_answers_below_the_lowest_code_are_named(tmp_path):
    path = tmp_path / "answers.csv"
    partial_credit(10).astype(int).to_csv(path, index=False)
    assert read_answers(path, lowest=0).min().min() == 0
    with pytest.raises(ValueError, match=r"row 1, q\d is 0; .*lowest="):
        read_answers(path, lowest=1)
