"""What the decoder itself reports names the recording, and changes midway are read rightly or refused."""

import dataclasses
import logging
from fractions import Fraction

import av
import numpy as np
import pytest

from datamodules.readers import UnreadableVideo, UnsupportedVideo, open_video, pyav
from datamodules.readers.index import scan
from datamodules.readers.index.index_cache import packet_index
from datamodules.readers.stream import FrameStream
from tests.datamodules.readers.videos import RECIPES, draw, mismatches, number_of, packets_of, write

HASHED = "keyint=12:hash=1:log-level=none"


def _flipped(path, *, packet, at):
    """Copy a video with one byte of a packet turned over."""
    content = bytearray(path.read_bytes())
    position, size, _ = packets_of(path)[packet]
    content[position + int(at * size)] ^= 0xFF
    copy = path.with_name(f"flipped_{packet}_{path.name}")
    copy.write_bytes(bytes(content))
    return copy


def _wmv(path, *, rubbish=0, hit=None):
    """Write WMV2; zeros may follow each packet, as a coder might pad them, and one may have a wrong bit."""
    ground = np.kron(np.random.default_rng(0).integers(0, 255, (16, 24, 1)), np.ones((4, 4, 3))).astype(
        np.uint8
    )
    with av.open(str(path), "w") as container:
        stream = container.add_stream("wmv2", rate=25, options={"g": "12", "b": "400k"})
        stream.height, stream.width, stream.pix_fmt = 64, 96, "yuv420p"
        for number in range(40):
            picture = draw(number) if hit is None else np.roll(ground, 3 * number, axis=1)
            for packet in stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")):
                content = bytearray(packet) + bytes(rubbish)
                if number == hit:
                    content[len(content) // 2] ^= 0x10
                longer = av.Packet(bytes(content))
                longer.pts, longer.dts, longer.time_base = packet.pts, packet.dts, packet.time_base
                longer.is_keyframe, longer.stream = packet.is_keyframe, stream
                container.mux(longer)
        container.mux(stream.encode(None))
    return path


def test_a_checksum_within_hevc_is_compared(tmp_path):
    options = {"preset": "ultrafast", "x265-params": HASHED}
    whole = write(dataclasses.replace(RECIPES["hevc"], codec_options=options, frames=24), tmp_path)
    with open_video(whole) as opened:
        assert mismatches(opened, 0) == []
    refused = 0
    for packet in range(3, 9):
        with open_video(_flipped(whole, packet=packet, at=0.7)) as opened:
            for index in range(opened.n_frames):
                try:
                    assert number_of(opened.frames([index])[0]) == index
                except UnreadableVideo:
                    refused += 1
    assert refused >= 6


def test_data_left_over_in_wmv_is_damage(tmp_path, monkeypatch):
    with open_video(_wmv(tmp_path / "whole.wmv")) as opened:
        assert mismatches(opened, 0) == []
    silent = {True: 0, False: 0}
    for packet in range(4, 24):
        path = _wmv(tmp_path / f"hit{packet}.wmv", hit=packet)
        for asked in silent:
            with monkeypatch.context() as patch:
                patch.setattr(scan, "_UNSTUFFED", scan._UNSTUFFED if asked else set())
                try:
                    scan.scan(path)
                except UnreadableVideo:
                    continue
                silent[asked] += 1
    assert silent[True] <= silent[False] - 4, silent  # one wrong bit each; no codec notices all


def test_data_left_over_in_every_picture_is_a_habit(tmp_path):
    with open_video(_wmv(tmp_path / "padded.wmv", rubbish=40)) as opened:
        assert mismatches(opened, 0) == []


def test_a_recording_with_a_damaged_frame_is_named_once(tmp_path, caplog, video):
    damaged = _flipped(video("mjpeg_avi"), packet=20, at=0.5)
    pyav._tell_damage.cache_clear()
    with caplog.at_level(logging.WARNING), open_video(damaged) as opened:
        for _ in range(2):
            with pytest.raises(UnreadableVideo, match="frame 20 of 60 cannot be decoded"):
                opened.frames([20])
        assert number_of(opened.frames([21])[0]) == 21
    (record,) = caplog.records
    assert f"{damaged}: damaged at frame 20" in record.getMessage()
    assert "mjpeg does not notice all damage" in record.getMessage()


def test_pictures_of_webcams_may_have_short_markers_and_no_end(tmp_path):
    """MJPEG of webcams: a comment, an application marker too short for its name, bytes behind the end."""
    path = tmp_path / "webcam.avi"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("mjpeg", rate=25, options={"qscale": "3"})
        stream.height, stream.width, stream.pix_fmt = 64, 96, "yuvj420p"
        for number in range(20):
            for packet in stream.encode(av.VideoFrame.from_ndarray(draw(number), format="rgb24")):
                picture = bytes(packet)
                odd = b"\xff\xd8\xff\xe1\0\4\0\0\xff\xe0\0\2\xff\xfe\0\4ab" + picture[2:]
                longer = av.Packet(odd + b"\0" * 7 if number % 2 else odd[:-2])
                longer.pts, longer.dts, longer.time_base = packet.pts, packet.dts, packet.time_base
                longer.is_keyframe, longer.stream = True, stream
                container.mux(longer)
        container.mux(stream.encode(None))
    with open_video(path) as opened:
        assert [number_of(frame) for frame in opened.frames(range(20))] == list(range(20))


def _pieces(path, sizes, coder="libvpx"):
    """Write one stream whose pictures change their size, as a call does when the line gets worse."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream(coder, rate=25)
        stream.height, stream.width, stream.pix_fmt = *sizes[0], "yuv420p"
        number = 0
        for height, width in sizes:
            one = av.CodecContext.create(coder, "w")
            one.height, one.width, one.pix_fmt = height, width, "yuv420p"
            one.time_base, one.framerate = Fraction(1, 25), Fraction(25)
            one.options = {"deadline": "realtime", "cpu-used": "8", "b": "1M"}
            pictures = [draw(number + place, height, width) for place in range(10)]
            frames = [av.VideoFrame.from_ndarray(picture, format="rgb24") for picture in pictures]
            for packet in [packet for frame in (*frames, None) for packet in one.encode(frame)]:
                packet.pts = packet.dts = number
                packet.time_base, packet.stream = Fraction(1, 25), stream
                container.mux(packet)
                number += 1
    return path


def test_a_call_whose_size_changes_is_read_at_one_size(tmp_path):
    path = _pieces(tmp_path / "call.webm", [(64, 96), (32, 48), (64, 96)])
    with open_video(path) as opened:
        assert (opened.n_frames, opened.height, opened.width) == (30, 64, 96)
        assert [number_of(frame) for frame in opened.frames(range(30))] == list(range(30))
        assert opened.frames([5, 15], size=(40, 60)).shape == (2, 3, 40, 60)
        whole = opened.frames(range(30)).permute(0, 2, 3, 1).numpy()
    assert np.array_equal(np.stack(list(FrameStream(path))), whole)


@pytest.mark.parametrize(("recipe", "head"), [("b_frames", b"\6"), ("hevc", b"\x4e\1")])
@pytest.mark.parametrize(("angles", "refused"), [((0, 90), True), ((90, 0), True), ((90, 90), False)])
def test_a_camera_turned_while_it_runs_is_refused(tmp_path, video, recipe, head, angles, refused):
    """The angle of the display may stand in a message before a picture (SEI 47), mostly of keyframes only."""
    path = tmp_path / "turned.mp4"
    with av.open(str(video(recipe))) as source, av.open(str(path), "w") as target:
        stream = source.streams.video[0]
        copy = target.add_stream_from_template(stream, opaque=True)
        for number, packet in enumerate(packet for packet in source.demux(stream) if packet.size):
            if packet.is_keyframe:
                angle = angles[number >= 24] * 65536 // 360
                bits = f"{angle:019b}" + "00101"  # neither cancelled nor mirrored
                unit = head + b"\x2f\3" + int(bits, 2).to_bytes(3, "big") + b"\x80"
                longer = av.Packet(len(unit).to_bytes(4, "big") + unit + bytes(packet))
                longer.pts, longer.dts, longer.time_base = packet.pts, packet.dts, packet.time_base
                longer.is_keyframe, packet = True, longer
            packet.stream = copy
            target.mux(packet)
    if refused:
        with pytest.raises(
            UnsupportedVideo, match=r"from packet (24|35) on it is displayed at another angle"
        ):
            packet_index(path)
    else:
        assert packet_index(path).rotation == 90


def test_two_mp4_put_together_are_named_and_repeated_tables_are_not(tmp_path, video):
    first, pieces = video("b_frames").read_bytes(), video("fragmented").read_bytes()
    both = tmp_path / "both.mp4"
    other = video("no_b_frames").read_bytes()
    cut = other[: other.index(b"moov") - 4]  # its table is lost
    for content in (first + first, first + other, first + cut, pieces + pieces, pieces + first):
        both.write_bytes(content)
        with pytest.raises(UnreadableVideo, match=r"both\.mp4.*a second recording"):
            packet_index(both)
        both.unlink()
    table = pieces.index(b"moof") - 4
    following = pieces.index(b"moof", table + 8) - 4
    # Downloaders of streams repeat the table.
    both.write_bytes(pieces[:following] + pieces[:table] + pieces[following:])
    with open_video(both) as opened:
        assert mismatches(opened, 0) == []


def test_two_avi_put_together_are_named(tmp_path, video):
    both = tmp_path / "both.avi"
    both.write_bytes(video("mjpeg_avi").read_bytes() + video("mjpeg_avi").read_bytes())
    with pytest.raises(UnreadableVideo, match=r"both\.avi.*a second recording"):
        packet_index(both)


@pytest.mark.parametrize("suffix", ["mp4", "mkv"])
def test_a_file_cut_at_an_open_group_starts_at_its_keyframe(tmp_path, video, suffix):
    cut = tmp_path / f"cut.{suffix}"
    with av.open(str(video("open_gop"))) as source, av.open(str(cut), "w") as target:
        stream = source.streams.video[0]
        copy = target.add_stream_from_template(stream, opaque=True)
        keys = 0
        for packet in source.demux(stream):
            keys += packet.is_keyframe
            if packet.size and keys >= 3:
                packet.stream = copy
                target.mux(packet)
    with open_video(cut) as opened:
        assert mismatches(opened, 24) == []
    assert packet_index(cut).remarks == ()
