"""The same recordings on a cluster of Ray, begun on this machine."""

import functools
import sys
from types import SimpleNamespace

import pytest

from preprocessing.run.ray_tasks import RayError, RayTasks
from tests.preprocessing.run.made_entries import job, work
from tests.preprocessing.run.test_processes import check_answers


@pytest.mark.slow
def test_a_task_that_dies_costs_its_recording_only(tmp_path):
    pytest.importorskip("ray")
    names = ("dies", "once", "fine_1", "fault", "taken", "fine_2")
    jobs = [job(name, __file__) for name in names]
    found = RayTasks(workers=2).run(functools.partial(work, notes=str(tmp_path)), jobs)
    check_answers({one.recording_id: answer for one, answer in found}, tmp_path)


def test_without_ray_the_error_says_what_to_do(monkeypatch):
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(RayError, match=r"pip install .*\[ray\].*executor=processes"):
        next(RayTasks().run(work, []))


def test_no_cluster_at_an_address_is_said(monkeypatch):
    monkeypatch.setitem(sys.modules, "ray", SimpleNamespace())
    with pytest.raises(RayError, match=r"no cluster answers at 127\.0\.0\.1:1"):
        next(RayTasks(address="127.0.0.1:1").run(work, []))


@pytest.mark.parametrize("given", [{"workers": 0}, {"workers": -1}, {"workers": 2, "cpus": 4}])
def test_workers_that_could_never_begin_a_task_are_refused(given):
    with pytest.raises(ValueError, match=r"executor\.workers="):
        RayTasks(**given)


def test_a_cluster_that_does_not_begin_is_told(monkeypatch, caplog):
    """Ray waits without a word, for cores or for a worker that hangs."""
    answers = iter([([], ["ref"]), (["ref"], [])])
    ray = SimpleNamespace(
        init=lambda **_: None,
        put=lambda value: value,
        remote=lambda **_: lambda function: SimpleNamespace(remote=lambda *_: "ref"),
        wait=lambda *_, **settings: next(answers) if settings["timeout"] else pytest.fail("waits for ever"),
        get=lambda _: "entry",
        exceptions=SimpleNamespace(RayError=RayError),
        shutdown=lambda: None,
    )
    monkeypatch.setitem(sys.modules, "ray", ray)
    one = job("one", __file__)
    assert list(RayTasks(workers=1).run(work, [one])) == [(one, "entry")]
    assert "no recording has ended for 5 minutes, 1 are waited for" in caplog.text
