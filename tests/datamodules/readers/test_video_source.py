"""The source of clips: picklable, leak free, one size, in this process or in a worker."""

import gc
import multiprocessing
import os
import pickle
from contextlib import suppress
from pathlib import Path

import pytest
import torch
from torch.utils.data import DataLoader, Dataset

from datamodules.readers import UnreadableVideo, VideoSource, open_video
from datamodules.readers.resize import resize
from datamodules.readers.torchcodec import load_problem
from tests.datamodules.readers.open_readers import open_readers
from tests.datamodules.readers.videos import damaged


def test_a_clip_is_the_resized_frames(video):
    source = VideoSource(height=32, width=32, reader="pyav")
    with open_video(video("b_frames"), reader="pyav") as opened:
        expected = resize(opened.frames([5, 9, 13]), height=32, width=32)
    clip = source.clip(video("b_frames"), [5, 9, 13])
    assert clip.shape == (3, 3, 32, 32)
    assert torch.equal(clip, expected)
    assert torch.equal(VideoSource(height=32, width=32).clip(video("b_frames"), [5, 9, 13]), expected)


def test_frames_that_are_kept_are_those_that_are_read_and_are_read_once(video, monkeypatch):
    paths = [video(name) for name in ("b_frames", "three_frames", "open_gop")]
    fresh, keeping = (VideoSource(height=32, width=24, keep=keep) for keep in (0, 2))
    opened = []
    monkeypatch.setattr(
        "datamodules.readers.opening.open_video",
        lambda path, reader: opened.append(path) or open_video(path, reader=reader),
    )
    for path, expected in ((p, fresh.clip(p, [2, 0, 2])) for p in paths):
        for _ in range(2):
            assert torch.equal(keeping.clip(path, [2, 0, 2]), expected)
    assert opened == [
        path for path in paths for _ in range(2)
    ]  # one of them by the source that keeps nothing
    keeping.clip(paths[2], [1])
    assert len(opened) == 6
    keeping.clip(paths[0], [1])  # the one read first had to go
    assert len(opened) == 7
    with pytest.raises(IndexError):
        keeping.clip(paths[1], [3])
    with pytest.raises(IndexError):
        keeping.clip(paths[1], [-1])


def test_of_a_damaged_video_the_intact_clips_are_read_although_frames_are_kept(video):
    path = damaged(video("b_frames"), range(56, 60), "zeros")
    source, fresh = (VideoSource(height=32, width=32, keep=keep) for keep in (5, 0))
    with pytest.raises(UnreadableVideo):
        source.clip(path, [59])
    assert torch.equal(source.clip(path, [0, 5]), fresh.clip(path, [0, 5]))


def test_kept_frames_do_not_travel(video):
    source = VideoSource(height=32, width=32, keep=3)
    source.clip(video("b_frames"), [0])
    assert len(pickle.dumps(source)) < 1000


def test_a_source_travels(video):
    source = VideoSource(height=16, width=24, reader="auto", decode="device")
    source.clip(video("b_frames"), [0])  # using it must not tie it to this process
    copy = pickle.loads(pickle.dumps(source))
    assert vars(copy) == vars(source)
    assert copy.clip(video("b_frames"), [3]).shape == (1, 3, 16, 24)


def test_meaningless_arguments_are_refused():
    with pytest.raises(ValueError, match="must be positive"):
        VideoSource(height=0, width=16)
    with pytest.raises(ValueError, match="'worker', 'device' or 'auto', got 'gpu'"):
        VideoSource(height=16, width=16, decode="gpu")
    with pytest.raises(ValueError, match="decode_threads must be positive"):
        VideoSource(height=16, width=16, decode_threads=0)
    with pytest.raises(ValueError, match="keep=3 with decode='device'"):
        VideoSource(height=16, width=16, keep=3, decode="device")
    with pytest.raises(ValueError, match="'cv2' is unknown"):
        VideoSource(height=16, width=16, reader="cv2")


def _descriptors() -> set[tuple[str, str]]:
    """Numbers of the open files of this process, and what each of them is."""
    gc.collect()  # what earlier tests left for the collector must not be closed in between
    found = set()
    for each in Path("/proc/self/fd").iterdir():
        with suppress(FileNotFoundError):  # the folder itself was open while it was listed
            found.add((each.name, str(each.readlink())))
    return found


@pytest.mark.parametrize("reader", ["pyav", "torchcodec", "decord"])
def test_nothing_stays_open(video, reader):
    if reader == "torchcodec" and load_problem():
        pytest.skip(f"torchcodec does not load here: {load_problem()}")
    if reader == "decord":
        pytest.importorskip("decord")
    source = VideoSource(height=16, width=16, reader=reader)
    source.clip(video("three_frames"), [0])  # libraries open files of their own on first use
    before = _descriptors()
    for number in range(200):
        source.clip(video("three_frames"), [number % 3])
    assert open_readers() == 0
    assert not _descriptors() - before


def test_readers_are_counted_and_closed_once(video):
    first, second = open_video(video("b_frames")), open_video(video("b_frames"), reader="pyav")
    assert open_readers() == 2
    first.close()
    first.close()
    assert open_readers() == 1
    with pytest.raises(ValueError, match="closed"):
        first.frames([0])
    with pytest.raises(RuntimeError, match="on purpose"), second:
        raise RuntimeError("on purpose")
    assert open_readers() == 0


@pytest.mark.parametrize("reader", ["pyav", "auto"])
def test_a_reader_stays_in_its_process(video, reader):
    with open_video(video("b_frames"), reader=reader) as opened:
        with pytest.raises(TypeError, match="open it in the worker"):
            pickle.dumps(opened)
        opened._pid = os.getppid()  # as after a fork, without the risk of one beside other threads
        with pytest.raises(RuntimeError, match="opened in another process"):
            opened.frames([0])


class _Clips(Dataset):
    def __init__(self, source, path):
        self.source, self.path = source, path

    def __len__(self):
        return 6

    def __getitem__(self, item):
        return self.source.clip(self.path, range(item, item + 8)), open_readers()


@pytest.mark.slow
@pytest.mark.parametrize("start", ["fork", "spawn", "forkserver"])
def test_workers_read_the_same(video, start):
    source, path = VideoSource(height=32, width=32), video("open_gop")
    source.clip(path, [0])  # the parent has used the libraries before
    context = multiprocessing.get_context(start)
    loader = DataLoader(_Clips(source, path), batch_size=None, num_workers=2, multiprocessing_context=context)
    for item, (clip, opened) in enumerate(loader):
        assert torch.equal(clip, source.clip(path, range(item, item + 8)))
        assert opened == 0
