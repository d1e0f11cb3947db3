"""Clips of aligned faces: the mask of the cache, and what is refused."""

import pickle
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import torch

from datamodules.clips.batches import ClipKey
from datamodules.clips.dataset import ClipDataset, Entry, PixelClips
from datamodules.clips.faces import FaceClips
from datamodules.clips.measurement_coverage import unmeasured
from datamodules.clips.samplers import DenseClips, RandomClips, UniformClips
from datamodules.datamodule import ClipDataModule
from datamodules.manifests.manifest import read_manifest
from datamodules.readers import UnreadableVideo, VideoSource
from datamodules.series import UnreadableSeries
from datamodules.shortcuts.signal_facts import signal_facts
from datamodules.splits.partition import Split
from tests.face_cache import write_cache, write_rows

LOST = range(8, 16)
EVAL = UniformClips(length=8, stride=1, clips=3)


@pytest.fixture(scope="module")
def cache(tmp_path_factory):
    return write_cache(tmp_path_factory.mktemp("cache"), persons=4, visits=1, lost=LOST)


def faces(**arguments):
    return FaceClips(video=VideoSource(height=24, width=24, **arguments))


def dataset(manifest, source, sampler, **arguments):
    entries = [Entry(recording=r, row=n, subject=n, visit=n) for n, r in enumerate(manifest.recordings())]
    given = {"seed": 0, "training": False} | arguments
    return ClipDataset(entries=entries, source=source, sampler=sampler, **given)


@pytest.mark.parametrize("keep", [0, 9])
def test_frames_that_are_not_valid_are_masked_and_zero(cache, keep):
    manifest = read_manifest(cache)
    plain = PixelClips(video=VideoSource(height=24, width=24))
    dense = DenseClips(length=8, stride=1, hop=4)
    data, bare = dataset(manifest, faces(keep=keep), dense), dataset(manifest, plain, dense)
    again = pickle.loads(pickle.dumps(data))
    for _ in range(2):  # what is kept is not changed
        sample, other = data[ClipKey(0, 1, 0)], bare[ClipKey(0, 1, 0)]  # frames 4 to 11
        assert sample["mask"].tolist() == [True] * 4 + [False] * 4
        assert torch.equal(sample["frames"][:4], other["frames"][:4])
        assert not sample["frames"][4:].any()
        assert other["frames"][4:].float().mean() > 100
    assert torch.equal(again[ClipKey(0, 1, 0)]["frames"], sample["frames"])
    assert data[ClipKey(0, 2, 0)] == {"unseen": "p00_v0"}  # frames 8 to 15


def test_a_clip_without_a_valid_frame_is_drawn_again_and_not_decoded(cache, monkeypatch):
    decoded = []
    monkeypatch.setattr(VideoSource, "clip", lambda self, path, rows: decoded.append(rows) or picture(rows))
    manifest = read_manifest(cache)
    data = dataset(manifest, faces(), RandomClips(length=4, strides=(1,)), training=True)
    samples = [data[ClipKey(0, 0, epoch)] for epoch in range(60)]
    assert all(sample["mask"].any() for sample in samples)
    assert all(set(rows) - set(LOST) for rows in decoded)
    assert any(not sample["mask"].all() for sample in samples)


def picture(rows):
    return torch.ones(len(rows), 3, 24, 24, dtype=torch.uint8)


@pytest.mark.parametrize("decode", ["worker", "device"])
def test_batches_carry_the_mask_whoever_decodes(cache, decode):
    names = [f"p{person:02d}_v0" for person in range(4)]
    data = ClipDataModule(
        manifest=read_manifest(cache),
        split=Split("s", tuple(names[:2]), (names[2],), tuple(names[3:])),
        source=faces(decode=decode),
        train_clips=RandomClips(length=8),
        eval_clips=DenseClips(length=8, stride=1, hop=4),
        subjects=2,
    )
    (batch,) = data.test_dataloader()
    batch = data.transfer_batch_to_device(batch, torch.device("cpu"), 0)
    assert batch["clip"].tolist() == [0, 1, 3, 4, 5, 6, 7, 8]  # number 2 sees frames 8 to 15 alone
    assert batch["mask"].sum(1).tolist() == [8, 4, 4, 8, 8, 8, 8, 8]
    assert not batch["frames"][~batch["mask"]].any()
    assert 80 < batch["frames"][batch["mask"]].float().mean() < 170


def test_a_recording_without_valid_frames_is_not_measured(tmp_path):
    path = write_cache(tmp_path, persons=5, visits=1, frames=60)
    nobody = np.zeros(60, bool)
    for name in ("p01_v0", "p04_v0"):
        write_rows(tmp_path / "series" / f"{name}.parquet", nobody, np.zeros((60, 3)))
    names = [f"p{person:02d}_v0" for person in range(5)]
    data = ClipDataModule(
        manifest=read_manifest(path),
        split=Split("s", tuple(names[:2]), (names[2],), tuple(names[3:])),
        source=faces(),
        train_clips=RandomClips(length=8),
        eval_clips=EVAL,
        subjects=2,
    )
    assert {name for batch in data.train_dataloader() for name in batch["recording_id"]} == {"p00_v0"}
    assert {name for batch in data.test_dataloader() for name in batch["recording_id"]} == {"p03_v0"}
    assert data.unmeasured["p04_v0"].reason == "no measurement: 0 of 60 frames hold a measurement"
    assert list(data.skipped) == ["p01_v0"]
    one = read_manifest(path).recordings()[0]
    assert unmeasured(one, faces(), EVAL) is None
    assert unmeasured(one, PixelClips(video=VideoSource(height=8, width=8)), EVAL) is None


def test_rows_and_frames_that_differ_are_refused_by_name(tmp_path):
    path = write_cache(tmp_path, persons=1, visits=1)
    recording = read_manifest(path).recordings()[0]
    assert faces().length(recording) == 40
    write_rows(recording.series_path, np.ones(39, bool), np.zeros((39, 3)))
    with pytest.raises(
        UnreadableSeries, match=r"p00_v0\.parquet: has 39 rows, and .*p00_v0\.mp4 has 40 frames"
    ):
        faces().length(recording)
    with pytest.raises(UnreadableSeries, match=r"'p00_v0' has no series .*manifest\.csv of a cache"):
        faces().length(replace(recording, series_path=None))
    with pytest.raises(UnreadableVideo, match="has no video"):
        faces().length(replace(recording, path=None))


def test_an_audit_looks_at_the_pictures_and_at_the_gaps(cache):
    manifest = read_manifest(cache)
    facts = signal_facts(manifest.recordings(), faces(), manifest.table)
    assert {"face_size", "yaw", "blur", "brightness", "share of missing rows", "longest gap"} <= set(facts)
    assert facts["share of missing rows"].tolist() == [len(LOST) / 40] * 4
    np.testing.assert_allclose(facts["face_size"], pd.read_csv(cache)["face_size"])
