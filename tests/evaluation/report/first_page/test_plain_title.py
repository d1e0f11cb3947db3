import pytest

from evaluation.report.first_page.plain_title import plain_title

BOTH = ["recording_id", "score_prediction", "binary_prediction"]


def test_it_says_what_was_trained_on_what_in_plain_words(record):
    expected = "A network trained to tell the BDI-II total and who reaches its cut-off from videos of faces, "
    assert plain_title(record, BOTH) == f"{expected}tested on the data clinic"
    assert plain_title(record | {"synthetic": True, "data": "synthetic"}, BOTH).endswith("on made-up persons")
    assert plain_title(record | {"synthetic": True}, BOTH).endswith("on made-up persons (data: clinic)")


@pytest.mark.parametrize(
    ("columns", "told"),
    [
        (["score_prediction"], "tell the BDI-II total from"),
        (["binary_prediction"], "tell who reaches the cut-off of the BDI-II from"),
        (["band_prediction"], "tell the BDI-II band of severity from"),
        (["score_prediction", "item_a_prediction"], "tell the BDI-II total and its answers from"),
    ],
)
def test_what_is_told_is_what_was_predicted(record, columns, told):
    assert told in plain_title(record, columns)


def test_without_a_questionnaire_and_without_predictions(record):
    bare = record | {"questionnaires": [], "data": None, "config": {}}
    told = "whose label is positive from measurements, tested on data without a name"
    assert plain_title(bare, ["binary_prediction"]) == f"A network trained to tell {told}"
    assert plain_title(record, ["recording_id"]) == ""
