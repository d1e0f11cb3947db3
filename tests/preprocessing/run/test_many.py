"""Many recordings: what is done is left, what failed is tried again, and commands share a folder."""

import json
import platform
import subprocess
import sys
from dataclasses import replace

import pandas as pd
import pytest

from engine.cohort.face_pipeline import page_templates
from engine.config.source_code import ROOT
from preprocessing.cache.folder import Cache, CacheError
from preprocessing.run.executor import lost_worker
from preprocessing.run.many import preprocess_all, with_labels
from preprocessing.run.worker import answer
from tests.preprocessing.made_faces import MarkedFaces, write_scene
from tests.preprocessing.run.made_entries import job
from tests.preprocessing.run.test_recording import PIPELINE


class Here:
    """An executor without processes, in which some recordings cost their worker."""

    def __init__(self, *dead):
        self.dead, self.asked = dead, []

    def run(self, work, jobs):
        for one in jobs:
            self.asked.append(one.recording_id)
            yield one, lost_worker("SIGKILL") if one.recording_id in self.dead else answer(work, one)


@pytest.fixture
def jobs(tmp_path):
    return [
        job(name, write_scene(tmp_path / f"{name}.mp4", 30, seed=seed)) for seed, name in enumerate("abc")
    ]


@pytest.fixture
def cache(tmp_path):
    return Cache.open(tmp_path / "cache", settings={}, provenance={})


def run(jobs, cache, executor=None):
    return preprocess_all(
        jobs, pipeline=PIPELINE, cache=cache, executor=executor or Here(), templates=page_templates()
    )


def rows(cache):
    return pd.read_csv(cache.folder / "manifest.csv")["recording_id"].tolist()


def test_two_names_that_may_be_one_are_refused_before_a_recording_is_done(jobs, cache):
    asked = Here()
    with pytest.raises(CacheError, match="recordings 'a' and 'A' differ by case"):
        run([*jobs, replace(jobs[1], recording_id="A")], cache, asked)
    assert asked.asked == []


def test_a_recording_that_was_given_up_is_tried_again(jobs, cache):
    outcome = run(jobs, cache, Here("b"))
    assert outcome.counts == {"ok": 2, "refused": 1}
    assert "its worker died 2 times (SIGKILL)" in cache.entry("b").reasons[0]
    assert rows(cache) == ["a", "c"]
    again = Here()
    outcome = run(jobs, cache, again)
    assert (again.asked, outcome.earlier, outcome.counts) == (["b"], 2, {"ok": 3})
    assert rows(cache) == ["a", "b", "c"]
    assert "b" not in (cache.folder / "refused.csv").read_text()
    assert run(jobs, cache, again).rate is None
    assert again.asked == ["b"]


def test_a_file_that_takes_the_id_of_another_is_told(jobs, cache, caplog):
    run(jobs[:2], cache)
    run([replace(jobs[2], recording_id="a", labels=jobs[0].labels), jobs[1]], cache)
    told = [one.getMessage() for one in caplog.records if "is replaced by" in one.getMessage()]
    assert len(told) == 1
    assert f"a: was made of {jobs[0].path} in this cache, and is replaced by {jobs[2].path}" in told[0]


def test_labels_are_those_of_now(jobs, cache):
    run(jobs, cache)
    labelled = [replace(one, labels={**one.labels, "score": 7.0}) for one in jobs]
    before = (cache.folder / "clips" / "a.mp4").stat().st_mtime_ns
    assert run(labelled, cache, executor := Here()).earlier == 3
    assert executor.asked == []
    assert pd.read_csv(cache.folder / "manifest.csv")["score"].tolist() == [7.0] * 3
    assert (cache.folder / "clips" / "a.mp4").stat().st_mtime_ns == before


def test_a_part_of_the_jobs_leaves_no_labels_of_before_in_the_table_of_all(jobs, cache):
    run(jobs, cache)
    labelled = [replace(one, labels={**one.labels, "score": 7.0}) for one in jobs]
    with_labels(labelled, cache)
    run(labelled[:1], cache)
    assert pd.read_csv(cache.folder / "manifest.csv")["score"].tolist() == [7.0] * 3


