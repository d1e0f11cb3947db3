import logging

import pytest

from datamodules.readers import UnsupportedVideo, auto, open_video, torchcodec
from datamodules.readers.torchcodec import load_problem
from tests.datamodules.readers.videos import RECIPES, mismatches


@pytest.fixture(autouse=True)
def speaks_again():
    auto._say_once.cache_clear()


@pytest.mark.parametrize("name", ["b_frames", "open_gop", "mpeg_ts", "ten_bit"])
def test_the_fast_reader_is_taken_where_it_is_exact(video, name):
    with open_video(video(name)) as opened:
        fast = name == "b_frames" and not load_problem()
        assert type(opened).__name__ == ("TorchcodecReader" if fast else "PyavReader")


def test_without_torchcodec_pyav_reads_and_says_so_once(video, monkeypatch, caplog):
    monkeypatch.setattr(auto, "load_problem", lambda: "no FFmpeg")
    monkeypatch.setattr(auto, "why_not", lambda index: "it does not load here (no FFmpeg)")
    with caplog.at_level(logging.DEBUG, logger="datamodules.readers.auto"):
        for _ in range(2):
            with open_video(video("b_frames")) as opened:
                assert type(opened).__name__ == "PyavReader"
                assert mismatches(opened, RECIPES["b_frames"].first) == []
    assert [record.getMessage() for record in caplog.records] == [
        "reader=auto: pyav, as torchcodec does not load (no FFmpeg)"
    ]


def test_a_torchcodec_that_imports_without_ffmpeg_does_not_count_as_loaded(video, monkeypatch):
    package = pytest.importorskip("torchcodec")
    monkeypatch.setattr(package, "ffmpeg_major_version", None)
    load_problem.cache_clear()
    try:
        with open_video(video("b_frames")) as opened:
            assert type(opened).__name__ == "PyavReader"
        with pytest.raises(UnsupportedVideo, match=r"FFmpeg.*reader=pyav"):
            torchcodec.TorchcodecReader(video("b_frames"))
    finally:
        load_problem.cache_clear()
