"""Damaged material: right frames or an error that names the file and a remedy, never a wrong frame."""

import dataclasses

import av
import numpy as np
import pytest

from datamodules.readers import UnreadableVideo, UnsupportedVideo, open_video
from tests.datamodules.readers.open_readers import open_readers
from tests.datamodules.readers.videos import RECIPES, noise, number_of, truncated, write

READERS = ("pyav", "auto")


def _refused(path, reader, reason):
    with pytest.raises(UnreadableVideo, match=reason) as caught:
        open_video(path, reader=reader)
    assert str(path) in str(caught.value)
    assert open_readers() == 0
    return str(caught.value)


@pytest.mark.parametrize("reader", READERS)
@pytest.mark.parametrize("name", ["b_frames", "long_gop"])
def test_noise_in_an_mp4_gives_right_frames_or_errors(video, name, reader):
    path = noise(video(name), at=0.5)
    found = []
    with open_video(path, reader=reader) as opened:
        for index in range(opened.n_frames):
            try:
                found.append(number_of(opened.frames([index])[0]))
            except UnreadableVideo:
                found.append("refused")
    right = [number for index, number in enumerate(found) if number == index]
    wrong = [number for index, number in enumerate(found) if number not in (index, "refused")]
    assert len(right) >= 20
    assert "refused" in found
    assert wrong == []
    assert open_readers() == 0


def test_a_clip_beyond_the_damage_is_right(video):
    with open_video(noise(video("b_frames"), at=0.5), reader="pyav") as opened:
        with pytest.raises(UnreadableVideo, match=r"frame \d+ of 60 cannot be decoded"):
            opened.frames(range(60))
        assert [number_of(frame) for frame in opened.frames([0, 5, 55, 59])] == [0, 5, 55, 59]


@pytest.mark.parametrize("reader", READERS)
@pytest.mark.parametrize(
    ("name", "at", "reason"),
    [
        ("matroska", 0.5, "cut off or damaged at byte|differ from their checksum"),
        ("fragmented", 0.5, "is damaged at byte"),
        ("mpeg_ts", 0.5, "is damaged at packet"),
        ("xvid_avi", 0.5, "of the 60 frames"),
    ],
)
def test_noise_that_moves_frame_numbers_is_refused(video, name, at, reason, reader):
    told = _refused(noise(video(name), at=at), reader, reason)
    assert "re-encode" in told
    assert "joined" not in told


def test_streams_that_were_joined_end_to_end_are_told_as_such(video, tmp_path):
    both = tmp_path / "both.ts"
    both.write_bytes(2 * video("mpeg_ts").read_bytes())
    told = _refused(both, "pyav", "packet 88 of 180, where its clock starts again, as in .* joined end")
    assert "ffmpeg -f concat" in told


@pytest.mark.parametrize("reader", READERS)
def test_a_truncated_mp4_is_refused(video, tmp_path, reader):
    _refused(truncated(video("b_frames"), keep=0.6), reader, "cannot be read as a video")  # its table is gone
    fast = dataclasses.replace(
        RECIPES["b_frames"], file="fast.mp4", container_options={"movflags": "+faststart"}
    )
    cut = truncated(write(fast, tmp_path), keep=0.6)
    assert "Copy the file again" in _refused(cut, reader, r"truncated: it holds \d+ of the 60 frames")


def test_a_stream_that_ends_early_is_read_as_far_as_it_goes(video):
    with open_video(truncated(video("mpeg_ts"), keep=0.6), reader="auto") as opened:
        assert 40 < opened.n_frames < 60
        assert [number_of(frame) for frame in opened.frames(range(0, 40, 4))] == list(range(0, 40, 4))


def test_a_stream_that_begins_between_keyframes_starts_at_the_first_one(video):
    path = video("mpeg_ts")
    later = path.with_name("later.ts")
    content = path.read_bytes()
    later.write_bytes(
        content[: 3 * 188] + content[188 * (len(content) // 188 // 5) :]
    )  # tables, then the rest
    with open_video(later, reader="pyav") as opened:
        first = number_of(opened.frames([0])[0])
        assert first > 0
        assert first % 12 == 0
        numbers = [number_of(frame) for frame in opened.frames(range(opened.n_frames))]
        assert numbers == list(range(first, 90))


@pytest.mark.parametrize("reader", [*READERS, "decord", "torchcodec"])
def test_what_is_no_video_is_refused(tmp_path, reader):
    empty, text, notes = (tmp_path / name for name in ("empty.mp4", "text.mp4", "notes.txt"))
    empty.touch()
    for file in (text, notes):
        file.write_text("Dear colleague, here is the recording.\n" * 50)
    audio = tmp_path / "audio.mp4"
    with av.open(str(audio), "w") as container:
        stream = container.add_stream("aac", rate=16000, layout="mono")
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 1024), np.float32), format="fltp", layout="mono")
        frame.sample_rate = 16000
        container.mux([*stream.encode(frame), *stream.encode(None)])
    assert "remove its row" in _refused(empty, reader, "empty, 0 bytes")
    _refused(text, reader, "cannot be read as a video")
    _refused(notes, reader, "cannot be read as a video")
    _refused(audio, reader, "no video stream")
    _refused(tmp_path / "nowhere.mp4", reader, "Correct the path in the manifest")
    _refused(tmp_path, reader, "is not a file")


def test_mirrored_and_tilted_display_is_refused(tmp_path):
    mirrored = dataclasses.replace(RECIPES["b_frames"], file="mirrored.mp4", mirrored=True)
    with pytest.raises(UnsupportedVideo, match=r"mirrored\.mp4: is displayed mirrored. Re-encode"):
        open_video(write(mirrored, tmp_path))
    tilted = dataclasses.replace(RECIPES["b_frames"], file="tilted.mp4", rotation=45)
    with pytest.raises(UnsupportedVideo, match="angle of 45"):
        open_video(write(tilted, tmp_path))


def test_a_picture_that_changes_its_size_is_refused(video, tmp_path):
    small = write(dataclasses.replace(RECIPES["mpeg_ts"], file="a.ts", size=(128, 192)), tmp_path)
    both = tmp_path / "both.ts"
    both.write_bytes(video("mpeg_ts").read_bytes() + small.read_bytes())
    with pytest.raises(UnreadableVideo, match=r"both\.ts"), open_video(both, reader="pyav") as opened:
        opened.frames([0, opened.n_frames - 1])
