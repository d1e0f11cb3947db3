"""Moments of the campaign of interruptions follow a run's own traces."""

import os

import pytest

from studies.interruptions.moment import choose, epochs_of, marks, place, status, used


@pytest.fixture
def run(tmp_path):
    """A run in its second epoch, of which the fourth step has begun."""
    (tmp_path / "logs").mkdir()
    (tmp_path / "checkpoints").mkdir()
    (tmp_path / "manifest.json").write_text('{"status": "running", "data_digest": "x"}')
    (tmp_path / "leak_audit.json").write_text("{}")
    (tmp_path / "logs/metrics.csv").write_text("lr-NAdam,step,val/auc\n.1,0,\n.1,1,\n,1,.5\n.1,2,\n.1,3,\n")
    (tmp_path / "history.csv").write_text("epoch,step\n0,2\n")
    (tmp_path / "checkpoints/last.ckpt").write_bytes(b"x" * 5000)
    return tmp_path


def test_marks_are_what_a_run_has_passed(run, tmp_path_factory):
    begun = ["start", "folder", "data", "audit", "logs", "step 1", "step 2", "step 3", "step 4"]
    assert marks(run, epochs=2) == marks(run, epochs=None) == begun
    assert marks(run, epochs=1) == [*begun, "trained"]
    os.utime(run / "checkpoints/last.ckpt", (0, 0))  # of the epoch before: the new one is not on disk yet
    assert marks(run, epochs=1) == begun
    assert marks(tmp_path_factory.mktemp("none"), epochs=2) == ["start"]
    assert (epochs_of(run), status(run)) == (1, "running")
    assert [place(name) for name in ("logs", "step 4", "report")] == ["before", "training", "after"]


def test_a_moment_lies_between_two_marks_of_its_place():
    times = {"start": 0, "folder": 4, "step 1": 10, "step 2": 12, "trained": 13, "report": 20, "finished": 21}
    assert choose(times, "before", 0.0) == ("start", 0.0)
    assert choose(times, "before", 0.75) == ("folder", 3.0)
    assert choose(times, "training", 0.75) == ("step 2", 0.5)
    assert choose(times, "after", 0.5) == ("report", 0.0)
    for position in (0.0, 0.3, 0.999):
        assert place(choose(times, "after", position)[0]) == "after"


def test_room_is_counted_in_pages_and_once(run, tmp_path):
    before = used(tmp_path)
    os.link(run / "checkpoints/last.ckpt", run / "checkpoints/best.ckpt")
    assert used(tmp_path) == before == 4096 * 4 + 8192
