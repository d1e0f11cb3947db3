"""The leak audit as a part of a page."""

from evaluation.report.sections.leak_section import leak_section

FOUND = {
    "reads": True,
    "site": "",
    "question": "higher",
    "value": 1.0,
    "low": 0.95,
    "high": 1.0,
    "corrected": 0.9,
}
COUNTS = {"recordings": 96, "persons": 48, "positives": 40, "facts": 157}


def test_a_table_of_facts_and_what_follows():
    found = [
        FOUND | {"fact": "mean of au12", "verdict": "stops", "site": "north"},
        FOUND | {"fact": "spread of au12", "verdict": "cannot tell"},
        FOUND | {"fact": "length in rows", "reads": False, "verdict": "tells"},
    ]
    section = leak_section(COUNTS | {"found": found})
    assert [row[0] for row in section.rows] == ["mean of au12 at north", "spread of au12", "length in rows"]
    assert section.rows[2][1] == "the file"
    assert section.rows[0][3] == {"value": 1.0, "low": 0.95, "high": 1.0}
    assert "157 facts" in section.text
    told, unsure = section.remarks
    assert "goes with the label: length in rows" in told
    assert unsure.startswith("spread of au12")


def test_what_was_not_asked_says_why():
    section = leak_section(COUNTS | {"reason": "cannot tell: few persons"})
    assert "cannot tell: few persons" in section.text
    assert not section.rows
