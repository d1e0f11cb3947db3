"""Files that begin with packets without a frame: hidden, before the first keyframe, or empty."""

import dataclasses
import shutil
import subprocess

import av
import numpy as np
import pytest
import torch

from datamodules.readers import UnreadableVideo, open_video
from datamodules.readers.container import is_end
from datamodules.readers.index.index_cache import packet_index
from datamodules.readers.slices import cut, decode_cut
from tests.datamodules.readers.videos import RECIPES, draw, mismatches, number_of, write

LONG = {
    "h264": RECIPES["long_gop"],
    "hevc": dataclasses.replace(
        RECIPES["hevc"],
        frames=90,
        codec_options={"preset": "ultrafast", "x265-params": "keyint=250:bframes=4:log-level=none"},
    ),
    "av1": dataclasses.replace(
        RECIPES["av1"], frames=90, codec_options={"preset": "8", "crf": "1", "g": "250"}
    ),
}
FFMPEG = shutil.which("ffmpeg")


def _copy(path, target, *, hidden=0, skipped=0):
    """Copy the packets behind the first `skipped` ones, the first `hidden` frames before time 0."""
    with av.open(str(path)) as source, av.open(str(target), "w") as container:
        stream = source.streams.video[0]
        copy = container.add_stream_from_template(stream, opaque=True)
        shift = round(hidden * 0.040 / stream.time_base)
        for packet in [packet for packet in source.demux(stream) if packet.size][skipped:]:
            packet.pts, packet.dts, packet.stream = packet.pts - shift, packet.dts - shift, copy
            container.mux(packet)
    return target


def _plain(path):
    """Decode a file from its start, without the empty packets that FFmpeg passes over."""
    with av.open(str(path)) as container:
        packets = [p for p in container.demux(container.streams.video[0]) if p.size or is_end(p)]
        pictures = [frame.to_ndarray(format="rgb24") for packet in packets for frame in packet.decode()]
    return torch.from_numpy(np.stack(pictures)).permute(0, 3, 1, 2)


@pytest.mark.parametrize("codec", LONG)
@pytest.mark.parametrize("hidden", [6, 40, 88])
def test_a_cut_inside_a_long_group_shows_what_ffmpeg_shows(tmp_path, codec, hidden):
    path = _copy(write(LONG[codec], tmp_path), tmp_path / "cut.mp4", hidden=hidden)
    with open_video(path) as opened:
        assert opened.n_frames == 90 - hidden
        assert torch.equal(opened.frames(range(opened.n_frames)), _plain(path))
        assert mismatches(opened, hidden) == []
    assert packet_index(path).edited


@pytest.mark.parametrize("codec", ["h264", "hevc"])
def test_a_slice_of_such_a_cut_shows_the_same(tmp_path, codec):
    path = _copy(write(LONG[codec], tmp_path), tmp_path / "cut.mp4", hidden=40)
    clip = cut(path, [0, 1, 30])
    assert [number_of(f) for f in decode_cut(clip, size=(64, 96))] == [40, 41, 70]


def test_a_file_whose_edit_list_hides_everything_is_refused(tmp_path):
    path = _copy(write(LONG["h264"], tmp_path), tmp_path / "cut.mp4", hidden=95)
    with pytest.raises(UnreadableVideo, match=r"cut\.mp4"):
        open_video(path)


def test_a_stream_may_begin_long_before_its_first_keyframe(tmp_path):
    options = {"preset": "ultrafast", "x264-params": "keyint=45:min-keyint=45:bframes=0:scenecut=0"}
    recipe = dataclasses.replace(RECIPES["long_gop"], file="whole.ts", codec_options=options)
    whole = write(recipe, tmp_path)
    with open_video(_copy(whole, tmp_path / "cut.ts", skipped=5)) as opened:
        assert opened.n_frames == 45
        assert mismatches(opened, 45) == []
    keyless = tmp_path / "keyless.ts"
    content = _copy(write(LONG["h264"], tmp_path), tmp_path / "all.ts").read_bytes()
    keyless.write_bytes(content[len(content) // 188 // 2 * 188 :])
    with pytest.raises(UnreadableVideo, match="no frame of it can be decoded"):
        open_video(keyless)


def test_empty_packets_show_no_frame_of_their_own(tmp_path):
    path, empty = tmp_path / "empty.nut", (0, 5, 6, 19)
    with av.open(str(path), "w") as container:
        stream = container.add_stream("mjpeg", rate=25, options={"qscale": "3"})
        stream.height, stream.width, stream.pix_fmt = 64, 96, "yuvj420p"
        for number in range(20):
            frame = av.VideoFrame.from_ndarray(draw(number), format="rgb24")
            frame.pts = number
            for packet in stream.encode(frame):
                blank = av.Packet(b"")
                blank.pts, blank.dts, blank.time_base = packet.pts, packet.dts, packet.time_base
                blank.stream = stream
                container.mux(blank if number in empty else packet)
    with open_video(path) as opened:
        kept = [number for number in range(20) if number not in empty]
        assert [number_of(frame) for frame in opened.frames(range(opened.n_frames))] == kept


@pytest.mark.skipif(FFMPEG is None, reason="needs the program ffmpeg, with libtheora")
def test_theora_that_repeats_pictures_shows_what_ffmpeg_shows(tmp_path):
    source, path = tmp_path / "source.mkv", tmp_path / "repeats.ogv"
    recipe = dataclasses.replace(RECIPES["no_b_frames"], file=source.name, ticks=lambda n: 120 * n)
    command = [FFMPEG, "-v", "error", "-i", write(recipe, tmp_path), "-r", "25", "-c:v", "libtheora", path]
    if subprocess.run([*map(str, command)], capture_output=True, check=False).returncode:
        pytest.skip("this ffmpeg has no libtheora")
    with av.open(str(path)) as container:
        assert sum(p.size == 0 and not is_end(p) for p in container.demux(video=0)) > 20
    plain = _plain(path)
    with open_video(path) as opened:
        assert torch.equal(opened.frames(range(opened.n_frames)), plain)
        for wanted in ([40, 3, 59], [opened.n_frames - 1], [17]):
            assert torch.equal(opened.frames(wanted), plain[wanted])
