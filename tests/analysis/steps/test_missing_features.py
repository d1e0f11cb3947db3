"""The page counts reasons, whichever recording they name."""

from types import SimpleNamespace

import pandas as pd

from analysis.steps.missing_features import measured
from biomarkers.features.feature_table import REPORT, Features


def material(rows):
    features = Features(table=pd.DataFrame({"x": [1.0]}), report=pd.DataFrame(rows, columns=list(REPORT)))
    return SimpleNamespace(features=features, recordings=["r1", "r2", "r3"])


def test_notes_come_first_and_gaps_are_counted_by_reason():
    rows = [
        ("r1", "events", "gap", "'au01': no event", "au01_onset_speed"),
        ("r1", "synchrony", "gap", "recording 'r1': no window", "a b"),
        ("r3", "synchrony", "gap", "recording 'r3': no window", "a b"),
        ("r2", "emotions", "note", "fear: missing au28", ""),
    ]
    finding = measured(material(rows))
    assert finding.sections[0].remarks == [
        "Note in 1 of 3 recordings (emotions): fear: missing au28",
        "Gap in 2 of 3 recordings (synchrony): no window",
        "Gap in 1 of 3 recordings (events): 'au01': no event",
    ]
    assert len(finding.tables["feature_report"]) == 4


def test_rare_reasons_are_counted_and_nothing_missing_is_no_section():
    rows = [("r1", "events", "gap", f"reason {i}", "x") for i in range(23)]
    assert measured(material(rows)).sections[0].remarks[-1].startswith("3 rarer reasons")
    assert measured(material([])).sections == []
