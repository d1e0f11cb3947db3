import pickle
from dataclasses import replace

import numpy as np
import pytest
import torch

from datamodules.clips import seeding
from datamodules.clips.batches import ClipKey
from datamodules.clips.dataset import ClipDataset, Entry, PixelClips, SeriesClips
from datamodules.clips.samplers import RandomClips, UniformClips
from datamodules.feature_leakage.channels import LeakageError
from datamodules.manifests.manifest import read_manifest
from datamodules.readers import UnreadableVideo, VideoSource
from datamodules.series import UnreadableSeries


def entries(manifest, scored=True):
    return [
        Entry(recording=recording, row=row, subject=row, visit=row, scored=scored)
        for row, recording in enumerate(manifest.recordings())
    ]


def dataset(manifest, source, sampler=None, *, training=False, scored=True):
    sampler = sampler or UniformClips(length=5, stride=2, clips=2)
    return ClipDataset(
        entries=entries(manifest, scored), source=source, sampler=sampler, seed=3, training=training
    )


def pixels(**arguments):
    return PixelClips(video=VideoSource(height=16, width=16, **arguments))


def test_a_pixel_sample_holds_the_frames_that_were_chosen(videos):
    data = dataset(read_manifest(videos(1, 1)), pixels())
    sample = data[ClipKey(0, 1, 0)]
    assert (sample["frames"].dtype, sample["frames"].shape) == (torch.uint8, (5, 3, 16, 16))
    levels = sample["frames"].float().mean((1, 2, 3)) / 12
    np.testing.assert_allclose(levels, [11, 13, 15, 17, 19], atol=0.4)
    assert sample["mask"].all()
    assert sample["targets"] == {"score": 2.0, "binary": 0, "band": 0}
    assert sample["target_mask"] == dict.fromkeys(("score", "binary", "band"), True)
    assert (sample["recording_id"], sample["subject_id"], sample["session_id"]) == ("p00_v0", "p00", "0")
    assert sample["seed"] == seeding.clip_seed(3, 0, "p00_v0", 1)


def test_a_video_of_three_frames_is_padded_with_zeros_under_the_mask(videos):
    sample = dataset(read_manifest(videos(1, 1, 3)), pixels())[ClipKey(0, 0, 0)]
    assert sample["mask"].tolist() == [True, True, True, False, False]
    np.testing.assert_allclose(sample["frames"].float().mean((1, 2, 3)), [0, 12, 24, 0, 0], atol=4)
    assert (sample["frames"][3:] == 0).all()


def test_training_draws_by_seed_epoch_and_recording(cohort):
    manifest = read_manifest(cohort(2, 1, 500))
    data = dataset(manifest, SeriesClips(), RandomClips(length=8), training=True)
    again = pickle.loads(pickle.dumps(data))
    first = data[ClipKey(1, 0, 4)]
    data[ClipKey(0, 0, 4)]
    assert torch.equal(again[ClipKey(1, 0, 4)]["series"], first["series"])
    assert torch.equal(data[ClipKey(1, 0, 4)]["series"], first["series"])
    assert not torch.equal(data[ClipKey(1, 0, 5)]["series"], first["series"])
    assert data[ClipKey(1, 0, 5)]["seed"] != first["seed"] != data[ClipKey(1, 1, 4)]["seed"]


def test_invalid_rows_of_a_series_are_masked_and_zero(tmp_path, cohort, write_series):
    path = cohort(1, 1)
    valid = np.arange(60) % 3 > 0
    write_series(
        path.parent / "p00_v0.npz", np.where(valid[:, None], 1.0, np.nan) * np.ones((60, 3)), valid=valid
    )
    sample = dataset(read_manifest(path), SeriesClips())[ClipKey(0, 0, 0)]
    assert sample["mask"].tolist() == valid[[0, 2, 4, 6, 8]].tolist()
    assert torch.equal(sample["series"], sample["mask"][:, None].expand(5, 3).float())


