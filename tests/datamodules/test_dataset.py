import pickle

import numpy as np
import pytest
import torch

from datamodules import seeding
from datamodules.batches import ClipKey
from datamodules.clips import RandomClips, UniformClips
from datamodules.dataset import ClipDataset, Entry, PixelClips, SeriesClips
from datamodules.guard import LeakageError
from datamodules.manifest import read_manifest
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
    with pytest.raises(UnreadableVideo, match=r"p00_v0\.mp4: the manifest states no frames; fill 'n_frames'"):
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
