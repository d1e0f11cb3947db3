"""Stores of clips: what `datamodules.readers` reads back, frame for frame and at its time."""

from pathlib import Path

import cv2
import numpy as np
import pytest

from datamodules.readers import VideoSource
from datamodules.readers.stream import FrameStream
from preprocessing.stores.h264 import H264Store
from preprocessing.stores.raw import RawStore

SIZE, COUNT = 112, 40
STORES = pytest.mark.parametrize(
    "store", [H264Store(), H264Store(gop=1), RawStore()], ids=["h264", "intra", "raw"]
)


def crops():
    """A smooth texture that moves, with a bright bar whose place tells the frame's number."""
    rng = np.random.default_rng(0)
    texture = cv2.GaussianBlur(rng.integers(0, 255, (2 * SIZE, 2 * SIZE, 3), dtype=np.uint8), (0, 0), 5)
    for number in range(COUNT):
        frame = texture[number : number + SIZE, number // 2 : number // 2 + SIZE].copy()
        frame[:4] = 16
        frame[:4, 2 * number : 2 * number + 4] = 235
        yield frame


def uneven():
    """Times of a variable rate: a camera that slows down in the dark and pauses once."""
    steps = np.full(COUNT, 1 / 30)
    steps[10:20], steps[25] = 1 / 15, 2.5
    return np.cumsum(steps) + 0.4


@STORES
def test_frames_come_back_in_their_order_and_at_their_times(store, tmp_path):
    path, seconds = tmp_path / f"clip{store.suffix}", uneven()
    assert store.write(path, crops(), seconds, fps=15.0) == COUNT
    assert [file.name for file in tmp_path.iterdir()] == [path.name]
    stream = FrameStream(path)
    assert stream.seconds == pytest.approx(seconds - seconds[0], abs=1e-4)
    found = VideoSource(height=SIZE, width=SIZE).clip(path, range(COUNT)).permute(0, 2, 3, 1).numpy()
    for number, (wanted, frame, streamed) in enumerate(zip(crops(), found, stream, strict=True)):
        assert np.flatnonzero(frame[1, :, 0] > 120).mean() // 2 == number
        assert np.array_equal(frame, streamed)
        error = frame.astype(float) - wanted
        assert abs(error).mean() < (1e-9 if store.suffix == ".mov" else 3)
        assert abs(error.mean()) < 1.5  # 4:2:0 is rounded down


@STORES
def test_the_same_crops_give_the_same_bytes(store, tmp_path):
    texts = []
    for name in "ab":
        path = tmp_path / f"{name}{store.suffix}"
        store.write(path, crops(), uneven(), fps=15.0)
        texts.append(path.read_bytes())
    assert texts[0] == texts[1]


def test_a_finer_factor_and_longer_groups_do_what_they_say(tmp_path):
    sizes, keys = {}, {}
    for crf, gop in ((18, 12), (30, 12), (18, 1)):
        path = tmp_path / f"{crf}_{gop}.mp4"
        H264Store(crf=crf, gop=gop).write(path, crops(), np.arange(COUNT) / 30, fps=30.0)
        sizes[crf, gop], keys[gop] = path.stat().st_size, _keyframes(path)
    assert sizes[30, 12] < sizes[18, 12] < sizes[18, 1]
    assert keys == {12: -(-COUNT // 12), 1: COUNT}
    with pytest.raises(ValueError, match="crf=60"):
        H264Store(crf=60)


def _keyframes(path: Path) -> int:
    import av

    with av.open(str(path)) as container:
        return sum(packet.is_keyframe for packet in container.demux(video=0) if packet.size)


def test_a_broken_source_leaves_nothing_behind(tmp_path):
    def broken():
        yield next(crops())
        raise OSError("gone")

    with pytest.raises(OSError, match="gone"):
        H264Store().write(tmp_path / "clip.mp4", broken(), np.arange(2.0), fps=1.0)
    with pytest.raises(ValueError, match="1 frames, but 2 times"):
        H264Store().write(tmp_path / "clip.mp4", [next(crops())], np.arange(2.0), fps=1.0)
    assert list(tmp_path.iterdir()) == []
