"""Coded clips decoded elsewhere give the very pixels of decoding in the worker."""

import logging
import pickle

import pytest
import torch

from datamodules.readers import DeviceDecoder, UnreadableVideo, VideoSource, device
from datamodules.readers.device import decode_with_torchcodec
from datamodules.readers.torchcodec import load_problem
from tests.datamodules.readers.open_readers import open_readers
from tests.datamodules.readers.videos import RECIPES, noise, number_of, requests

CPU = torch.device("cpu")
DECODED_IN_WORKER = {"raw_stream", "xvid_avi", "vp8_hidden", "av1"}


def _source(**changes):
    return VideoSource(**{"height": 32, "width": 40, "reader": "pyav", "decode": "device"} | changes)


@pytest.mark.parametrize("name", RECIPES)
def test_device_decoding_equals_worker_decoding(video, name):
    path, source, decoder = video(name), _source(), DeviceDecoder(height=32, width=40)
    shown = {"three_frames": 3, "one_frame": 1, "edit_head": 54, "edit_tail": 40}.get(
        name, RECIPES[name].frames
    )
    for wanted in list(requests(shown))[:8]:
        clip = source.encoded(path, wanted)
        assert (clip.frames is not None) == (name in DECODED_IN_WORKER)
        assert torch.equal(decoder([clip], CPU)[0], source.clip(path, wanted))
    assert open_readers() == 0


@pytest.mark.parametrize("name", ["b_frames", "hevc", "rotated_90", "variable_rate", "edit_head", "mpeg_ts"])
def test_the_code_of_the_engine_is_exact_on_the_cpu(video, name):
    if load_problem():
        pytest.skip(f"torchcodec does not load here: {load_problem()}")
    for wanted in list(requests(54))[:8]:
        frames, fallback = decode_with_torchcodec(_source().encoded(video(name), wanted), CPU)
        assert [number_of(frame) for frame in frames] == [index + RECIPES[name].first for index in wanted]
        assert fallback == ""


def test_a_slice_holds_a_clip_and_little_else(video):
    path = video("b_frames")
    clip = _source().encoded(path, [26, 30])
    assert clip.data.dtype == torch.uint8
    assert len(clip.data) < path.stat().st_size / 2
    assert clip.indices == (2, 5)  # from the keyframe 24 on; frame 29 is stored behind 30 and was not copied
    assert pickle.loads(pickle.dumps(clip)).indices == clip.indices


def test_a_batch_mixes_materials_and_keeps_their_order(video):
    names, wanted = ["b_frames", "av1", "hevc", "rotated_90", "xvid_avi"], [3, 9, 15, 21]
    source, decoder = _source(), DeviceDecoder(height=32, width=40, threads=3)
    batch = decoder([source.encoded(video(name), wanted) for name in names], CPU)
    assert batch.shape == (5, 4, 3, 32, 40)
    assert batch.dtype == torch.uint8
    for frames, name in zip(batch, names, strict=True):
        assert torch.equal(frames, source.clip(video(name), wanted))


def test_clips_of_different_length_are_refused(video):
    clips = [_source().encoded(video("b_frames"), range(length)) for length in (3, 4)]
    with pytest.raises(ValueError, match=r"lengths \[3, 4\]"):
        DeviceDecoder(height=32, width=40)(clips, CPU)
    with pytest.raises(ValueError, match="threads must be positive"):
        DeviceDecoder(height=32, width=40, threads=0)


def test_a_damaged_slice_names_its_video(video):
    path = noise(video("long_gop"), at=0.5)
    with pytest.raises(UnreadableVideo, match="noise_long_gop"):
        DeviceDecoder(height=32, width=40)([_source().encoded(path, [0, 89])], CPU)
    with pytest.raises(IndexError, match="frames 0 to 59"):
        _source().encoded(video("b_frames"), [60])


@pytest.mark.parametrize("broken", ["absent", "failing"])
def test_without_an_engine_the_cpu_decodes_after_one_warning(video, monkeypatch, caplog, broken):
    def fail(*_):
        raise RuntimeError("no NVDEC for this codec\nmany details")

    monkeypatch.setattr(device, "load_problem", lambda: "no FFmpeg" if broken == "absent" else "")
    monkeypatch.setattr(device, "decode_with_torchcodec", fail)
    decoder, path = DeviceDecoder(height=64, width=96), video("b_frames")
    with caplog.at_level(logging.WARNING):
        for start in range(3):
            clip = _source().encoded(path, [start, start + 5])
            frames = decoder._on_engine(clip, CPU)
            assert [number_of(frame) for frame in frames] == [start, start + 5]
    (record,) = caplog.records
    assert ("no FFmpeg" if broken == "absent" else "no NVDEC for this codec)") in record.getMessage()
    assert "python -m datamodules.checks.doctor" in record.getMessage()
    assert pickle.loads(pickle.dumps(decoder)).threads == decoder.threads


@pytest.mark.gpu
@pytest.mark.parametrize("name", ["b_frames", "hevc", "rotated_90", "variable_rate", "edit_head"])
def test_the_video_engine_is_exact(video, name):
    path, cuda = video(name), torch.device("cuda")
    source = _source(height=RECIPES[name].size[0], width=RECIPES[name].size[1])
    decoder = DeviceDecoder(height=source.height, width=source.width)
    wanted = [3, 7, 30, 50, 50]
    frames = decoder([source.encoded(path, wanted)] * 4, cuda)
    assert frames.device.type == "cuda"
    for clip in frames.cpu():
        assert [number_of(frame) for frame in clip] == [index + RECIPES[name].first for index in wanted]
        # Its colors are converted by other arithmetic than the CPU's.
        assert (clip.float() - source.clip(path, wanted).float()).abs().mean() < 3
