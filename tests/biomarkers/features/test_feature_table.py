from dataclasses import dataclass

import numpy as np
import pandas as pd
import pytest

from biomarkers.features.emotions import EmotionFeatures
from biomarkers.features.events import EventFeatures
from biomarkers.features.extractor import Measured
from biomarkers.features.feature_table import feature_table
from biomarkers.features.statistics import SummaryStatistics
from biomarkers.features.synchrony import Synchrony
from datamodules.schema import IDS


@dataclass(frozen=True)
class Ids:
    recording_id: str
    subject_id: str = "s"
    session_id: str = "1"


def extractors():
    return [
        SummaryStatistics(channels=("au12", "au06")),
        EventFeatures(channels=("au12",)),
        Synchrony(pairs=[("au06", "au12")]),
        EmotionFeatures(extractor=SummaryStatistics(channels=("happiness",)), missing="sum_available"),
    ]


def recordings(make_series):
    rng = np.random.default_rng(0)
    smile = 2 * np.clip(np.sin(np.arange(100) / 5), 0, 1) + rng.uniform(0, 0.1, 100)
    good = make_series(au06=rng.uniform(0, 5, 100), au12=smile)
    short = make_series(au06=np.zeros(20), au12=np.zeros(20))
    other = make_series(au12=smile)
    return [(Ids("good"), good), (Ids("short"), short), (Ids("other"), other)]


def test_the_table_has_the_same_columns_in_the_same_order_whatever_is_measured(make_series):
    rows = recordings(make_series)
    features = feature_table(iter(rows), extractors())
    expected = [*IDS, *(name for extractor in extractors() for name in extractor.names)]
    assert features.table.columns.tolist() == expected
    assert features.table["recording_id"].tolist() == ["good", "short", "other"]
    alone = feature_table(rows[:1], extractors()).table
    pd.testing.assert_frame_equal(alone, features.table.head(1))
    x = rows[0][1].values[:, 1]
    assert alone["au12_mean"].item() == pytest.approx(x.astype(float).mean())
    assert alone["happiness_max"].item() == pytest.approx(rows[0][1].values.sum(axis=1).max())


@pytest.mark.slow  # seconds to start processes
def test_the_number_of_workers_changes_nothing(make_series):
    rows = recordings(make_series)
    alone, shared = feature_table(rows, extractors()), feature_table(rows, extractors(), workers=2)
    pd.testing.assert_frame_equal(shared.table, alone.table, check_exact=True)
    pd.testing.assert_frame_equal(shared.report, alone.report)


def test_every_missing_number_has_a_line_in_the_report_and_no_other(make_series):
    features = feature_table(recordings(make_series), extractors())
    gaps = features.report[features.report["kind"] == "gap"]
    told = {(r, name) for r, names in zip(gaps["recording_id"], gaps["features"], strict=True)
            for name in names.split()}  # fmt: skip
    table = features.table.set_index("recording_id").drop(columns=["subject_id", "session_id"])
    missing = {(str(r), str(name)) for (r, name), gone in table.isna().stack().items() if gone}
    assert told == missing
    assert {recording for recording, _ in told} == {"short", "other"}
    short = gaps[gaps["recording_id"] == "short"]
    assert short["group"].tolist() == ["statistics", "events", "synchrony", "emotions, statistics"]
    assert short["reason"].iloc[0].startswith("recording 'short': 20 of 20 frames are valid, 30 are needed")
    notes = features.report[features.report["kind"] == "note"]
    assert "happiness: found au12; missing au06" in notes["reason"].tolist()


def test_a_clean_cohort_has_an_empty_report_with_its_columns(make_series):
    features = feature_table(recordings(make_series)[:1], extractors()[:3])
    assert features.report.empty
    assert features.report.columns.tolist() == ["recording_id", "group", "kind", "reason", "features"]


class Careless:
    group = "careless"
    names = ("a",)

    def __init__(self, measured):
        self.measured = measured

    def measure(self, series, *, recording):
        return self.measured


@pytest.mark.parametrize(
    "measured",
    [Measured(values={"a": np.nan}), Measured(values={"a": 1.0}, gaps={"a": "why"})],
    ids=["no reason", "no gap"],
)
def test_a_nan_without_a_reason_stops(make_series, measured):
    with pytest.raises(ValueError, match="recording 'good', group 'careless': 'a'"):
        feature_table(recordings(make_series)[:1], [Careless(measured)])


def test_what_makes_no_table_is_refused(make_series):
    rows = recordings(make_series)
    with pytest.raises(ValueError, match="gave other features than it names: \\['a', 'b'\\]"):
        feature_table(rows[:1], [Careless(Measured(values={"b": 1.0}))])
    with pytest.raises(ValueError, match="two extractors name a feature 'au12_event_duration'"):
        feature_table(rows, [EventFeatures(channels=["au12"])] * 2)
    with pytest.raises(ValueError, match="'good' comes twice"):
        feature_table(rows[:1] * 2, extractors())
    with pytest.raises(ValueError, match="no recordings"):
        feature_table([], extractors())
