"""Clips of feature sets: one grid, each set by its time stamps, masks by set, and refusals by name."""

import subprocess
import sys
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import torch

from datamodules.clips.augmentation.series import SeriesAugment
from datamodules.clips.batches import ClipKey
from datamodules.clips.collate import collate
from datamodules.clips.dataset import ClipDataset, Entry
from datamodules.clips.feature_sets.channels import channels_of, chosen_sets, widths_of
from datamodules.clips.feature_sets.source import FeatureSetClips
from datamodules.clips.measurement_coverage import unmeasured
from datamodules.clips.samplers import UniformClips
from datamodules.clips.statistics import training_statistics
from datamodules.datamodule import ClipDataModule
from datamodules.manifests.manifest import read_manifest
from datamodules.series import UnreadableSeries
from datamodules.shortcuts.signal_facts import signal_facts

SECONDS = 8


def write_set(path, values, *, ms, valid=None):
    marks = np.ones(len(values), bool) if valid is None else valid
    np.savez(path, features=values.astype(np.float32), timestamps_ms=ms, valid_mask=marks)


@pytest.fixture
def manifest(tmp_path):
    """Six recordings: `slow` at 2 rows/s, `fast` at 10 rows/s whose values are times, `pooled` of three.

    r2 has no `pooled`; the middle of `slow` of r1 is not valid.
    """
    rng, rows = np.random.default_rng(0), []
    for number in range(6):
        slow, fast = np.arange(2 * SECONDS) * 500, np.arange(10 * SECONDS) * 100
        valid = (slow < 3000) | (slow >= 6000) if number == 1 else None
        write_set(tmp_path / f"s{number}.npz", rng.normal(number, 1, (len(slow), 2)), ms=slow, valid=valid)
        times = np.stack([fast / 1000, -fast / 1000, fast / 500, np.sin(fast / 700)], axis=1)
        write_set(tmp_path / f"f{number}.npz", times, ms=fast)
        np.save(tmp_path / f"p{number}.npy", rng.normal(5 * number, 1, (1, 3)).astype(np.float32))
        rows.append(
            {
                "recording_id": f"r{number}", "subject_id": f"p{number}", "session_id": "1", "path": "",
                "features_slow": f"s{number}.npz", "features_fast": f"f{number}.npz",
                "features_pooled": "" if number == 2 else f"p{number}.npy",
                "scale": "BDI-II", "score": 7 * number,
            }
        )  # fmt: skip
    pd.DataFrame(rows).to_csv(tmp_path / "m.csv", index=False)
    return read_manifest(tmp_path / "m.csv")


def prepared(manifest, **settings):
    return FeatureSetClips(**({"missing": "mask"} | settings)).prepared(manifest.recordings())


def test_sets_lie_side_by_side_on_one_grid_by_their_time_stamps(manifest):
    source = prepared(manifest, sets=["pooled", "fast", "slow"], fps=4.0)
    assert source.channels == channels_of({"pooled": 3, "fast": 4, "slow": 2})
    recording = manifest.recordings()[0]
    assert source.length(recording) == 4 * SECONDS  # to 7.9 s, in steps of .25 s
    clip = source.clip(recording, range(source.length(recording)))
    times = np.arange(source.length(recording)) / 4
    np.testing.assert_allclose(clip["series"][:, 3], times, atol=1e-6)
    np.testing.assert_allclose(clip["series"][:, 5], 2 * times, atol=1e-6)
    pooled = np.load(recording.features["pooled"])
    np.testing.assert_array_equal(clip["series"][:, :3], np.tile(pooled, (len(times), 1)))
    slow = np.load(recording.features["slow"])
    inside = times <= 7.5
    wanted = np.interp(times[inside], slow["timestamps_ms"] / 1000, slow["features"][:, 1])
    np.testing.assert_allclose(clip["series"][:, 8][inside], wanted, atol=1e-5)
    assert clip["set_mask"].all()
    assert clip["valid"].all()


