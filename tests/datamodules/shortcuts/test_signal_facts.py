"""Facts of a series are what NumPy says of its measured rows, and offsets that channels share stand out."""

import numpy as np
import pandas as pd
import pytest

from datamodules.clips.dataset import PixelClips, SeriesClips
from datamodules.manifests.manifest import read_manifest
from datamodules.readers import VideoSource
from datamodules.series import Series
from datamodules.shortcuts.signal_facts import series_facts, shared_offsets, signal_facts

rng = np.random.default_rng(0)


def series(values, valid=None, fps=10.0):
    valid = np.ones(len(values), dtype=bool) if valid is None else np.array(valid)
    return Series(values=values.astype(np.float32), valid=valid, channels=("au04", "au12"), fps=fps)


def test_channels_are_summarised_over_measured_rows():
    values = rng.normal(size=(9, 2)).astype(np.float32)
    valid = np.array([0, 1, 1, 0, 0, 1, 1, 1, 1], dtype=bool)
    facts = series_facts(series(values, valid))
    rows = values[valid].astype(np.float64)
    assert facts["mean of au12"] == pytest.approx(rows[:, 1].mean())
    assert facts["spread of au04"] == pytest.approx(rows[:, 0].std())
    assert (facts["lowest of au04"], facts["highest of au04"]) == (rows[:, 0].min(), rows[:, 0].max())
    assert (facts["first row of au12"], facts["last row of au12"]) == (rows[0, 1], rows[-1, 1])
    assert facts["steps of au04"] == pytest.approx(np.abs(np.diff(rows[:, 0])).mean())
    assert facts["share of missing rows"] == pytest.approx(3 / 9)
    assert facts["longest gap"] == pytest.approx(2 / 9)
    assert (facts["first missing row"], facts["last missing row"]) == (0, 4 / 9)
    assert (facts["length in rows"], facts["frame rate"]) == (9, 10)


def test_a_series_without_a_measurement_has_no_channels():
    facts = series_facts(series(np.zeros((4, 2)), [False] * 4, fps=None))
    assert facts["share of missing rows"] == facts["longest gap"] == 1
    assert not any("au04" in name for name in facts)


def test_an_offset_that_all_channels_share_stands_out_of_their_spread():
    label = np.arange(400) % 2
    scale = np.array([0.1, 1.0, 1.0, 5.0, 5.0])
    shared = rng.normal(size=(400, 1)) * np.array([1.0, -1.0, 0.5, 1.0, -2.0])
    means = scale * (rng.normal(size=(400, 5)) + 3 * shared)
    facts = pd.DataFrame(means + 0.4 * label[:, None], columns=[f"mean of {k}" for k in range(5)])

    def distance(values):
        low, high = values[label == 0], values[label == 1]
        return (high.mean() - low.mean()) / np.sqrt((low.var() + high.var()) / 2)

    alone = max(distance(facts[name].to_numpy()) for name in facts)
    together = distance(shared_offsets(facts)["offset of all channels"].to_numpy())
    assert together > 2 * alone


def test_repeated_and_constant_channels_have_offsets_too():
    one = rng.normal(size=30)
    facts = pd.DataFrame({"mean of a": one, "mean of b": one, "mean of c": 1.0, "mean of d": one**2})
    assert np.isfinite(shared_offsets(facts)).all(axis=None)
    assert shared_offsets(facts[["mean of a"]]).empty


def test_recordings_are_read_in_their_order_and_a_damaged_one_has_no_facts(cohort):
    manifest = read_manifest(cohort())
    recordings = manifest.recordings()
    source = SeriesClips().prepared(recordings)
    recordings[1].series_path.write_bytes(b"rubbish")
    facts = signal_facts(recordings, source, manifest.table)
    assert len(facts) == len(recordings)
    assert facts["mean of au04"].isna().tolist() == [row == 1 for row in range(len(recordings))]
    expected = source.series(recordings[4]).values.mean(axis=0, dtype=np.float64)[1]
    assert facts["mean of au12"].iloc[4] == pytest.approx(expected)


def test_of_videos_the_manifest_is_asked(cohort):
    manifest = read_manifest(cohort(brightness=0.4, height=32))
    source = PixelClips(video=VideoSource(height=8, width=8))
    facts = signal_facts(manifest.recordings(), source, manifest.table)
    assert list(facts) == ["brightness"]
    assert (facts["brightness"] == 0.4).all()
