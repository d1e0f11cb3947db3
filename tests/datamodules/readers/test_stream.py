"""A pass over a whole file gives what random access gives, and the times of its frames."""

import av
import numpy as np
import pytest

from datamodules.readers import UnreadableVideo, open_video
from datamodules.readers.stream import FrameStream
from tests.datamodules.readers.videos import RECIPES, damaged


@pytest.mark.parametrize("name", RECIPES)
def test_a_stream_gives_all_frames_of_a_file_in_their_order(video, name):
    stream = FrameStream(video(name))
    with open_video(video(name)) as reader:
        wanted = reader.frames(range(reader.n_frames)).permute(0, 2, 3, 1).numpy()
    found = list(stream)
    assert stream.n_frames == len(found) == len(stream.seconds)
    assert all(frame.flags.c_contiguous for frame in found)
    assert np.array_equal(np.stack(found), wanted)
    assert stream.seconds[0] == 0
    assert (np.diff(stream.seconds) > 0).all()
    assert stream.seconds[-1] * stream.fps == pytest.approx(stream.n_frames - 1, rel=1e-3)


def test_the_times_are_those_of_the_packets(video):
    path = video("variable_rate")
    with av.open(str(path)) as container:
        times = [float(frame.pts * frame.time_base) for frame in container.decode(video=0)]
    stream = FrameStream(path)
    assert stream.seconds == pytest.approx(np.asarray(times) - times[0], abs=1e-9)
    assert np.ptp(np.diff(stream.seconds)) > 0.01


def test_a_stream_can_be_read_again(video):
    stream = FrameStream(video("hevc"))
    assert all(np.array_equal(first, again) for first, again in zip(stream, stream, strict=True))


def test_damage_is_told_with_its_frame_and_time(video):
    stream, seen = FrameStream(damaged(video("b_frames"), range(24, 26), "zeros")), []
    with pytest.raises(UnreadableVideo, match="Copy the file again") as told:
        seen.extend(stream)
    first = len(seen)
    place = f"damaged from {stream.seconds[first]:.1f} s on (frame {first} of {stream.n_frames})"
    assert place in str(told.value)
    assert 20 <= first < stream.n_frames
