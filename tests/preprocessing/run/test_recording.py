"""One recording: what its clip, its series and its entry hold, and why another one is refused."""

from dataclasses import replace
from hashlib import sha256

import cv2
import numpy as np
import pandas as pd
import pytest

from datamodules.readers.stream import FrameStream
from preprocessing.alignment.aligner import Aligner
from preprocessing.cache.folder import Cache
from preprocessing.quality.gate import QualityGate
from preprocessing.run.pipeline import Pipeline
from preprocessing.run.recording import preprocess_recording
from preprocessing.stores.h264 import H264Store
from preprocessing.stores.raw import RawStore
from tests.preprocessing.made_faces import FACE, MarkedFaces, write_scene
from tests.preprocessing.run.made_entries import job

SIZE = 112
PIPELINE = Pipeline(
    backend=MarkedFaces(), aligner=Aligner(size=SIZE), gate=QualityGate(max_hidden=1), store=H264Store()
)


def opened(folder):
    return Cache.open(folder, settings={"size": SIZE}, provenance={})


@pytest.fixture
def cache(tmp_path):
    return opened(tmp_path / "cache")


def done(path, cache, pipeline=PIPELINE):
    return preprocess_recording(job("visit", path), pipeline=pipeline, cache=cache)


def uneven(count):
    return np.cumsum(np.where(np.arange(count) % 7 == 3, 0.1, 0.04)) - 0.04


@pytest.mark.parametrize("store", [H264Store(), RawStore()], ids=lambda one: one.suffix)
def test_the_clip_has_every_frame_of_its_source_with_the_face_at_rest(cache, tmp_path, store):
    seconds, absent = uneven(40), range(20, 32)
    path = write_scene(tmp_path / "a.mp4", seconds=seconds, absent=absent)
    entry = done(path, cache, replace(PIPELINE, store=store))
    assert entry.reasons == ("the person is lost and found again elsewhere 1 time",)
    assert (entry.frames, entry.usable, entry.lost) == (40, 27, {"no face": 12, "jump": 1})
    clip = FrameStream(cache.folder / entry.files["clip"]["path"])
    assert clip.seconds == pytest.approx(seconds, abs=1e-4)
    series = pd.read_parquet(cache.folder / entry.files["series"]["path"])
    assert series["frame"].tolist() == list(range(40))
    assert series["timestamp"].to_numpy() == pytest.approx(seconds, abs=1e-4)
    assert np.flatnonzero(series["valid"] == 0).tolist() == [*absent, absent.stop]
    places = [_mark(frame) for frame in clip]
    assert [number for number, mark in enumerate(places) if mark is None] == list(absent)
    marks = np.array([mark for mark in places if mark is not None])
    assert np.ptp(marks, axis=0).max() < 2.5, "the source's mark moves by 40 pixels"
    for index, frame in enumerate(clip):
        assert frame.shape == (SIZE, SIZE, 3)
        assert (frame.max() < 30) == (index in absent)


def _mark(frame):
    found = cv2.inRange(frame, np.array([175, 0, 0]), np.array([255, 85, 85]))
    return None if not found.any() else np.argwhere(found).mean(0)


def test_the_entry_says_what_the_manifest_and_the_page_need(cache, tmp_path):
    path = write_scene(tmp_path / "a.mp4", 60, fps=30.0)
    entry = done(path, cache)
    assert entry == cache.entry("visit") == cache.finished("visit", path)
    assert entry.source["sha256"] == sha256(path.read_bytes()).hexdigest()
    assert (entry.width, entry.height, entry.fps, entry.seconds) == (320, 240, 30.0, 2.0)
    for name, place in (
        ("clip", "clips/visit.mp4"),
        ("series", "series/visit.parquet"),
        ("sheet", "sheets/visit.jpg"),
    ):
        content = (cache.folder / place).read_bytes()
        digest = sha256(content).hexdigest()
        assert entry.files[name] == {"path": place, "size": len(content), "sha256": digest}
    facts = entry.facts
    assert (facts["fps"], facts["n_frames"], facts["duration_s"], facts["width"]) == (30.0, 60, 2.0, SIZE)
    assert facts["content_hash"] == entry.files["clip"]["sha256"]
    assert facts["face_x"] == pytest.approx(0.5, abs=0.1)
    assert facts["usable"] == 1
    assert facts["face_size"] == pytest.approx(1.09 * FACE / 240, rel=0.1)  # cloud: 2.4 eye distances high
    assert entry.labels["subject_id"] == "pvisit"