def test_a_clip_is_some_rows_of_the_whole_series(manifest):
    source = prepared(manifest, sets=["fast", "slow", "pooled"], fps=6.0)
    for recording in manifest.recordings():
        whole, rows = source.series(recording), [3, 9, 9, 20, 31]
        clip = source.clip(recording, rows)
        np.testing.assert_array_equal(clip["series"], whole.values[rows])
        np.testing.assert_array_equal(clip["set_mask"], whole.set_valid[rows])
        np.testing.assert_array_equal(source.measured(recording).valid, whole.valid)
        assert source.length(recording) == len(whole.values)


def test_a_set_is_masked_where_it_is_not_real(manifest):
    source = prepared(manifest, sets=["slow", "pooled"], fps=2.0, max_gap_s=0.5)
    gap = source.clip(manifest.recordings()[1], range(2 * SECONDS))
    assert np.flatnonzero(~gap["set_mask"][:, 0]).tolist() == [6, 7, 8, 9, 10, 11]
    assert (gap["series"][6:12, :2] == 0).all()
    assert gap["valid"].all()
    lacking = source.clip(manifest.recordings()[2], range(2 * SECONDS))
    assert not lacking["set_mask"][:, 1].any()
    assert (lacking["series"][:, 2:] == 0).all()
    alone = prepared(manifest, sets=["slow"], fps=2.0, max_gap_s=0.5).clip(manifest.recordings()[1], [5, 8])
    assert alone["valid"].tolist() == [True, False]


def test_only_pooled_sets_make_one_row(manifest):
    kept = read_manifest(manifest.file).recordings(["r0", "r1"])
    source = FeatureSetClips(sets=["pooled"]).prepared(kept)
    assert source.length(kept[0]) == 1
    assert source.clip(kept[0], [0])["set_mask"].tolist() == [[True]]


def test_a_recording_that_lacks_a_set_is_refused_by_name_unless_masked(manifest):
    with pytest.raises(UnreadableSeries, match=r"'pooled' is lacking in r2\. .*missing=mask"):
        FeatureSetClips().prepared(manifest.recordings())
    settled = FeatureSetClips(channels=channels_of({"slow": 2, "pooled": 3}))
    with pytest.raises(UnreadableSeries, match="'pooled' is lacking in r2"):
        settled.clip(manifest.recordings()[2], [0])
    bare = replace(manifest.recordings()[0], features={})
    with pytest.raises(UnreadableSeries, match="'slow' is lacking in r0"):
        settled.length(bare)
    source = prepared(manifest)
    assert source.measured(bare).valid.tolist() == [False]
    assert unmeasured(bare, source).reason == "no measurement: 0 of 1 frames hold a measurement"


def test_a_recording_without_any_of_the_sets_is_named_and_not_predicted(manifest, caplog):
    given = {"manifest": manifest, "split": None, "source": FeatureSetClips(sets=["pooled"], missing="mask")}
    clips = {name: UniformClips(length=8, stride=1, clips=1) for name in ("train_clips", "eval_clips")}
    module = ClipDataModule(**given, **clips)
    seen = [name for batch in module.predict_dataloader() for name in batch["recording_id"]]
    assert sorted(seen) == ["r0", "r1", "r3", "r4", "r5"]
    assert list(module.unmeasured) == ["r2"]
    assert "r2 is not predicted: no measurement" in caplog.text


def test_widths_that_differ_are_refused_with_the_recordings(manifest):
    folder = manifest.root
    write_set(folder / "s4.npz", np.random.default_rng(1).normal(size=(16, 5)), ms=np.arange(16) * 500)
    with pytest.raises(UnreadableSeries, match=r"'slow' have different widths: 2 columns in 5 .*, 5 in r4"):
        prepared(manifest)
    settled = FeatureSetClips(channels=channels_of({"slow": 2}))
    with pytest.raises(UnreadableSeries, match=r"s4\.npz: has 5 columns, and the set 'slow' has 2"):
        settled.length(manifest.recordings()[4])
    with pytest.raises(
        UnreadableSeries, match=r"'fast' has 4 columns, and data\.sets.* say 7; write data.sets.fa"
    ):
        prepared(manifest, sets={"fast": 7})