def test_the_series_counts_its_own_rows(cohort):
    manifest = read_manifest(cohort(1, 1, 60, n_frames=9999))
    assert SeriesClips().length(manifest.recordings()[0]) == 60


def test_a_context_row_has_no_targets(cohort):
    sample = dataset(read_manifest(cohort(1, 1)), SeriesClips(), scored=False)[ClipKey(0, 0, 0)]
    assert not sample["scored"]
    assert sample["target_mask"] == dict.fromkeys(("score", "binary", "band"), False)
    assert sample["targets"] == dict.fromkeys(("score", "binary", "band"), 0)


def damaged(path):
    file = path.parent / "p00_v0.mp4"
    file.write_bytes(file.read_bytes()[:200])
    return path


def test_an_unreadable_video_is_an_error_entry_in_training_and_stops_evaluation(videos):
    manifest = read_manifest(damaged(videos(2, 1)))
    sample = dataset(manifest, pixels(), RandomClips(length=5), training=True)[ClipKey(0, 0, 0)]
    assert list(sample) == ["error"]
    assert sample["error"][0] == "p00_v0"
    assert "p00_v0.mp4" in sample["error"][1]
    with pytest.raises(UnreadableVideo, match=r"p00_v0\.mp4"):
        dataset(manifest, pixels())[ClipKey(0, 0, 0)]
    assert "error" in dataset(manifest, pixels(), scored=False)[ClipKey(0, 0, 0)]


def test_what_the_manifest_says_wrongly_is_named(videos):
    path = videos(1, 1)
    with pytest.raises(UnreadableVideo, match=r"p00_v0\.mp4: opens.*Fill 'n_frames'"):
        dataset(read_manifest(path, probe=False), pixels())[ClipKey(0, 0, 0)]
    manifest = read_manifest(path)
    manifest.table["n_frames"] = 99.0
    for decode in ("worker", "device"):
        with pytest.raises(UnreadableVideo, match="states 99 frames, but"):
            dataset(manifest, pixels(decode=decode))[ClipKey(0, 1, 0)]


def test_sources_need_their_column(cohort, videos):
    with pytest.raises(UnreadableVideo, match="'p00_v0' has no video; fill 'path' or use series"):
        dataset(read_manifest(cohort(1, 1)), pixels())[ClipKey(0, 0, 0)]
    with pytest.raises(UnreadableSeries, match="'p00_v0' has no series; fill 'landmark_path'"):
        dataset(read_manifest(cohort(1, 1)), SeriesClips(column="landmark_path"))[ClipKey(0, 0, 0)]


def test_channels_are_settled_once_and_guarded(cohort, write_series):
    path = cohort(2, 1)
    recordings = read_manifest(path).recordings()
    source = SeriesClips().prepared(recordings)
    assert source.channels == ("au04", "au12", "gaze_x")
    write_series(path.parent / "p01_v0.npz", np.ones((9, 3)), channels=("gaze_x", "au04", "au12"))
    values = np.arange(27.0).reshape(9, 3)
    write_series(path.parent / "p01_v0.npz", values, channels=("gaze_x", "au04", "au12"))
    assert source.clip(recordings[1], [0])["series"].tolist() == [[1, 2, 0]]
    (path.parent / "p00_v0.npz").write_bytes(b"")
    assert SeriesClips().prepared(recordings).channels == ("gaze_x", "au04", "au12")
    (path.parent / "p01_v0.npz").write_bytes(b"")
    with pytest.raises(UnreadableSeries, match="no readable series in 'series_path'"):
        SeriesClips().prepared(recordings)
    with pytest.raises(LeakageError, match="phq8_total"):
        SeriesClips(channels=["au04", "phq8_total"]).prepared(recordings)


def test_an_item_among_the_channels_stops_before_training(cohort, write_series):
    path = cohort(1, 1)
    write_series(path.parent / "p00_v0.npz", np.ones((9, 2)), channels=("au04", "item_bdi_01"))
    with pytest.raises(LeakageError, match="item_bdi_01"):
        SeriesClips().prepared(read_manifest(path).recordings())


