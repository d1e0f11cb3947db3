import pytest

from datamodules.readers import open_video
from datamodules.readers.readable_part import readable_part
from tests.datamodules.readers.videos import damaged, packets_of, truncated


def test_a_whole_file_is_readable_to_its_end(video):
    assert readable_part(video("b_frames")) == (60, pytest.approx(2.4))
    assert readable_part(video("late_start")) == (60, pytest.approx(2.4))


def test_damage_ends_what_is_readable(video):
    frames, seconds = readable_part(damaged(video("no_b_frames"), range(30, 33), "zeros"))
    assert frames == 30
    assert seconds == pytest.approx(1.2)


@pytest.mark.parametrize("name", ["matroska", "mpeg_ts"])
def test_frames_of_the_cut_part_are_counted(video, name):
    path = truncated(video(name), keep=0.6)
    whole = sum(position + size <= path.stat().st_size for position, size, _ in packets_of(video(name)))
    frames, seconds = readable_part(path)
    assert whole - 4 <= frames <= whole + 1  # up to 3 B-frames wait for a picture that is gone
    assert seconds == pytest.approx(0.04 * frames, abs=0.16)


def test_what_is_no_video_has_no_readable_part(tmp_path):
    for content in (b"", b"Dear all,\n" * 90, bytes(5000)):
        (tmp_path / "x.mp4").write_bytes(content)
        assert readable_part(tmp_path / "x.mp4") is None
    assert readable_part(tmp_path / "absent.mp4") is None


def test_frames_before_the_fault_are_those_of_the_reader(video):
    path = damaged(video("hevc"), range(30, 31), "noise")
    frames, _ = readable_part(path)
    with open_video(path) as reader:
        assert len(reader.frames(range(frames))) == frames
