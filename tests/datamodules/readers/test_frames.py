"""Frame exactness: each reader returns exactly the requested frames, or refuses the file."""

import av
import numpy as np
import pytest
import torch

from datamodules.readers import UnsupportedVideo, VideoReader, open_video
from datamodules.readers.torchcodec import load_problem
from tests.datamodules.readers.open_readers import open_readers
from tests.datamodules.readers.videos import RECIPES, draw, mismatches, number_of

READERS = ("pyav", "torchcodec", "decord", "auto")
# Where the fast readers would be wrong; PyAV and auto refuse nothing.
NO_TORCHCODEC = {"open_gop", "matroska_open_gop", "mpeg_ts", "raw_stream", "xvid_avi", "mjpeg_avi"}
NO_TORCHCODEC |= {"ten_bit", "interlaced"}  # right frames, but other pixels
NO_DECORD = NO_TORCHCODEC | {"hevc", "edit_head", "edit_tail", "vp8_hidden", "vp9", "av1"}
REFUSED = {"pyav": set(), "auto": set(), "torchcodec": NO_TORCHCODEC, "decord": NO_DECORD}


def _need(reader):
    if reader == "torchcodec" and load_problem():
        pytest.skip(f"torchcodec does not load here: {load_problem()}")
    if reader == "decord":
        pytest.importorskip("decord")


@pytest.mark.parametrize("reader", READERS)
@pytest.mark.parametrize("name", RECIPES)
def test_exact_or_refused(video, name, reader):
    _need(reader)
    path, recipe = video(name), RECIPES[name]
    if name in REFUSED[reader]:
        with pytest.raises(UnsupportedVideo, match="reader=pyav") as caught:
            open_video(path, reader=reader)
        assert str(path) in str(caught.value)
    else:
        with open_video(path, reader=reader) as opened:
            assert isinstance(opened, VideoReader)
            assert (opened.height, opened.width) == recipe.size
            assert opened.n_frames >= min(recipe.frames, 40)
            assert mismatches(opened, recipe.first) == []
    assert open_readers() == 0


class _InSequence:
    """Wrong on purpose: returns the next frames, whatever is asked for."""

    def __init__(self, shift: int, n_frames: int = 60):
        self.n_frames, self.shift, self.at = n_frames, shift, 0

    def frames(self, indices):
        first = self.at if self.shift is None else None
        self.at += len(indices)
        numbers = [first + i if first is not None else index + self.shift for i, index in enumerate(indices)]
        return torch.stack([torch.from_numpy(draw(number)).permute(2, 0, 1) for number in numbers])


def test_the_check_finds_wrong_readers():
    assert mismatches(_InSequence(shift=0), first=0) == []
    assert mismatches(_InSequence(shift=1), first=0)
    assert mismatches(_InSequence(shift=None), first=0)


def test_numbers_are_read_upright_only():
    for number in range(100):
        frame = torch.from_numpy(draw(number)).permute(2, 0, 1)
        assert number_of(frame) == number
        assert number_of(torch.rot90(frame, 2, (-2, -1))) is None
        assert number_of(torch.rot90(frame, 1, (-2, -1))) != number


@pytest.mark.parametrize("reader", READERS)
@pytest.mark.parametrize("name", ["b_frames", "odd_size", "ten_bit", "interlaced", "rotated_90", "vp9"])
def test_pixels_are_those_of_plain_sequential_decoding(video, name, reader):
    _need(reader)
    with av.open(str(video(name))) as container:
        turns = RECIPES[name].rotation // 90
        plain = [np.rot90(frame.to_ndarray(format="rgb24"), turns) for frame in container.decode(video=0)]
    if name in REFUSED[reader]:
        pytest.skip("refused, as tested above")
    wanted = [59, 3, 30, 31, 3]
    with open_video(video(name), reader=reader) as opened:
        frames = opened.frames(wanted)
    assert frames.dtype == torch.uint8
    assert frames.is_contiguous()
    expected = torch.from_numpy(np.stack([plain[index] for index in wanted])).permute(0, 3, 1, 2)
    assert torch.equal(frames, expected)


def test_sixty_irregular_frames_have_their_mean_rate(video):
    with open_video(video("variable_rate"), reader="pyav") as opened:
        assert opened.n_frames == 60
        assert opened.fps == pytest.approx(59 / (59 * 0.040 + 0.013 * (59 % 3) + 0.4 * (59 // 17)), rel=1e-6)


def test_a_regular_rate_is_exact(video):
    with open_video(video("b_frames"), reader="pyav") as opened:
        assert opened.fps == 25.0


def test_three_frames_are_enough(video):
    with open_video(video("three_frames")) as opened:
        assert opened.n_frames == 3
        assert [number_of(frame) for frame in opened.frames([2, 0, 1, 2])] == [2, 0, 1, 2]


@pytest.mark.parametrize("reader", READERS)
def test_indices_outside_the_video_are_refused(video, reader):
    _need(reader)
    with open_video(video("three_frames"), reader=reader) as opened:
        for wrong in ([3], [-1], [0, 99]):
            with pytest.raises(IndexError, match="frames 0 to 2"):
                opened.frames(wrong)
        with pytest.raises(ValueError, match="at least one index"):
            opened.frames([])


def test_an_unknown_reader_is_named():
    with pytest.raises(ValueError, match="'opencv' is unknown; choose one of auto, pyav, torchcodec, decord"):
        open_video("visit.mp4", reader="opencv")