def test_what_cannot_be_a_set_or_a_grid_is_refused(manifest):
    with pytest.raises(
        UnreadableSeries, match="no recording has the feature set 'fasd'; did you mean 'fast'"
    ):
        prepared(manifest, sets=["fasd"])
    with pytest.raises(UnreadableSeries, match="names a set twice"):
        chosen_sets(["fast", "fast"], manifest.recordings())
    with pytest.raises(ValueError, match="are not those of feature sets"):
        widths_of(["fast/0", "fast/2"])
    with pytest.raises(ValueError, match="in that order"):
        FeatureSetClips(sets=["slow", "fast"], channels=channels_of({"fast": 4, "slow": 2}))
    for settings in ({"fps": 0.0}, {"max_gap_s": -1.0}, {"missing": "skip"}):
        with pytest.raises(ValueError, match=next(iter(settings))):
            FeatureSetClips(**settings)
    late = 1e9 + np.arange(16) * 500
    write_set(manifest.root / "s0.npz", np.random.default_rng(1).normal(size=(16, 2)), ms=late)
    with pytest.raises(
        UnreadableSeries, match=r"s0\.npz: the set 'slow' of 'r0' begins at 1000000 s.*no clock"
    ):
        prepared(manifest).length(manifest.recordings()[0])


def test_sets_whose_spans_are_a_thousand_apart_are_refused(manifest):
    rng = np.random.default_rng(1)
    write_set(manifest.root / "s0.npz", rng.normal(size=(16, 2)), ms=np.arange(16) * 0.5 * 5)  # 400 rows/s
    write_set(manifest.root / "f0.npz", rng.normal(size=(16, 4)), ms=np.arange(16) * 2500)
    with pytest.raises(UnreadableSeries, match=r"s0\.npz: its times span 0\.0375 s, and those of f0\.npz"):
        prepared(manifest).length(manifest.recordings()[0])


def test_a_set_without_columns_is_told_by_its_file(manifest):
    for number in range(6):
        np.save(manifest.root / f"p{number}.npy", np.zeros((1, 0), np.float32))
    with pytest.raises(UnreadableSeries, match=r"p0\.npy: holds no value, .*extract it again"):
        prepared(manifest, sets=["pooled"])


def test_a_gap_is_time_beyond_the_usual_step_of_a_set(manifest):
    rng, source = np.random.default_rng(1), prepared(manifest, sets=["slow"], fps=1.0, max_gap_s=1.0)
    write_set(manifest.root / "s0.npz", rng.normal(size=(2, 2)), ms=[0, 20_000])
    assert source.measured(manifest.recordings()[0]).valid.all()  # a row in 20 s, none of which is lost
    marks = np.isin(np.arange(21), (0, 20))
    write_set(manifest.root / "s0.npz", rng.normal(size=(21, 2)), ms=np.arange(21) * 1000, valid=marks)
    assert np.flatnonzero(source.measured(manifest.recordings()[0]).valid).tolist() == [0, 20]


def test_an_array_without_a_rate_is_refused(manifest):
    np.save(manifest.root / "p0.npy", np.random.default_rng(0).normal(size=(9, 3)))
    with pytest.raises(UnreadableSeries, match=r"p0\.npy: neither the file nor the manifest tells a rate"):
        prepared(manifest).length(manifest.recordings()[0])


def test_a_batch_has_the_mask_of_each_set_and_padding_has_none(manifest):
    source = prepared(manifest, sets=["slow", "pooled"], fps=2.0)
    entries = [Entry(recording=one, row=n, subject=n, visit=0) for n, one in enumerate(manifest.recordings())]
    sampler = UniformClips(length=20, stride=1, clips=1)
    dataset = ClipDataset(entries=entries, source=source, sampler=sampler, seed=0, training=False)

    batch = collate([dataset[ClipKey(row=row, clip=0, epoch=0)] for row in (0, 2)])
    assert batch["series"].shape == (2, 20, 5)
    assert batch["set_mask"].shape == (2, 20, 2)
    assert torch.equal(batch["set_mask"].any(2), batch["mask"])
    assert batch["mask"].sum(1).tolist() == [16, 16]
    assert not batch["set_mask"][1, :, 1].any()


