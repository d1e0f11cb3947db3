"""What is missing in a file is told, by the times, by the numbers of pictures and by those of packets."""

import dataclasses
import logging

import av
import numpy as np
import pytest

from datamodules.readers.index import index_cache
from datamodules.readers.index.index_cache import packet_index
from datamodules.readers.index.transport_stream import losses
from tests.datamodules.readers.fields import write_fields
from tests.datamodules.readers.videos import RECIPES, draw, write


def _x264(**options):
    merged = {"scenecut": 0, "keyint": 30, "min-keyint": 30, "b-adapt": 0, "bframes": 2, **options}
    return {"preset": "ultrafast", "x264-params": ":".join(f"{k}={v}" for k, v in merged.items())}


def _without(source, target, lost, *, irregular=False):
    """Copy a video without some packets; irregular times hide the gap, as in recordings of browsers."""
    with av.open(str(source)) as whole, av.open(str(target), "w") as copy:
        stream = whole.streams.video[0]
        out = copy.add_stream_from_template(stream, opaque=True)
        for number, packet in enumerate(whole.demux(stream)):
            if not packet.size or number in lost:
                continue
            if irregular:
                shift = round(0.012 / packet.time_base)
                packet.pts = 4 * packet.pts + shift * (packet.pts * packet.time_base * 25 % 3).__floor__()
                packet.dts = 4 * packet.dts
            packet.stream = out
            copy.mux(packet)
    return target


