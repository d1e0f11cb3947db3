"""Courses of two emotions become table IV, person by person."""

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from analysis.steps.emotion_clusters import EmotionClusters
from biomarkers.features.feature_table import Features
from datamodules.series import Series
from evaluation.uncertainty.bootstrap import Resampling

pytestmark = pytest.mark.slow  # three clusterings, twice


def material(*, lost=(), channels=("au06", "au12", "au04")):
    """Half of the persons are happy: courses fall into two clusters that are the groups."""
    rng = np.random.default_rng(0)
    names = [f"p{i:02d}" for i in range(12)]
    ids = pd.DataFrame({"recording_id": names, "subject_id": names, "session_id": "v1"})
    series = []
    for i in range(12):
        values = rng.random((40, len(channels))) + 3 * (i % 2)
        valid = np.ones(40, dtype=bool)
        if i in lost:
            valid[:10] = False
        values = np.where(valid[:, None], values, 0).astype(np.float32)
        series.append(Series(values=values, channels=channels, valid=valid, fps=10.0))
    labels = ids.assign(binary=np.arange(12) % 2)
    return SimpleNamespace(features=Features(table=ids, report=pd.DataFrame()), labels=labels, series=series)


def test_separate_courses_are_found_and_met_by_the_groups():
    finding = EmotionClusters(bins=4)(material(lost=[0]), Resampling(1000))
    table = finding.tables["emotion_clusters"].set_index("")
    assert sorted(table.index) == sorted(
        f"{emotion}, {method}"
        for emotion in ("happiness", "sadness")
        for method in ("K-means", "Agglomerative", "Gaussian mixture")
    )
    assert table.loc["happiness, K-means", "published"] == 0.478
    assert (table["here"] > 0.7).all()
    assert (table["adjusted Rand with the groups"] == 1).all()
    assert "1 persons have a bin without a frame" in finding.sections[0].remarks[0]


def test_an_emotion_without_units_says_how_to_go_on():
    with pytest.raises(ValueError, match=r"sadness has no action unit .*emotion_clusters out \(=null\)"):
        EmotionClusters(bins=4)(material(channels=("au06", "au12", "au02")), Resampling(1000))
