"""Real OpenFace and OpenDBM files go from trimming to features; needs the folder EUTHYMIA_DATA names."""

import os
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from biomarkers.features.action_units import SUN_2023, select_units
from biomarkers.features.emotions import EMOTIONS, EmotionFeatures, emotion_intensities
from biomarkers.features.events import EventFeatures
from biomarkers.features.statistics import SummaryStatistics
from biomarkers.features.synchrony import Synchrony
from biomarkers.features.table import feature_table
from biomarkers.features.trimming import Phase, trim
from datamodules.series import read_series
from datamodules.series.openface import INTENSITIES
from datamodules.series.schema import au

DATA = Path(os.environ.get("EUTHYMIA_DATA", "")) / "opendbm_sample"
pytestmark = pytest.mark.skipif(
    not os.environ.get("EUTHYMIA_DATA") or not DATA.is_dir(), reason="needs EUTHYMIA_DATA/opendbm_sample"
)
UNITS = tuple(au(unit) for unit in INTENSITIES)
CHANNELS = [*UNITS, au(28, "present")]


@dataclass(frozen=True)
class Ids:
    recording_id: str
    subject_id: str = "unknown"
    session_id: str = "1"


@pytest.fixture(scope="module")
def recordings():
    """The last part of every file from its second second on; exports without a clock run at 30 frames/s."""
    found = []
    for path in sorted(DATA.glob("*.csv.gz")):
        series = read_series(path, channels=CHANNELS, fps=30.0)
        name, stop = path.name.removesuffix(".csv.gz"), float(series.seconds[-1])
        phase = Phase(recording_id=name, phase="all but the first second", start_s=1.0, stop_s=stop)
        found.append((Ids(name), trim(series, phase)))
    return found


def test_emotions_lack_what_openface_lacks_in_every_file(recordings):
    assert len(recordings) == 6
    for _, series in recordings:
        emotions = emotion_intensities(series, missing="sum_available")
        lacking = {name: report.missing for name, report in emotions.members.items() if report.missing}
        assert lacking == {"fear": ("au28",), "disgust": ("au16",)}
        happy = emotions.series.values[:, emotions.series.channels.index("happiness")]
        parts = series.values[:, [series.channels.index("au06"), series.channels.index("au12")]]
        np.testing.assert_allclose(happy, parts.sum(axis=1), atol=1e-6)
        assert select_units(series, SUN_2023)[1].missing == ("au03", "au18", "au19", "au27")


def test_all_files_become_one_table_whose_gaps_are_told(recordings):
    features = feature_table(
        recordings,
        [
            SummaryStatistics(channels=UNITS),
            EventFeatures(channels=("au12", "au45")),
            Synchrony(pairs=[("au06", "au12")]),
            EmotionFeatures(extractor=SummaryStatistics(channels=tuple(EMOTIONS)), missing="sum_available"),
        ],
    )
    table = features.table.set_index("recording_id")
    assert table.shape == (6, 2 + 17 * 12 + 2 * 4 + 3 + 6 * 12)
    gaps = features.report[features.report["kind"] == "gap"]
    told = sum(len(names.split()) for names in gaps["features"])
    assert told == int(table.isna().sum().sum())
    for ids, series in recordings:
        x = series.values[series.valid, series.channels.index("au12")].astype(float)
        row = table.loc[ids.recording_id]
        np.testing.assert_allclose(
            row[["au12_mean", "au12_max", "au12_std"]].astype(float), [x.mean(), x.max(), x.std(ddof=1)]
        )
        assert row["happiness_mean"] == pytest.approx(row["au06_mean"] + row["au12_mean"], rel=1e-5)
