"""Answers among the features stop an analysis, unless it was asked to show what they do."""

import json

import numpy as np
import pandas as pd
import pytest

from analysis.leak_guard import guarded, leak_notes
from analysis.run import analyze
from datamodules.feature_leakage.channels import LeakageError
from datamodules.manifests.manifest import Manifest
from datamodules.series import Series
from tests.analysis.test_run import SMALL, composed

N = 40
rng = np.random.default_rng(0)
ITEMS = rng.integers(0, 4, (N, 3)).astype(float)
IDS = {
    "recording_id": [f"r{i}" for i in range(N)],
    "subject_id": [f"p{i}" for i in range(N)],
    "session_id": "1",
}
MANIFEST = Manifest(
    table=pd.DataFrame(IDS | {f"item_dass21_0{j + 1}": ITEMS[:, j] for j in range(3)}),
    root=None,
    name="cohort",
    truth=None,
)
FEATURES = pd.DataFrame(IDS | {"au04_mean": rng.standard_normal(N)})


def recorded(values):
    """A series of five frames per recording with one channel at a level of its own, and a blind frame."""
    valid = np.array([True] * 4 + [False])
    return [
        Series(
            values=np.where(valid, value, 0).astype(np.float32)[:, None],
            valid=valid,
            channels=("au04",),
            fps=5.0,
        )
        for value in values
    ]


NOISE = recorded(rng.uniform(0, 5, N))


def test_features_of_behavior_pass_as_they_are():
    table, leaked = guarded(FEATURES, NOISE, MANIFEST, allowed=[])
    pd.testing.assert_frame_equal(table, FEATURES)
    assert leaked == ()
    assert leak_notes(leaked) == []


def test_an_answer_among_the_features_stops_the_analysis_whatever_its_name():
    with pytest.raises(LeakageError, match=r"feature channels that carry the label.*item_dass21_02"):
        guarded(FEATURES.assign(item_dass21_02=ITEMS[:, 1]), NOISE, MANIFEST, allowed=[])
    with pytest.raises(LeakageError, match=r"au12_mean \(orders persons as item_dass21_02\)"):
        guarded(FEATURES.assign(au12_mean=1 + 2 * ITEMS[:, 1]), NOISE, MANIFEST, allowed=[])
    with pytest.raises(LeakageError, match=r"au12_mean \(orders persons as item_dass21_02\)"):
        guarded(FEATURES.assign(au12_mean=ITEMS[:, 1]), NOISE, MANIFEST, allowed=["item_*"])


def test_an_answer_in_a_channel_stops_the_analysis():
    with pytest.raises(LeakageError, match=r"mean of au04 \(orders persons as item_dass21_03\)"):
        guarded(FEATURES, recorded(0.5 + ITEMS[:, 2]), MANIFEST, allowed=["item_*"])
    guarded(FEATURES, recorded(0.5 + ITEMS[:, 2]), MANIFEST, allowed=["mean of au04"])


def test_a_leak_that_was_asked_for_is_made_and_named():
    table, leaked = guarded(FEATURES, NOISE, MANIFEST, allowed=["item_*_0[12]"])
    assert leaked == ("item_dass21_01", "item_dass21_02")
    np.testing.assert_array_equal(table[list(leaked)], ITEMS[:, :2])
    assert "2 columns that hold the answers" in leak_notes(leaked)[0]


@pytest.mark.slow
def test_a_page_and_a_record_say_that_the_leak_was_asked_for(tmp_path):
    config = composed("analysis=sun2023", *SMALL, "accept_leaks=[item_dass21_*]", output=tmp_path)
    config["analysis"]["steps"] = {}
    analyze(config, folder=tmp_path / "run")
    page = (tmp_path / "run/analysis.html").read_text()
    assert "LEAKS ON PURPOSE: Averages of action units" in page
    assert "21 columns that hold the answers" in page
    record = json.loads((tmp_path / "run/manifest.json").read_text())
    assert len(record["leaks_on_purpose"]) == 21