def test_statistics_are_those_of_the_rows_in_which_a_set_is_real(manifest):
    source = prepared(manifest, sets=["pooled", "slow"], fps=2.0, max_gap_s=0.0)
    found = training_statistics(manifest.recordings(), source)
    pooled, slow = [], []
    for recording in manifest.recordings():
        stored = np.load(recording.features["slow"])
        slow.append(stored["features"][stored["valid_mask"]])
        if "pooled" in recording.features:
            pooled.append(np.repeat(np.load(recording.features["pooled"]), 16, axis=0))
    for place, values in ((slice(0, 3), pooled), (slice(3, 5), slow)):
        rows = np.concatenate(values).astype(np.float64)
        np.testing.assert_allclose(found["series_mean"][place], rows.mean(0), rtol=1e-5)
        np.testing.assert_allclose(found["series_std"][place], rows.std(0), rtol=1e-5)
    assert all(torch.isfinite(found[name]).all() for name in found if name.startswith("series"))


_LARGE = """
import resource, sys
from datamodules.clips.feature_sets.source import FeatureSetClips
from datamodules.clips.statistics import training_statistics
from datamodules.datamodule import ClipDataModule
from datamodules.manifests.manifest import read_manifest
recordings = read_manifest(sys.argv[1], probe=False).recordings()
source = FeatureSetClips(sets=["wide"], fps=5.0).prepared(recordings)
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
training_statistics(recordings, source)
for recording in recordings:
    source.measured(recording), source.clip(recording, range(100))
print((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 2**10)
"""


@pytest.mark.slow
def test_many_wide_recordings_are_not_held_in_memory(tmp_path):
    """160 recordings of 4 MB, 640 MB in all, under a cache of 256 MB."""
    rng = np.random.default_rng(0)
    values = rng.normal(size=(1000, 1000)).astype(np.float32)
    rows = []
    for number in range(160):
        values[0] = number
        write_set(tmp_path / f"{number}.npz", values, ms=np.arange(1000) * 200)
        ids = {"recording_id": f"r{number}", "subject_id": f"p{number}", "session_id": "1", "path": ""}
        rows.append(ids | {"features_wide": f"{number}.npz"})
    pd.DataFrame(rows).to_csv(tmp_path / "m.csv", index=False)
    command = [sys.executable, "-c", _LARGE, str(tmp_path / "m.csv")]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert float(done.stdout) < 450  # MB: the cache and what one recording takes


def test_facts_of_the_audit_are_those_of_each_set(manifest):
    source = prepared(manifest, sets=["slow", "pooled"], fps=2.0, max_gap_s=0.0)
    facts = signal_facts(manifest.recordings(), source, manifest.table)
    assert np.isnan(facts.loc[2, "mean of pooled/0"])
    assert facts.loc[2, "share of missing rows of pooled"] == 1
    assert facts.loc[1, "share of missing rows of slow"] == 6 / 16
    stored = np.load(manifest.recordings()[1].features["slow"])
    wanted = stored["features"][stored["valid_mask"]].mean(0)
    np.testing.assert_allclose(facts.loc[1, ["mean of slow/0", "mean of slow/1"]].tolist(), wanted, rtol=1e-5)
    assert facts["length in rows"].tolist() == [16.0] * 6


def test_an_augmentation_that_moves_rows_is_refused(manifest):
    given = {"manifest": manifest, "split": None, "source": FeatureSetClips(missing="mask")}
    clips = {name: UniformClips(length=8, stride=1, clips=1) for name in ("train_clips", "eval_clips")}
    with pytest.raises(ValueError, match=r"data\.module\.augment with .*'shift': 0\.5.*leave them at 0"):
        ClipDataModule(**given, **clips, augment=SeriesAugment(shift=0.5))
    module = ClipDataModule(
        **given, **clips, augment=SeriesAugment(time_mask=0.9, noise=0.0, channel_mask=0.0)
    )
    assert module.channels == channels_of({"fast": 4, "pooled": 3, "slow": 2})
    batch = next(iter(module.predict_dataloader()))
    module.trainer = type("Trainer", (), {"training": True})
    module._augment.set_statistics(training_statistics(manifest.recordings(), module._source))
    changed = module.on_after_batch_transfer(batch, 0)
    assert not torch.equal(changed["mask"], batch["mask"])
    assert torch.equal(changed["set_mask"].any(2), changed["mask"])
