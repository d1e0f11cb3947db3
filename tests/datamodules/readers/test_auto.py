import pytest

from datamodules.readers import UnsupportedVideo, open_video, torchcodec
from datamodules.readers.torchcodec import load_problem


@pytest.mark.parametrize("name", ["b_frames", "open_gop", "mpeg_ts", "ten_bit"])
def test_the_reader_that_notices_damage_is_taken(video, name):
    with open_video(video(name)) as opened:
        assert type(opened).__name__ == "PyavReader"


def test_a_torchcodec_that_imports_without_ffmpeg_does_not_count_as_loaded(video, monkeypatch):
    package = pytest.importorskip("torchcodec")
    monkeypatch.setattr(package, "ffmpeg_major_version", None)
    load_problem.cache_clear()
    try:
        with pytest.raises(UnsupportedVideo, match=r"FFmpeg.*reader=pyav"):
            torchcodec.TorchcodecReader(video("b_frames"))
    finally:
        load_problem.cache_clear()
