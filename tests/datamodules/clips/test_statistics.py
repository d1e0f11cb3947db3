import numpy as np
import pandas as pd
import pytest
import torch

from datamodules.clips.dataset import PixelClips, SeriesClips
from datamodules.clips.statistics import training_statistics
from datamodules.feature_leakage.channels import LeakageError
from datamodules.manifests.manifest import TRAITS, read_manifest
from datamodules.readers import VideoSource


def test_equal_numpy_on_all_valid_rows(cohort, write_series):
    path = cohort(4, 2)
    rng = np.random.default_rng(1)
    kept = []
    for number, file in enumerate(sorted(path.parent.glob("*.npz"))):
        values = rng.normal(
            1000, 0.01 * (number + 1), size=(20 + number, 3)
        )  # a large mean punishes naive sums
        valid = rng.random(len(values)) > 0.3
        write_series(file, values, valid=valid)
        kept.append(values.astype(np.float32)[valid].astype(np.float64))
    manifest = read_manifest(path)
    statistics = training_statistics(manifest.recordings(), SeriesClips())
    rows = np.concatenate(kept)
    np.testing.assert_allclose(statistics["series_mean"], rows.mean(0), rtol=1e-6)
    np.testing.assert_allclose(statistics["series_std"], rows.std(0), rtol=1e-4)
    assert statistics["score_mean"] == manifest.table["score"].mean()
    np.testing.assert_allclose(statistics["score_std"], manifest.table["score"].std(ddof=0))
    assert statistics["prevalence"] == 0.5


def test_persons_lie_apart_in_level_and_in_liveliness(cohort, write_series):
    path, rng = cohort(60, 3), np.random.default_rng(2)
    person = {f"p{one:02d}": rng.normal(size=2) for one in range(60)}
    for file in path.parent.glob("*.npz"):
        level, gain = person[file.stem[:3]]
        rows = rng.normal(size=(400, 3)) * [1.0, np.exp(0.4 * gain), 0.0] + [2.0 * level, 0.0, 7.0]
        write_series(file, rows)
    found = training_statistics(read_manifest(path).recordings(), SeriesClips())
    spread = np.std(list(person.values()), axis=0, ddof=1)
    np.testing.assert_allclose(found["series_person_level"], [2.0 * spread[0], 0.0, 0.0], atol=0.1)
    np.testing.assert_allclose(found["series_person_gain"], [0.0, 0.4 * spread[1], 0.0], atol=0.03)


def test_an_unreadable_series_is_left_out_and_named(cohort, caplog):
    path = cohort(2, 2)
    manifest = read_manifest(path)
    others = training_statistics(manifest.recordings()[1:], SeriesClips())
    (path.parent / "p00_v0.npz").write_bytes(b"")
    found = training_statistics(manifest.recordings(), SeriesClips())
    assert torch.equal(found["series_mean"], others["series_mean"])
    assert "p00_v0.npz" in caplog.text


def test_traits_are_averaged_over_those_who_have_them(cohort):
    path = cohort(3, 1)
    table = pd.read_csv(path, dtype=str)
    known = np.array([[0.1, 0.2, 0.3, 0.4, 0.5], [0.5, 0.2, 0.1, 0.0, 0.5]])
    for column, trait in enumerate(TRAITS):
        table[f"trait_{trait}"] = [*known[:, column], ""]
    table.to_csv(path, index=False)
    statistics = training_statistics(read_manifest(path).recordings(), SeriesClips())
    np.testing.assert_allclose(statistics["traits_mean"], known.mean(0), rtol=1e-6)
    np.testing.assert_allclose(statistics["traits_std"], known.std(0), atol=1e-7)


def test_what_cannot_be_known_is_left_out(cohort):
    path = cohort(2, 2)
    table = pd.read_csv(path, dtype=str).drop(columns=["score", "scale"])
    table.to_csv(path, index=False)
    recordings = read_manifest(path).recordings()
    series = {"series_mean", "series_std", "series_person_level", "series_person_gain"}
    assert set(training_statistics(recordings, SeriesClips())) == series
    assert training_statistics(recordings, PixelClips(video=VideoSource(height=8, width=8))) == {}
    assert training_statistics([], SeriesClips()) == {}


def test_a_channel_that_repeats_the_score_stops_the_training(cohort, write_series):
    path = cohort(12, 2)
    manifest = read_manifest(path)
    answers = manifest.table.assign(score=np.arange(24.0))
    rng = np.random.default_rng(0)
    for score, file in zip(answers["score"], sorted(path.parent.glob("*.npz")), strict=True):
        write_series(file, np.stack([*rng.normal(size=(2, 20)), np.full(20, np.exp(-score / 24))], axis=1))
    training_statistics(manifest.recordings(), SeriesClips())
    with pytest.raises(LeakageError, match=r"mean of 2 \(orders persons as score\)"):
        training_statistics(manifest.recordings(), SeriesClips(), answers=answers)
