"""Damage must not shift frame numbers: every index of a damaged MP4 gives its own frame or an error.

`b_frames` has 60 frames in groups of 12, in decoding order 0, 4, 2, 1, 3 ...
"""

import dataclasses
import struct

import av
import numpy as np
import pytest
import torch

from datamodules.readers import (
    DeviceDecoder,
    UnreadableVideo,
    UnsupportedVideo,
    VideoSource,
    admission,
    open_video,
)
from datamodules.readers.torchcodec import load_problem
from tests.datamodules.readers.open_readers import open_readers
from tests.datamodules.readers.videos import DAMAGES, RECIPES, damaged, number_of, packets_of, write

PARTS = {
    "first keyframe": range(1),
    "first group": range(12),
    "two groups": range(24),
    "second frame": range(1, 2),
    "middle keyframe": range(24, 25),
    "middle group": range(24, 36),
    "last frame": range(59, 60),
}
REFUSED = "refused"


def _need(reader):
    if reader == "torchcodec" and load_problem():
        pytest.skip(f"torchcodec does not load here: {load_problem()}")
    if reader == "decord":
        pytest.importorskip("decord")


def _numbers(read, count):
    """Return what comes back for every index: its number, or that it was refused."""
    found = []
    for index in range(count):
        try:
            found.append(number_of(read([index])[0]))
        except UnreadableVideo:
            found.append(REFUSED)
    return found


def _outcome(path, reader):
    """Return the number that comes back for every index, or why the file was refused."""
    try:
        with open_video(path, reader=reader) as opened:
            found = _numbers(opened.frames, opened.n_frames)
            with pytest.raises(UnreadableVideo):  # in one clip there is no way around the damage
                opened.frames(range(opened.n_frames))
    except UnreadableVideo as fault:
        return [], str(fault)
    return found, ""


def _shifted(found):
    return [(index, number) for index, number in enumerate(found) if number not in (index, REFUSED)]


@pytest.mark.parametrize("reader", ["pyav", "torchcodec", "decord"])
@pytest.mark.parametrize("kind", DAMAGES)
@pytest.mark.parametrize("part", PARTS)
def test_a_damaged_mp4_gives_right_frames_or_is_refused(video, part, kind, reader):
    _need(reader)
    path = damaged(video("b_frames"), PARTS[part], kind)
    found, refusal = _outcome(path, reader)
    if refusal:
        assert str(path) in refusal
        assert "re-encode" in refusal or "Use reader=pyav" in refusal
        assert reader in ("torchcodec", "decord") or part in ("first keyframe", "first group", "two groups")
    else:
        assert len(found) == 60
        assert _shifted(found) == []
        assert 45 <= sum(number != REFUSED for number in found) < 60
    assert open_readers() == 0


@pytest.mark.parametrize("kind", DAMAGES)
@pytest.mark.parametrize("part", PARTS)
def test_coded_clips_of_a_damaged_mp4_are_right_or_refused(video, part, kind):
    path = damaged(video("b_frames"), PARTS[part], kind)
    source = VideoSource(height=64, width=96, decode="device")
    decoder = DeviceDecoder(height=64, width=96)
    found = _numbers(lambda wanted: decoder([source.encoded(path, wanted)], torch.device("cpu"))[0], 60)
    assert _shifted(found) == []
    assert REFUSED in found


@pytest.mark.parametrize("name", ["edit_head", "faststart", "open_gop", "variable_rate"])
@pytest.mark.parametrize("part", ["first keyframe", "first group"])
def test_a_file_without_its_first_keyframe_is_refused(video, tmp_path, name, part):
    fast = dataclasses.replace(
        RECIPES["b_frames"], file="fast.mp4", container_options={"movflags": "+faststart"}
    )
    path = write(fast, tmp_path) if name == "faststart" else video(name)
    second = [number for number, packet in enumerate(packets_of(path)) if packet[2]][1]
    copy = damaged(path, range(1) if part == "first keyframe" else range(second), "zeros")
    with pytest.raises(UnreadableVideo, match=r"first keyframe is damaged: .* frames come before") as caught:
        open_video(copy)
    assert str(copy) in str(caught.value)
    assert "re-encode" in str(caught.value)


