"""Hard files are used and broken ones refused, each with its reason, and nothing crashes."""

import csv
import json
import os
import re
import shutil
from pathlib import Path

import av
import numpy as np
import pandas as pd
import pytest
from hydra import compose, initialize_config_dir

from datamodules.readers import open_video
from datamodules.sources.shared.draft import SourceError
from tests.commands import command
from tests.conftest import MODELS
from tests.preprocessing.bad_set import CASES, FRAMES, encode, scene, write

ROOT = Path(__file__).parents[2]
QUICK = (
    *("plain.mp4", "rotated 90.mp4", "hdr hevc.mp4", "variable rate.mp4", "no duration.webm"),
    *("Gespräch Łódź 面接.mp4", "two faces.mp4", "three frames.mp4", "nobody.mp4", "tiny.mp4", "dark.mp4"),
    *("blurred.mp4", "cut short.mp4", "cut before its table.mp4", "damaged.mp4", "text.mp4", "empty.mp4"),
    *("audio only.mp4", "one pixel.mkv"),
)


@pytest.fixture(scope="module", autouse=True)
def quiet(tmp_path_factory):
    """Keep packet indices out of the user's cache, and the coders' chatter out of the report."""
    with pytest.MonkeyPatch.context() as patch:
        private = tmp_path_factory.mktemp("cache")
        if MODELS.is_dir():
            (private / "euthymia").mkdir()
            (private / "euthymia" / "models").symlink_to(MODELS)
        patch.setenv("XDG_CACHE_HOME", str(private))
        av.logging.set_level(av.logging.PANIC)
        yield


def picture(path):
    """Mean frame of a clip, gray, without its border."""
    with open_video(path) as reader:
        frames = reader.frames(range(reader.n_frames)).float().mean((0, 1)).numpy()
    return frames[30:-30, 30:-30]


def check(name, entry, folder, plain):
    """Whether an entry is what the case asks for, and its clip shows the person upright."""
    case = CASES[name]
    told = "; ".join(entry["reasons"])
    used = entry["status"] != "refused"
    assert used == (case.status != "refused"), f"{name}: {entry['status']}, {told}"
    assert re.search(case.said, told), f"{name}: {told!r} says nothing of {case.said!r}"
    assert "Traceback" not in told
    assert "program failed" not in told
    if case.status == "warned":
        assert entry["status"] == "warned"
    if case.status == "refused":
        assert told
        return
    assert entry["frames"] == case.frames
    series = pd.read_parquet(folder / entry["files"]["series"]["path"])
    assert len(series) == case.frames
    assert entry["usable"] == series["valid"].sum() > 0.9 * case.frames, f"{name}: {entry['lost']}"
    likeness = np.corrcoef(picture(folder / entry["files"]["clip"]["path"]).ravel(), plain.ravel())[0, 1]
    other = "hdr" in name or "picture" in name  # colors of another range; without the room around
    assert likeness > (0.9 if other else 0.95), f"{name}: r = {likeness:.2f} with the plain clip"


@pytest.fixture(scope="module")
def done(face_models, tmp_path_factory):
    """Do one file in this process; returns its entry, and the folder of the cache."""
    from preprocessing.alignment.aligner import Aligner
    from preprocessing.cache.folder import Cache
    from preprocessing.faces.litert import LitertFaces
    from preprocessing.quality.gate import QualityGate
    from preprocessing.run.job import Job
    from preprocessing.run.pipeline import Pipeline
    from preprocessing.run.recording import preprocess_recording
    from preprocessing.stores.h264 import H264Store

    videos, folder = tmp_path_factory.mktemp("videos"), tmp_path_factory.mktemp("faces")
    parts = {"backend": LitertFaces(), "aligner": Aligner(), "gate": QualityGate(), "store": H264Store()}
    pipeline, cache = Pipeline(**parts), Cache.open(folder, settings={}, provenance={})

    def do(name):
        labels = {"recording_id": name, "subject_id": "unknown", "session_id": name}
        job = Job(recording_id=name, path=write(name, videos), labels=labels)
        return preprocess_recording(job, pipeline=pipeline, cache=cache).plain(), folder

    return do


@pytest.fixture(scope="module")
def plain(done):
    """Mean frame of the clip of a file without any fault."""
    entry, folder = done("plain.mp4")
    assert entry["status"] == "ok", entry
    return picture(folder / entry["files"]["clip"]["path"])


@pytest.mark.parametrize("name", QUICK[1:])
def test_each_file_is_used_or_refused_with_its_reason(done, plain, name):
    entry, folder = done(name)
    check(name, entry, folder, plain)


@pytest.mark.parametrize(("name", "first"), [("cut short.mp4", 2), ("damaged.mp4", 2)])
def test_what_is_cut_or_damaged_says_from_where_on(done, name, first):
    entry, _ = done(name)
    told = re.search(r"(\d\.\d) s.*frame (\d+)", "; ".join(entry["reasons"]))
    seconds, frame = float(told[1]), int(told[2])
    assert seconds == pytest.approx(frame / 25, abs=0.06)
    assert 0.4 < frame / (3 * FRAMES) < 0.7  # of the bytes, 0.6 are whole


def test_a_file_that_vanishes_between_the_passes_is_refused_for_now(done, monkeypatch):
    from preprocessing.run import recording

    def follow_and_delete(stream, backend, **given):
        track = follow(stream, backend, **given)
        stream._path.unlink()
        return track

    follow = recording.follow
    monkeypatch.setattr(recording, "follow", follow_and_delete)
    entry, folder = done("a/same.mp4")
    assert entry["status"] == "refused"
    assert "No such file" in entry["reasons"][0]
    assert not entry["final"]
    assert not list((folder / "clips").glob("*same*"))


