"""Where clips are decoded: chosen by what was measured, and said."""

import logging
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from datamodules.clips import decoding
from datamodules.clips.dataset import PixelClips, SeriesClips
from datamodules.clips.decoding import probe, settled
from datamodules.readers import UnreadableVideo, VideoSource

CPU, CUDA = torch.device("cpu"), torch.device("cuda")


def source(**given):
    return PixelClips(video=VideoSource(**{"height": 8, "width": 8, "decode": "auto"} | given))


def choose(monkeypatch, rates, *, workers, fell_back=False, given=None, device=CUDA):
    monkeypatch.setattr(decoding, "probe", lambda *args, **settings: rates)
    monkeypatch.setattr(decoding.DeviceDecoder, "fell_back", fell_back)
    return settled(given or source(), [], None, device=device, workers=workers).video.decode


@pytest.mark.parametrize(
    ("rates", "workers", "chosen"),
    [
        ((10.0, 200.0, 90.0), 4, "device"),
        ((10.0, 200.0, 90.0), 16, "worker"),  # enough cores beat the engine
        ((10.0, 20.0, 900.0), 2, "device"),
        ((10.0, 9.0, 900.0), 4, "worker"),  # the engine would wait for the packets
        ((0.0, 0.0, 0.0), 4, "worker"),
    ],
)
def test_the_faster_way_is_chosen_and_said_once(monkeypatch, caplog, rates, workers, chosen):
    caplog.set_level(logging.INFO)
    given = source()
    assert choose(monkeypatch, rates, workers=workers, given=given) == chosen
    (line,) = [record.getMessage() for record in caplog.records]
    assert line.startswith(f"decode=auto: by the {chosen}, for")
    assert f"{workers} worker(s)" in line
    assert given.video.decode == "auto"  # what a checkpoint names stays


def test_an_engine_that_cannot_decode_is_not_chosen(monkeypatch, caplog):
    caplog.set_level(logging.INFO)
    assert choose(monkeypatch, (1.0, 50.0, 50.0), workers=1, fell_back=True) == "worker"
    assert "cannot decode" in caplog.text


def test_without_an_engine_and_with_kept_frames_nothing_is_measured(monkeypatch, caplog):
    caplog.set_level(logging.INFO)
    monkeypatch.setattr(decoding, "probe", lambda *args, **settings: pytest.fail("measured"))
    assert settled(source(), [], None, device=CPU, workers=2).video.decode == "worker"
    assert settled(source(keep=3), [], None, device=CUDA, workers=2).video.decode == "worker"
    assert "the cpu has no video engine" in caplog.text
    assert "frames are kept" in caplog.text


def test_other_sources_stay_as_they_are():
    for other in (source(decode="device"), SeriesClips()):
        assert settled(other, [], None, device=CUDA, workers=2) is other


class Clock:
    def __init__(self):
        self.now = 0.0

    def __call__(self):
        return self.now


class Slow:
    """A video source whose reads take .5 s and whose cuts take .1 s of its own clock."""

    def __init__(self, clock):
        self.clock = clock

    def clip(self, path, indices):
        self.clock.now += 0.5

    def encoded(self, path, indices):
        if path == "broken":
            raise UnreadableVideo("broken")
        self.clock.now += 0.1
        return path


def whole(n_frames, clip, rng):
    return np.arange(n_frames), np.ones(n_frames, bool)


def test_a_probe_tells_clips_a_second_of_each_way():
    clock = Clock()

    def decoder(clips, device):
        assert clips == ["a", "b"]
        clock.now += 0.25

    files = [SimpleNamespace(path=path, n_frames=4) for path in ("a", "broken", "b", None)]
    rates = probe(Slow(clock), files, whole, decoder=decoder, device=CPU, seconds=30.0, clock=clock)
    assert rates == pytest.approx((2.0, 10.0, 8.0), rel=0.02)
    broken = probe(Slow(clock), files[1:2], whole, decoder=decoder, device=CPU, clock=clock)
    assert broken == (0.0, 0.0, 0.0)