def test_the_same_source_gives_the_same_bytes(tmp_path):
    path = write_scene(tmp_path / "a.mp4", absent=range(5))
    texts = []
    for name in "ab":
        done(path, opened(tmp_path / name))
        files = sorted(file for file in (tmp_path / name).rglob("*") if file.is_file())
        texts.append({file.relative_to(tmp_path / name).as_posix(): file.read_bytes() for file in files})
    assert texts[0] == texts[1]
    assert len(texts[0]) == 5


class _Never(MarkedFaces):
    def faces(self, frames, *, tracked=None):
        raise AssertionError("this was done already")


def test_what_is_done_is_left_alone_and_what_another_process_does_too(cache, tmp_path):
    path = write_scene(tmp_path / "a.mp4")
    with cache.claim("visit"):
        assert done(path, cache) is None
    entry = done(path, cache)
    assert done(path, cache, replace(PIPELINE, backend=_Never())) == entry
    write_scene(path, seed=1)
    with pytest.raises(AssertionError, match="done already"):
        done(path, cache, replace(PIPELINE, backend=_Never()))


def test_nobody_there_is_refused_with_a_sheet(cache, tmp_path):
    entry = done(write_scene(tmp_path / "a.mp4", absent=range(40)), cache)
    assert (entry.status, entry.final) == ("refused", True)
    assert entry.reasons == ("no face in any of its 40 frames",)
    assert list(entry.files) == ["sheet"]
    assert not any((cache.folder / name / "visit.mp4").exists() for name in ("clips", "series"))


def test_too_few_usable_frames_are_refused_and_few_are_warned_of(cache, tmp_path):
    dim = replace(PIPELINE, gate=QualityGate(luminance=(0.9, 1.0)))
    entry = done(write_scene(tmp_path / "a.mp4"), cache, dim)
    assert (entry.status, entry.reasons[0]) == ("refused", "0 of 40 frames can be used: dark 40")
    assert sorted(entry.files) == ["sheet"]
    assert list((cache.folder / "clips").iterdir()) == []
    entry = done(write_scene(tmp_path / "b.mp4", absent=range(30)), cache)
    assert (entry.status, entry.reasons) == ("warned", ("only 10 of 40 frames can be used: no face 30",))
    entry = done(write_scene(tmp_path / "c.mp4", 3), cache)
    assert (entry.status, entry.reasons) == ("warned", ("it is short: 3 frames, 0.12 s",))
    with pytest.raises(ValueError, match=r"least_usable=0\.6, few_usable=0\.5"):
        replace(PIPELINE, least_usable=0.6)


def test_files_that_cannot_be_read_say_why(cache, tmp_path):
    entry = done(tmp_path / "absent.mp4", cache)
    assert (entry.status, entry.final) == ("refused", False)
    assert entry.reasons == ("it cannot be read: No such file or directory",)
    text = tmp_path / "text.mp4"
    text.write_text("no video\n" * 400)
    assert "it is text" in done(text, cache).reasons[0]
    whole = write_scene(tmp_path / "whole.mp4", 80)
    cut = tmp_path / "cut.mp4"
    cut.write_bytes(whole.read_bytes()[: int(0.7 * whole.stat().st_size)])
    entry = done(cut, cache)
    assert entry.status == "refused"
    assert "it is truncated" in entry.reasons[0]
    assert "it can be read up to" in " ".join(entry.reasons)
    assert str(cut) not in " ".join(entry.reasons)


def test_damage_within_a_file_is_told_with_its_place(cache, tmp_path):
    path = write_scene(tmp_path / "a.mp4", 80)
    content = bytearray(path.read_bytes())
    start = int(0.6 * len(content))
    content[start : start + 4000] = np.random.default_rng(0).bytes(4000)
    path.write_bytes(bytes(content))
    entry = done(path, cache)
    assert entry.status == "refused"
    assert entry.reasons[0].startswith("damaged from ")
    assert entry.frames == 80
    assert list((cache.folder / "clips").iterdir()) == []