def test_resampled_series_of_every_length_fill_clips(cohort):
    recordings = read_manifest(cohort(1, 2, 60)).recordings()  # 60 rows at 25 a second
    source = SeriesClips(fps=10.0).prepared(recordings)
    assert source.channels == ("au04", "au12", "gaze_x")
    assert source.length(recordings[0]) == 24
    series, raw = source.series(recordings[0]), SeriesClips().series(recordings[0])
    assert series.fps == 10
    for number in range(3):
        expected = np.interp(np.arange(24) / 10, np.arange(60) / 25, raw.values[:, number])
        np.testing.assert_allclose(series.values[:, number], expected, atol=1e-6)
    np.testing.assert_array_equal(source.clip(recordings[0], [3, 23])["series"], series.values[[3, 23]])
    for sampler in (UniformClips(length=30, stride=2, clips=2), RandomClips(length=30, strides=[2])):
        manifest = read_manifest(cohort(1, 2, 60))
        data = dataset(manifest, source, sampler, training=isinstance(sampler, RandomClips))
        sample = data[ClipKey(0, 0, 0)]
        assert sample["series"].shape == (30, 3)
        assert sample["mask"].sum() == 24  # of 60 rows in the file


def test_gaps_are_bridged_only_where_asked_for(cohort, write_series):
    path = cohort(1, 1)
    valid = np.ones(20, dtype=bool)
    valid[[4, 10, 11, 12]] = False
    values = np.tile(np.abs(np.arange(20.0) - 15)[:, None], 3)  # no counter, which would be no channel
    write_series(path.parent / "p00_v0.npz", values, valid=valid)
    recording = read_manifest(path).recordings()[0]
    assert SeriesClips().series(recording).valid.sum() == 16
    series = SeriesClips(max_gap_s=0.05).series(recording)  # one frame lasts 0.04 s
    assert np.flatnonzero(~series.valid).tolist() == [10, 11, 12]
    assert series.values[4].tolist() == [11, 11, 11]
    assert SeriesClips(max_gap_s=0.12).series(recording).valid.all()
    write_series(path.parent / "p00_v0.npz", values + 1, valid=valid)  # a rewritten file is resampled again
    assert SeriesClips(max_gap_s=0.05).series(recording).values[4].tolist() == [12, 12, 12]


def test_a_rate_must_be_known_to_be_changed(cohort):
    path = cohort(1, 1)
    np.savez(path.parent / "p00_v0.npz", values=np.ones((9, 2)), channels=np.asarray(["au04", "au12"]))
    recording = read_manifest(path).recordings()[0]
    assert SeriesClips().length(recording) == 9
    with pytest.raises(UnreadableSeries, match=r"p00_v0\.npz: neither .* fps=5\.0 .* fill 'fps'"):
        SeriesClips(fps=5.0).length(recording)
    assert SeriesClips(fps=5.0).length(replace(recording, fps=10.0)) == 5
    for wrong in ({"fps": 0.0}, {"max_gap_s": -1.0}):
        with pytest.raises(ValueError, match="must be positive"):
            SeriesClips(**wrong)


def test_all_channels_of_a_file_of_openface_are_clips(cohort, tmp_path):
    path = cohort(1, 1)
    lines = ["frame, timestamp, confidence, success, AU04_r, AU12_r, gaze_angle_x"]
    lines += [f"{k + 1}, {k / 25}, 0.98, {int(k != 3)}, {k / 4}, 1, 0.1" for k in range(12)]
    (tmp_path / "p00_v0.csv").write_text("\n".join(lines))
    path.write_text(path.read_text().replace("p00_v0.npz", "p00_v0.csv"))
    data = dataset(read_manifest(path), SeriesClips(channels=["au04", "gaze_x"]))
    sample = data[ClipKey(0, 0, 0)]
    assert sample["mask"].all()
    np.testing.assert_allclose(sample["series"][:, 0], np.array([0, 2, 4, 6, 8]) / 4)
    assert data[ClipKey(0, 1, 0)]["mask"].tolist() == [False, True, True, True, True]
