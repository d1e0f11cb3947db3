import numpy as np
import pandas as pd

from evaluation.report.sections.change_section import TITLE, change_section

FOUND = {
    "baseline": "predictions", "smallest_change": {"1": 12.34, "2": 10.0}, "slope": 0.5, "changes": 2,
    "questionnaire_noise": 3.2, "validation_persons": 40, "changed": 1, "persons": 2,
}  # fmt: skip


def changes():
    return pd.DataFrame(
        {
            "subject_id": ["a", "b"], "from": ["V1", "V1"], "to": ["V2", "V2"], "visits": 1,
            "baseline": "predictions", "change": [3.0, -20.0], "low": [-9.0, -33.0], "high": [15.0, -7.0],
            "smallest_change": 12.34, "changed": [0, 1], "target": [np.nan, -18.0],
        }
    )  # fmt: skip


def test_the_largest_change_comes_first_with_its_interval_and_the_band_is_named():
    section = change_section(FOUND, changes())
    assert section.rows[0] == [
        "b", "V1", "V2", {"low": -33.0, "high": -7.0, "value": -20.0}, "12.3", "-18.0", "yes",
    ]  # fmt: skip
    assert section.rows[1][-2:] == ["", "no"]
    assert "1 of 2 visits" in section.text
    assert "12.3 after 1, 10.0 after 2" in section.text
    assert "3.2 points" in section.remarks[0]
    assert section.plot.startswith("data:image/svg+xml")


def test_unknown_noise_of_the_questionnaire_is_said():
    assert "not known" in change_section(FOUND | {"questionnaire_noise": None}, changes()).remarks[0]


def test_without_changes_there_is_a_reason_and_no_plot():
    section = change_section({"reason": "9 validation persons"}, pd.DataFrame())
    assert (section.title, section.plot, section.rows) == (TITLE, None, ())
    assert "No change scores: 9 validation persons" in section.text
