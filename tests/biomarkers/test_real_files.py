"""Real OpenFace and OpenDBM files go from trimming to plots; needs the folder EUTHYMIA_DATA names.

EUTHYMIA_PLOTS=folder keeps the plots, to look at them.
"""

import base64
import os
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from biomarkers.features.emotions import EMOTIONS, EmotionFeatures, emotion_intensities
from biomarkers.features.events import EventFeatures
from biomarkers.features.feature_table import feature_table
from biomarkers.features.statistics import SummaryStatistics
from biomarkers.features.synchrony import Synchrony
from biomarkers.features.trimming import Phase, trim
from biomarkers.groups.group_figures import means_over_time
from biomarkers.groups.profiles import group_profiles
from biomarkers.published import sun2023
from biomarkers.published.published_table import NOT_IN_OPENFACE
from datamodules.series import read_series
from datamodules.series.channel_schema import au
from datamodules.series.formats.openface import INTENSITIES
from evaluation.uncertainty.bootstrap import Resampling

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
        assert set(sun2023.UNITS) - set(series.channels) == NOT_IN_OPENFACE


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


def test_events_are_stretches_that_reach_the_threshold(recordings):
    measured = EventFeatures(channels=("au12", "au45"))
    for ids, series in recordings:
        x = series.values[:, series.channels.index("au12")]
        inside = (x >= 0.5) & series.valid
        starts = np.flatnonzero(inside & ~np.append(False, inside[:-1]))
        stops = np.flatnonzero(inside & ~np.append(inside[1:], False)) + 1
        reached = sum(x[a:b].max() >= 1.0 for a, b in zip(starts, stops, strict=True))
        minutes = series.valid.sum() / series.fps / 60
        values = measured.measure(series, recording=ids.recording_id).values
        assert values["au12_event_rate"] == pytest.approx(reached / minutes)
        speeds = [values[f"au45_{name}"] for name in ("onset_speed", "offset_speed")]
        assert all(np.isnan(speed) or speed > 0 for speed in speeds)


def test_emotions_over_time_become_a_plot(recordings):
    """Two persons at two visits, and two exports of a program each: the first against the second visit."""
    own = [(ids.recording_id, series) for ids, series in recordings if "timepoint" in ids.recording_id]
    sums = [emotion_intensities(series, missing="sum_available").series for _, series in own]
    found = group_profiles(
        sums,
        [name.partition("_")[0] for name, _ in own],
        ["first visit" if "timepoint01" in name else "second visit" for name, _ in own],
        Resampling(1000),
        bins=20,
    )
    assert sorted(found) == ["first visit", "second visit"]
    happy = found["first visit"].channels.index("happiness")
    first = [series for (name, _), series in zip(own, sums, strict=True) if "timepoint01" in name]
    assert len(first) == 2
    means = [one.values[one.valid, happy].mean() for one in first]
    assert found["first visit"].mean[:, happy].mean() == pytest.approx(np.mean(means), rel=0.1)
    assert found["first visit"].persons.tolist() == [2] * 20
    plot = means_over_time(found)
    kind, _, content = plot.partition(";base64,")
    drawn = base64.b64decode(content)
    assert kind == "data:image/svg+xml"
    assert b"</svg>" in drawn
    if folder := os.environ.get("EUTHYMIA_PLOTS"):
        (Path(folder) / "emotions_over_time.svg").write_bytes(drawn)