def run(*words, timeout=400):
    """The command, in a process of its own."""
    return command("preprocess.py", *words, "executor.workers=1", timeout=timeout)


@pytest.mark.slow
def test_the_whole_set_in_one_command(face_models, tmp_path):
    videos, cache = tmp_path / "Vidéos <neu>", tmp_path / "cache"
    videos.mkdir()
    for name in CASES:
        write(name, videos)
    (videos / "folder.mp4").mkdir()
    (videos / "link.mp4").symlink_to(videos / "plain.mp4")
    (videos / "dangling.mp4").symlink_to(videos / "nowhere.mp4")
    (videos / "._plain.mp4").write_bytes(bytes.fromhex("00051607") + bytes(99))  # as macOS leaves on disks
    result = run(f"input='{videos}'", f"output={cache}")
    assert result.returncode == 0, result.stderr
    assert "Traceback" not in result.stdout + result.stderr

    entries = {}
    for path in (cache / "entries").glob("*.json"):
        entry = json.loads(path.read_text(encoding="utf-8"))
        entry = entry.get("content", entry)
        entries[entry["recording_id"]] = entry
    wanted = {name for name in CASES if not name.startswith(".")} | {"link.mp4"}
    assert set(entries) == {name.replace("/", "_") for name in wanted}
    plain = picture(cache / entries["plain.mp4"]["files"]["clip"]["path"])
    for name in sorted(wanted & set(CASES)):
        check(name, entries[name.replace("/", "_")], cache, plain)
        if entries[name.replace("/", "_")]["status"] != "ok":  # a line each
            lines = [line for line in result.stdout.splitlines() if f"{videos / name} " in line]
            assert len(lines) == 1, f"{name}: {lines}"
    assert re.search(r"lead nowhere.*dangling\.mp4", result.stdout)

    manifest = list(csv.DictReader((cache / "manifest.csv").open(encoding="utf-8")))
    used = {name for name, entry in entries.items() if entry["status"] != "refused"}
    assert {row["recording_id"] for row in manifest} == used
    assert all((cache / row["path"]).is_file() for row in manifest)
    refused = list(csv.DictReader((cache / "refused.csv").open(encoding="utf-8")))
    assert {row["recording_id"] for row in refused} == set(entries) - used
    assert all(row["reason"] for row in refused)
    page = (cache / "faces.html").read_text(encoding="utf-8")
    assert page.count("<article") == len(entries)
    assert "&lt;b&gt;bold" in page


@pytest.mark.command
def test_nothing_that_can_be_used_ends_with_an_error_that_says_why(face_models, tmp_path):
    videos = tmp_path / "videos"
    videos.mkdir()
    for name in ("nobody.mp4", "text.mp4"):
        write(name, videos)
    result = run(f"input={videos}", f"output={tmp_path / 'cache'}")
    assert result.returncode == 1
    assert "Traceback" not in result.stdout + result.stderr
    for word in ("none of 2 recordings", "nobody.mp4", "no face", "text.mp4", "it is text"):
        assert word in result.stdout + result.stderr
    assert (tmp_path / "cache" / "faces.html").is_file()


def test_places_that_cannot_be(tmp_path):
    from engine.config.compose import ConfigError, plain_config, root_keys
    from engine.preprocess import preprocess
    from preprocessing.cache.folder import CacheError

    videos, empty, file = tmp_path / "videos", tmp_path / "empty", tmp_path / "notes.txt"
    empty.mkdir()
    file.write_text("mine")
    encode(videos / "one.mp4", scene(3))
    asked = {
        (videos, videos): "lies in the input",
        (videos, videos / "deep" / "cache"): "lies in the input",
        (empty, tmp_path / "cache"): "no video there",
        (tmp_path / "absent", tmp_path / "cache"): "no video there",
        (file, tmp_path / "cache"): "no video there",
        (videos, file): "is a file; give a folder",
    }
    for number, ((source, target), words) in enumerate(asked.items()):
        with initialize_config_dir(str(ROOT / "conf"), version_base="1.3"):
            config = compose(
                "preprocess", [f"input={source}", f"output={target}", f"paths.output={tmp_path}"]
            )
        with pytest.raises((ConfigError, CacheError, SourceError), match=words):
            preprocess(plain_config(config, keys=root_keys("preprocess")), folder=tmp_path / f"run_{number}")
    assert file.read_text() == "mine"


@pytest.mark.slow
@pytest.mark.skipif(os.geteuid() == 0, reason="root may read and write everything")
def test_what_may_not_be_read_or_written(face_models, tmp_path):
    videos, closed = tmp_path / "videos", tmp_path / "closed"
    closed.mkdir()
    for name in ("open.mp4", "secret.mp4"):
        encode(videos / name, scene())
    (videos / "secret.mp4").chmod(0)
    result = run(f"input={videos}", f"output={tmp_path / 'cache'}")
    assert result.returncode == 0
    assert "secret.mp4 is refused: it cannot be read: Permission denied" in result.stdout
    closed.chmod(0o500)
    result = run(f"input={videos}", f"output={closed / 'cache'}")
    assert result.returncode == 1
    assert "Permission denied" in result.stdout + result.stderr
    assert "Traceback" not in result.stdout + result.stderr
    closed.chmod(0o700)
    shutil.rmtree(closed)
