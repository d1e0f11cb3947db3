"""Peers return what was asked for on a video of a constant rate, where they do."""

import pytest
import torch

from benchmarks.cache_loader import encode, scene
from benchmarks.speed.peers import peers, right_frames
from datamodules.readers import VideoSource

CLIPS = [[0, 8, 16], [9, 21, 39]]


@pytest.fixture(scope="module")
def video(tmp_path_factory):
    path = tmp_path_factory.mktemp("peers") / "a.mp4"
    encode(path, (frame for frame, _ in scene(0, 45, 96, 128)), 96, 128)
    return path


def test_the_bare_loop_returns_our_very_frames(video):
    ours = VideoSource(height=48, width=48, reader="pyav")
    for clip in CLIPS:
        assert torch.equal(peers(48)["bare PyAV"](video, clip), ours.clip(video, clip))


def test_who_returns_other_frames_is_found(video):
    read = peers(48)["bare PyAV"]

    def late(path, indices):
        return read(path, [index + 1 for index in indices])

    assert right_frames(read, "bare PyAV", video, CLIPS, size=48) == 1.0
    assert right_frames(late, "late", video, CLIPS, size=48) == 0.0
    window = peers(48)["PyAV, as PyTorchVideo"]
    assert window(video, CLIPS[0]).shape == (3, 3, 48, 48)
    assert right_frames(window, "PyAV, as PyTorchVideo", video, CLIPS[:1], size=48) == 1.0


def test_decord_returns_as_many(video):
    pytest.importorskip("decord")
    assert peers(48)["decord, as MMAction2"](video, CLIPS[1]).shape == (3, 3, 48, 48)
