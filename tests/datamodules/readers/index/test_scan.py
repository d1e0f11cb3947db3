"""Whole files open and count right, whatever else is in them; what is cut is refused."""

import dataclasses
import logging
from fractions import Fraction

import av
import numpy as np
import pytest

from datamodules.readers import UnreadableVideo, UnsupportedVideo, open_video
from datamodules.readers.index.index_cache import packet_index
from tests.datamodules.readers.fields import gray, write_fields
from tests.datamodules.readers.videos import RECIPES, draw, mismatches, number_of, write

LIVE = {
    "vp8.webm": ("libvpx", {"deadline": "realtime", "cpu-used": "8", "g": "10"}, {"live": "1"}),
    "vp9.webm": ("libvpx-vp9", {"deadline": "realtime", "cpu-used": "8"}, {}),
    "h264.mkv": ("libx264", {"preset": "ultrafast", "bf": "2"}, {}),
    "h264.mp4": ("libx264", {"preset": "ultrafast"}, {"movflags": "frag_keyframe+empty_moov"}),
}


def _with_sound(path, *, frames=20, begins=0.0, ends=6.0):
    """Write a video whose sound begins and ends elsewhere; big packets of it follow the last picture."""
    coder, options, container_options = LIVE[path.name]
    sound = "libopus" if path.suffix == ".webm" else "aac"
    rng = np.random.default_rng(0)
    with av.open(str(path), "w", options=container_options) as container:
        stream = container.add_stream(coder, rate=25, options=options)
        stream.height, stream.width, stream.pix_fmt = 64, 96, "yuv420p"
        audio = container.add_stream(sound, rate=48000, layout="mono")
        for number in range(frames):
            frame = av.VideoFrame.from_ndarray(draw(number), format="rgb24")
            frame.pts = number
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
        for block in range(int(begins * 48000) // 1024, int(ends * 48000) // 1024):
            noise = rng.normal(0, 0.1, (1, 1024)).astype(np.float32)
            frame = av.AudioFrame.from_ndarray(noise, format="fltp", layout="mono")
            frame.sample_rate, frame.pts = 48000, 1024 * block
            container.mux(audio.encode(frame))
        container.mux(audio.encode(None))
    return path


@pytest.mark.parametrize(("begins", "ends"), [(0.0, 6.0), (0.5, 3.0)])
@pytest.mark.parametrize("name", LIVE)
def test_the_sound_may_go_on_when_the_camera_is_off(tmp_path, name, begins, ends):
    path = _with_sound(tmp_path / name, begins=begins, ends=ends)
    with open_video(path) as opened:
        assert opened.n_frames == 20
        assert mismatches(opened, 0) == []


@pytest.mark.parametrize("name", LIVE)
def test_a_cut_anywhere_is_refused_or_shows_what_is_left(tmp_path, name):
    path = _with_sound(tmp_path / name, ends=1.0)
    content, cut = path.read_bytes(), tmp_path / f"cut{path.suffix}"
    opened_at = []
    for place in np.random.default_rng(0).integers(100, len(content) - 1, 40):
        cut.write_bytes(content[:place])
        try:
            with open_video(cut) as opened:
                opened_at.append(place)
                assert [number_of(f) for f in opened.frames(range(opened.n_frames))] == list(
                    range(opened.n_frames)
                )
        except UnreadableVideo:
            continue
    assert len(opened_at) <= 1  # only where the file happens to end between two of its elements


@pytest.mark.parametrize("suffix", ["mkv", "webm", "mp4"])
def test_a_last_picture_held_for_seconds_is_whole(tmp_path, suffix):
    coder = "libvpx-vp9" if suffix == "webm" else "libx264"
    recipe = dataclasses.replace(
        RECIPES["vp9" if suffix == "webm" else "no_b_frames"], file=f"whole.{suffix}", codec=coder, frames=20
    )
    held = tmp_path / f"held.{suffix}"
    with av.open(str(write(recipe, tmp_path))) as source, av.open(str(held), "w") as target:
        stream = source.streams.video[0]
        copy = target.add_stream_from_template(stream)
        packets = [packet for packet in source.demux(stream) if packet.size]
        packets[-1].duration = round(3 / stream.time_base)
        for packet in packets:
            packet.stream = copy
            target.mux(packet)
    with open_video(held) as opened:
        assert opened.n_frames == 20
        assert mismatches(opened, 0) == []


@pytest.mark.parametrize("coder", ["mpeg4", "libx264", "mjpeg"])
def test_an_avi_counts_its_pictures_and_not_the_dropped_ones(tmp_path, coder, caplog):
    path = tmp_path / "dropped.avi"
    kept = [number for number in range(50) if number % 7 != 3][:-1]
    with av.open(str(path), "w") as container:
        stream = container.add_stream(coder, rate=25, options={"qscale": "3", "bf": "0"})
        stream.height, stream.width = 64, 96
        stream.pix_fmt = "yuvj420p" if coder == "mjpeg" else "yuv420p"
        for number in kept:
            frame = av.VideoFrame.from_ndarray(draw(number), format="rgb24")
            frame.pts = number
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    with caplog.at_level(logging.WARNING), open_video(path) as opened:
        assert opened.n_frames == len(kept)
        assert [number_of(frame) for frame in opened.frames(range(len(kept)))] == kept
        assert opened.fps == pytest.approx((len(kept) - 1) / ((kept[-1] - kept[0]) / 25))
    cut = tmp_path / "cut.avi"
    cut.write_bytes(path.read_bytes()[: path.stat().st_size * 9 // 10])
    with pytest.raises(UnreadableVideo, match="of the 49 frames its header lists"):
        open_video(cut)


@pytest.mark.parametrize("suffix", ["ts", "mkv", "mp4"])
def test_two_fields_are_one_frame(tmp_path, suffix):
    path = write_fields(tmp_path / f"fields.{suffix}", frames=12)
    with open_video(path) as opened:
        assert opened.n_frames == 12
        assert opened.fps == pytest.approx(25, rel=1e-3)
        for wanted in (list(range(12)), [11], [7, 2, 2], [5]):
            levels = opened.frames(wanted).float().mean(dim=(1, 2, 3))
            expected = [(gray(number) - 16) * 255 / 219 for number in wanted]  # limited range
            assert levels.tolist() == pytest.approx(expected, abs=2)


def test_fields_of_hevc_are_refused(tmp_path):
    options = {"preset": "ultrafast", "x265-params": "interlace=1:log-level=none"}
    path = write(dataclasses.replace(RECIPES["hevc"], codec_options=options, frames=6), tmp_path)
    with pytest.raises(UnsupportedVideo, match=r"one field.*Re-encode"):
        open_video(path)


@pytest.mark.parametrize(("codec", "flags"), [("mpeg2video", {"flags": "+ildct+ilme"}), ("libx264", {})])
def test_interlaced_frames_count_once(tmp_path, codec, flags):
    options = {"x264-params": "tff=1:keyint=12:bframes=2"} if codec == "libx264" else flags | {"bf": "2"}
    with av.open(str(tmp_path / "i.ts"), "w") as container:
        stream = container.add_stream(codec, rate=25, options=options | {"b": "2M"})
        stream.height, stream.width, stream.pix_fmt = 64, 96, "yuv420p"
        for number in range(20):
            container.mux(stream.encode(av.VideoFrame.from_ndarray(draw(number), format="rgb24")))
        container.mux(stream.encode(None))
    with open_video(tmp_path / "i.ts") as opened:
        assert opened.n_frames == 20
        assert mismatches(opened, 0) == []


def test_lost_packets_are_told_by_their_gap(tmp_path, caplog, video):
    path = tmp_path / "lost.webm"
    with av.open(str(video("vp9"))) as source, av.open(str(path), "w") as target:
        copy = target.add_stream_from_template(source.streams.video[0])
        for number, packet in enumerate(source.demux(source.streams.video[0])):
            if packet.size and number not in (30, 31):
                packet.stream = copy
                target.mux(packet)
    with caplog.at_level(logging.WARNING):
        assert packet_index(path).n_frames == 58
        assert packet_index(video("b_frames")).n_frames == 60
    (record,) = caplog.records
    assert "lost.webm" in record.getMessage()
    assert "gaps in 1 places, the first behind frame 29 (0.120 s)" in record.getMessage()


@pytest.mark.parametrize(
    "text", ["ffconcat version 1.0\nfile 'b_frames.mp4'\n", "#EXTM3U\n#EXTINF:4,\nb_frames.mp4\n"]
)
def test_playlists_are_no_videos(video, text):
    path = video("b_frames").with_name("list.m3u8")
    path.write_text(text)
    with pytest.raises(UnreadableVideo, match=r"list\.m3u8: cannot be read"):
        open_video(path)


@pytest.mark.parametrize("reader", ["decord", "torchcodec"])
def test_intra_refresh_is_left_to_pyav(tmp_path, reader):
    options = {"preset": "ultrafast", "x264-params": "intra-refresh=1:keyint=12:bframes=0:scenecut=0"}
    path = write(dataclasses.replace(RECIPES["b_frames"], codec_options=options), tmp_path)
    assert packet_index(path).refresh
    with pytest.raises(UnsupportedVideo, match=r"Use reader=pyav"):
        open_video(path, reader=reader)
    with open_video(path) as opened:
        assert mismatches(opened, 0) == []


@pytest.mark.parametrize(("shape", "told"), [(Fraction(12, 11), True), (Fraction(1), False)])
def test_pixels_that_are_not_square_are_told(tmp_path, caplog, shape, told):
    path = tmp_path / "camera.mp4"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=25)
        stream.height, stream.width, stream.pix_fmt = 64, 96, "yuv420p"
        stream.codec_context.sample_aspect_ratio = shape
        for number in range(5):
            container.mux(stream.encode(av.VideoFrame.from_ndarray(draw(number), format="rgb24")))
        container.mux(stream.encode(None))
    with caplog.at_level(logging.WARNING):
        remarks = packet_index(path).remarks
    assert any("not square, 12 to 11" in remark for remark in remarks) == told
    assert ("setsar=1" in caplog.text) == told