@pytest.mark.parametrize("name", ["hevc", "vp9", "matroska", "audio_first"])
@pytest.mark.parametrize("part", ["first keyframe", "first group"])
def test_other_materials_without_their_first_keyframe_shift_nothing(video, name, part):
    path = video(name)
    second = [number for number, packet in enumerate(packets_of(path)) if packet[2]][1]
    copy = damaged(path, range(1) if part == "first keyframe" else range(second), "zeros")
    found, refusal = _outcome(copy, "auto")
    assert _shifted(found) == []
    assert str(copy) in refusal if refusal else found[0] == REFUSED


def test_damage_leaves_no_trace_in_the_decoder(video):
    path = video("fragmented")
    position, size, _ = packets_of(path)[0]
    content = bytearray(path.read_bytes())
    assert position < 1728 < position + size
    content[1728:1752] = np.random.default_rng(1728).bytes(24)  # one of many, found by sliding noise
    copy = path.with_name("traces.mp4")
    copy.write_bytes(bytes(content))
    with open_video(copy, reader="pyav") as opened:
        for damaged_frame, wanted in ((0, 12), (5, 13), (0, 15), (11, 14)):
            with pytest.raises(UnreadableVideo, match=rf"frame {damaged_frame} of 60"):
                opened.frames([damaged_frame])
            assert number_of(opened.frames([wanted])[0]) == wanted


@pytest.mark.parametrize("value", [b"\x31\x41\x59\x26", struct.pack(">i", -(2**29))])
def test_a_damaged_table_of_times_is_refused(video, value):
    path = video("b_frames")
    content = bytearray(path.read_bytes())
    entry = content.index(b"ctts") + 4 + 4 + 4 + 8 * 20 + 4  # the offset of the 20th entry
    content[entry : entry + 4] = value
    copy = path.with_name("times.mp4")
    copy.write_bytes(bytes(content))
    with pytest.raises(UnreadableVideo, match=r"times\.mp4: .*table of frame times is damaged"):
        open_video(copy)


def test_times_against_the_order_of_the_pictures_are_refused(video):
    path = video("b_frames")
    content = bytearray(path.read_bytes())
    content[content.index(b"ctts") : content.index(b"ctts") + 4] = b"free"  # all frames lose their delay
    copy = path.with_name("no_delays.mp4")
    copy.write_bytes(bytes(content))
    with pytest.raises(UnreadableVideo, match=r"no_delays\.mp4: .*contradict the order of the pictures"):
        open_video(copy)


def test_names_in_other_codings_do_no_harm(video):
    path = video("b_frames")
    content = path.read_bytes().replace(b"VideoHandler", b"Vid\xe9oHandler")
    copy = path.with_name("latin.mp4")
    copy.write_bytes(content)
    with pytest.raises(UnicodeDecodeError), av.open(str(copy)):
        pass  # what would happen without care
    with open_video(copy) as opened:
        assert [number_of(frame) for frame in opened.frames([0, 30])] == [0, 30]


@pytest.mark.parametrize("reader", ["torchcodec", "decord"])
def test_readers_that_paint_over_damage_name_the_frame(video, reader, monkeypatch):
    _need(reader)
    path = damaged(video("no_b_frames"), range(30, 31), "second half")
    with pytest.raises(UnsupportedVideo, match=r"frame 30 of 60 is damaged.*Use reader=pyav"):
        open_video(path, reader=reader)
    admission._cached_damage.cache_clear()  # as in a new process: the verdict is on disk
    monkeypatch.setattr(admission, "_look_for_damage", lambda path: pytest.fail("decoded a second time"))
    with pytest.raises(UnsupportedVideo, match="frame 30 of 60 is damaged"):
        open_video(path, reader=reader)