def test_what_another_command_does_is_left_to_it(jobs, cache):
    with cache.claim("a"):
        outcome = run(jobs, cache)
    assert outcome.elsewhere == ("a",)
    assert [one.recording_id for one in outcome.entries] == ["b", "c"]
    assert rows(cache) == ["b", "c"]
    assert run(jobs, cache).earlier == 2
    assert rows(cache) == ["a", "b", "c"]
    assert not (cache.folder / "claims").exists()


def test_a_fault_of_the_program_is_logged_and_told(jobs, cache, caplog):
    class Broken(MarkedFaces):
        def faces(self, frames, *, tracked=None):
            raise KeyError("a bug")

    pipeline = replace(PIPELINE, backend=Broken())
    outcome = preprocess_all(
        jobs[:1], pipeline=pipeline, cache=cache, executor=Here(), templates=page_templates()
    )
    assert outcome.entries[0].reasons == ("the program failed at it: KeyError: 'a bug'",)
    assert "Traceback" in caplog.text
    assert not outcome.entries[0].final
    again = run(jobs[:1], cache)
    assert (again.earlier, again.counts) == (0, {"ok": 1})


def test_no_executor_is_begun_where_everything_is_done(jobs, cache):
    class Cluster:
        def run(self, work, jobs):
            raise AssertionError("a cluster is begun")

    run(jobs[:1], cache)
    assert run(jobs[:1], cache, Cluster()).earlier == 1


_COMMAND = """
import json, sys
from pathlib import Path

from engine.cohort.face_pipeline import page_templates
from preprocessing.cache.folder import Cache, CacheError
from preprocessing.run.many import preprocess_all
from preprocessing.run.processes import Processes
from tests.preprocessing.run.made_entries import job
from tests.preprocessing.run.test_recording import PIPELINE

if __name__ == "__main__":
    folder = Path(sys.argv[1])
    jobs = [job(path.stem, path) for path in sorted(folder.glob("*.mp4"))]
    cache = Cache.open(folder / "cache", settings={}, provenance={})
    outcome = preprocess_all(
        jobs, pipeline=PIPELINE, cache=cache, executor=Processes(workers=1), templates=page_templates()
    )
    print(json.dumps([len(outcome.entries), outcome.earlier, len(outcome.elsewhere)]))
"""


@pytest.mark.slow
def test_commands_share_a_folder(tmp_path):
    for number in range(9):
        write_scene(tmp_path / f"{number}.mp4", 40, seed=number)
    (tmp_path / "command.py").write_text(_COMMAND)
    words = [sys.executable, str(tmp_path / "command.py"), str(tmp_path)]
    where = {"PYTHONPATH": str(ROOT), "PATH": "/usr/bin:/bin", "HOME": str(tmp_path)}
    commands = [subprocess.Popen(words, env=where, stdout=subprocess.PIPE, text=True) for _ in range(3)]
    told = [json.loads(command.communicate(timeout=200)[0].splitlines()[-1]) for command in commands]
    assert all(command.returncode == 0 for command in commands)
    assert all(entries + elsewhere == 9 for entries, _, elsewhere in told)
    cache = Cache.open(tmp_path / "cache", settings={}, provenance={})
    assert list(map(str, rows(cache))) == [str(number) for number in range(9)]
    assert not [path for path in cache.folder.rglob(".*") if path.is_file()]


def test_partial_files_of_workers_that_were_cut_off_are_removed(jobs, cache):
    class Interrupted(Here):
        def run(self, work, jobs):
            (cache.folder / "clips" / f".a.{_host()}-999999999.mp4").write_bytes(b"half")
            yield from super().run(work, jobs[:1])
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run(jobs, cache, Interrupted())
    clips = list((cache.folder / "clips").iterdir())
    assert len(clips) == 1
    assert not clips[0].name.startswith(".")
    assert run(jobs, cache).earlier == 1


def _host():
    return "".join(letter for letter in platform.node() if letter.isalnum())
