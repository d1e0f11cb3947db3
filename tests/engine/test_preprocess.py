"""What `preprocess.py` says at its end, without a video behind it."""

import logging
import signal
from types import SimpleNamespace

import pandas as pd
import pytest

from engine import preprocess as command
from engine.runs.provenance import read_manifest_json
from engine.runs.signals import Interrupted
from preprocessing.cache.folder import Cache
from tests.preprocessing.run.made_entries import entry, job


@pytest.fixture
def cache(tmp_path):
    return Cache.open(tmp_path / "cache", settings={}, provenance={})


@pytest.fixture
def jobs(tmp_path):
    for name in "abc":
        (tmp_path / f"{name}.mp4").write_bytes(b"video")
    return [job(name, tmp_path / f"{name}.mp4") for name in "abc"]


def put(cache, *jobs, **facts):
    for one in jobs:
        cache.put(entry(one, fingerprint=cache.fingerprint, **facts))


def following(cache, jobs, tmp_path, *, source=None, labeled=True):
    return command._next(cache, jobs, source=source or tmp_path, labeled=labeled)


def test_training_is_next_where_all_is_done_and_has_labels(cache, jobs, tmp_path):
    put(cache, *jobs)
    assert "train.py data=faces" in following(cache, jobs, tmp_path)[-1]


def test_labels_are_next_where_there_are_none(cache, jobs, tmp_path):
    put(cache, *jobs)
    told = "\n".join(following(cache, jobs, tmp_path, labeled=False))
    assert (
        f"write {tmp_path}/labels.csv (file,subject,session,scale,score) and give the command again" in told
    )
    assert "train.py" not in told
    told = "\n".join(following(cache, jobs, tmp_path, source=tmp_path / "a.mp4", labeled=False))
    assert "give a table" in told
    assert "labels.csv" not in told


def test_other_shards_are_next_while_they_are_missing(cache, jobs, tmp_path):
    put(cache, jobs[0])
    told = "\n".join(following(cache, jobs, tmp_path))
    assert "the other shards: 2 of 3 recordings of the input are not done yet" in told
    assert "train.py" not in told


def test_nothing_is_trained_on_where_nothing_is_used(cache, jobs, tmp_path):
    put(cache, *jobs, status="refused")
    assert len(following(cache, jobs, tmp_path)) == 1


def test_others_are_told_by_the_table_in_which_they_stay(cache, jobs, caplog):
    put(cache, jobs[0])
    put(cache, jobs[1], status="refused")
    command._tell_others(cache, SimpleNamespace(table=pd.DataFrame({"recording_id": ["c"]})))
    used, refused = caplog.messages
    assert "holds 1 recordings that are not in this input, and they stay in its manifest: a." in used
    assert "they stay in refused.csv: b." in refused


def test_ids_are_the_same_before_there_are_labels(tmp_path):
    source = tmp_path / "input"
    (source / "north").mkdir(parents=True)
    for name in ("a.mp4", "north/a.mp4"):
        (source / name).write_bytes(b"video")
    before = command._manifest(source, notes=tmp_path)
    assert not command._has_labels(before)
    text = "file,subject,scale,score\na.mp4,p,BDI-II,3\nnorth/a.mp4,q,BDI-II,20\n"
    (source / "labels.csv").write_text(text)
    after = command._manifest(source, notes=tmp_path)
    assert command._has_labels(after)
    assert list(before.table["recording_id"]) == list(after.table["recording_id"]) == ["a", "north_a"]


def test_an_interruption_is_told_in_recordings(cache, jobs, tmp_path, monkeypatch, caplog):
    def cut_off(*_, **__):
        put(cache, jobs[0])
        raise Interrupted(signal.SIGINT)

    for name, value in {"preprocess_all": cut_off, "check_settings": dict}.items():
        monkeypatch.setattr(command, name, value)
    monkeypatch.setattr(command, "pipeline_of", lambda _: SimpleNamespace(backend=None))
    monkeypatch.setattr(command, "build", lambda *_, **__: None)
    monkeypatch.setattr(command, "open_cache", lambda *_: cache)
    monkeypatch.setattr(command, "jobs_of", lambda _: (jobs, []))
    monkeypatch.setattr(command, "_manifest", lambda *_, **__: SimpleNamespace(synthetic=False))
    given = {
        "input": str(tmp_path),
        "output": str(tmp_path.parent / "out"),
        "executor": {},
        "shard": "1/1",
        "trust": [],
        "paths": {"output": str(tmp_path)},
    }
    with caplog.at_level(logging.WARNING), pytest.raises(Interrupted):
        command.preprocess(given, folder=tmp_path / "run")
    status = read_manifest_json(tmp_path / "run")["status"]
    assert status == "interrupted (1 of 3 recordings are done) by SIGINT"
    assert "step" not in caplog.text