def _old(path, coder, **options):
    """Write MPEG-1, 2 or 4, whose coders know no milliseconds."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream(coder, rate=25, options={"g": "12", "bf": "2", "b": "2M", **options})
        stream.height, stream.width, stream.pix_fmt = 64, 96, "yuv420p"
        for number in range(40):
            container.mux(stream.encode(av.VideoFrame.from_ndarray(draw(number), format="rgb24")))
        container.mux(stream.encode(None))
    return path


@pytest.mark.parametrize("suffix", ["mp4", "mkv"])
def test_a_lost_picture_shows_in_the_numbers_where_times_are_irregular(tmp_path, suffix):
    recipe = dataclasses.replace(RECIPES["b_frames"], file=f"whole.{suffix}", codec_options=_x264(bframes=0))
    whole = write(recipe, tmp_path)
    right = _without(whole, tmp_path / f"right.{suffix}", (), irregular=True)
    assert packet_index(right).remarks == ()
    lost = _without(whole, tmp_path / f"lost.{suffix}", (20, 21), irregular=True)
    (remark,) = packet_index(lost).remarks
    assert "pictures are missing in 1 places, the first before coded picture 20" in remark
    begins = _without(whole, tmp_path / f"begins.{suffix}", range(30))  # the next keyframe begins anew
    assert packet_index(begins).remarks == ()


@pytest.mark.parametrize(
    "options",
    [
        {"bframes": 7, "b-pyramid": "normal"},
        {"bframes": 5, "b-pyramid": "strict"},
        {"open-gop": 1, "bframes": 4},
        {"intra-refresh": 1, "bframes": 0},
        {"keyint": "infinite", "ref": 16},
        {"tff": 1},
        {"slices": 4},
    ],
)
def test_no_coder_of_h264_seems_to_lose_pictures(tmp_path, options):
    path = write(dataclasses.replace(RECIPES["mpeg_ts"], codec_options=_x264(**options)), tmp_path)
    assert packet_index(path).remarks == ()


@pytest.mark.parametrize("suffix", ["ts", "mkv", "mp4"])
def test_the_second_field_repeats_the_number(tmp_path, suffix):
    assert packet_index(write_fields(tmp_path / f"fields.{suffix}", frames=12)).remarks == ()


@pytest.mark.parametrize(
    ("coder", "suffix"),
    [("mpeg2video", "ts"), ("mpeg1video", "mpg"), ("mpeg2video", "mp4"), ("mpeg4", "avi")],
)
@pytest.mark.parametrize("lost", [(9, 10), (12, 13), (13, 14), (25, 26)])
def test_lost_pictures_of_older_codecs_are_told(tmp_path, coder, suffix, lost):
    whole = _old(tmp_path / f"whole.{suffix}", coder)
    assert packet_index(whole).remarks == ()
    told = packet_index(_without(whole, tmp_path / f"lost.{suffix}", lost)).remarks
    assert told
    if coder != "mpeg4":  # by the places in the group
        assert any("pictures are missing" in remark for remark in told) or lost == (25, 26)


@pytest.mark.parametrize(
    "options",
    [{"bf": "0"}, {"flags": "+cgop", "sc_threshold": "1000000000"}, {"flags": "+ildct+ilme"}, {"g": "300"}],
)
def test_no_coder_of_mpeg2_seems_to_lose_pictures(tmp_path, options):
    assert packet_index(_old(tmp_path / "whole.ts", "mpeg2video", **options)).remarks == ()


def test_leading_pictures_that_an_editor_cut_off_are_not_missed(tmp_path):
    whole = _old(tmp_path / "whole.ts", "mpeg2video")
    times = [packet.pts for packet in _packets(whole)]
    keys = [number for number, packet in enumerate(_packets(whole)) if packet.is_keyframe]
    leading = [number for number in range(keys[1], keys[2]) if times[number] < times[keys[1]]]
    assert leading
    cut = _without(whole, tmp_path / "cut.ts", {*range(keys[1]), *leading})
    assert not any("pictures are missing" in remark for remark in packet_index(cut).remarks)


def _packets(path):
    with av.open(str(path)) as container:
        return [packet for packet in container.demux(container.streams.video[0]) if packet.size]


def _with_packets(path, change):
    """Copy a transport stream whose packets of the video are changed."""
    rows = np.frombuffer(path.read_bytes(), np.uint8).reshape(-1, 188)
    pids = (rows[:, 1].astype(int) & 31) << 8 | rows[:, 2]
    copy = path.with_name(f"changed_{path.name}")
    copy.write_bytes(change(rows.copy(), np.flatnonzero(pids == 256)).tobytes())
    return copy


def test_packets_that_are_missing_in_a_transport_stream_are_told(tmp_path):
    whole = _old(tmp_path / "whole.ts", "mpeg2video")
    assert packet_index(whole).remarks == ()

    def only_the_last_of_a_picture(rows, video):
        begins = video[rows[video, 1] & 0x40 > 0]
        return np.delete(rows, begins[20] - 1, axis=0)

    lost = _with_packets(whole, only_the_last_of_a_picture)
    try:
        told = " ".join(packet_index(lost).remarks)
    except index_cache.UnreadableVideo as fault:
        told = str(fault)
    assert "packets are missing in 1 places" in told or "is damaged at packet" in told


def test_a_repeated_packet_and_one_without_payload_are_none_missing(tmp_path):
    whole = _old(tmp_path / "whole.ts", "mpeg2video")
    twice = _with_packets(whole, lambda rows, video: np.insert(rows, video[30], rows[video[30]], axis=0))
    assert losses(twice, 256) == ""
    empty = np.full(188, 0xFF, np.uint8)
    empty[:6] = (0x47, 0x01, 0x00, 0x20, 183, 0)  # an adaptation field, no payload: the counter stands still
    paused = _with_packets(whole, lambda rows, video: np.insert(rows, video[30], empty, axis=0))
    assert losses(paused, 256) == ""
    lost = _with_packets(whole, lambda rows, video: np.delete(rows, video[30:33], axis=0))
    assert "in 1 places" in losses(lost, 256)
    hole = whole.with_name("hole.ts")
    content = whole.read_bytes()
    hole.write_bytes(content[:10_000] + content[10_100:])
    assert "in 1 places" in losses(hole, 256)
    hole.write_bytes(content + bytes(3000))  # a recorder that reserves room
    assert losses(hole, 256) == ""
    for stamps in (192, 204):  # of camcorders, and with error correction
        wide = np.zeros((len(content) // 188, stamps), np.uint8)
        wide[:, stamps - 188 if stamps == 192 else 0 :][:, :188] = np.frombuffer(content, np.uint8).reshape(
            -1, 188
        )
        hole.write_bytes(wide.tobytes())
        assert losses(hole, 256) == ""
        hole.write_bytes(np.delete(wide, range(40, 60), axis=0).tobytes())
        assert losses(hole, 256)


def test_what_speaks_against_a_file_is_told_by_every_process(tmp_path, caplog):
    whole = write(dataclasses.replace(RECIPES["b_frames"], codec_options=_x264(bframes=0)), tmp_path)
    lost = _without(whole, tmp_path / "lost.mp4", (20, 21))
    first = packet_index(lost)
    assert len(first.remarks) == 2  # the gap and the numbers
    index_cache._cached_index.cache_clear()  # as in another process
    caplog.clear()
    with caplog.at_level(logging.WARNING):
        again = packet_index(lost)
    assert again.remarks == first.remarks
    assert [record.getMessage() for record in caplog.records] == [f"{lost}: {text}" for text in first.remarks]
