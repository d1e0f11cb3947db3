import logging

import pytest

from engine.runs.provenance import RunManifest
from engine.runs.signals import Interrupted
from engine.tracking import run_tracking
from engine.tracking.run_tracking import RunTracking, looks, summary_of, trackers_of
from engine.tracking.tracker import Followed


class Fake:
    """Follows runs in a list."""

    def __init__(self, fault=None):
        self.told, self._fault = [], fault

    def begin(self, facts, *, earlier):
        self.told.append(("begin", facts.name, earlier))
        return Followed(id="abc", look="look here")

    def conclude(self, results):
        self.told.append(("conclude", results))

    def end(self, status, summary):
        self.told.append(("end", status, summary))
        if self._fault:
            raise self._fault

    def log_metrics(self, metrics, step=None):
        raise AssertionError


@pytest.fixture
def tracked(tmp_path, monkeypatch):
    def run(*loggers, error=None, resume=None):
        monkeypatch.setattr(run_tracking, "build_all", lambda nodes, key: list(loggers))
        config = {"experiment_name": "mpdrm", "seed": 1, "paths": {"output": str(tmp_path)}, "data": {}}
        config["logger"] = {f"l{i}": {} for i in range(len(loggers))}
        given = {"folder": tmp_path, "config": config, "earlier": resume}
        with RunManifest(**given) as record, RunTracking(config, record=record):
            record.record(chosen={"epoch": 2, "monitor": "val/auc", "value": 0.7, "of": 3})
            if error:
                raise error

    return run


@pytest.mark.parametrize(
    ("error", "status"),
    [(None, "finished"), (ValueError("plantedperson"), "failed"), (Interrupted(15), "interrupted")],
)
def test_a_tracker_hears_how_a_run_ended_and_not_why(tracked, error, status):
    one = Fake()
    if error is None:
        tracked(one)
    else:
        with pytest.raises(type(error)):
            tracked(one, error=error)
    assert one.told == [("begin", "mpdrm", None), ("end", status, {"best/epoch": 2, "best/val/auc": 0.7})]


def test_a_run_that_goes_on_keeps_the_ids_of_its_trackers(tracked, tmp_path):
    tracked(Fake())
    again = Fake()
    tracked(again, resume=tmp_path)
    assert again.told[0] == ("begin", "mpdrm", "abc")
    assert looks(tmp_path) == [("l0", "look here")]


def test_a_tracker_that_fails_at_the_end_does_not_hide_what_stopped_the_run(tracked, caplog):
    with caplog.at_level(logging.WARNING), pytest.raises(ValueError, match="first"):
        tracked(Fake(fault=OSError("no server")), error=ValueError("first"))
    assert "logger l0 could not be told how the run ended: no server" in caplog.text
    with pytest.raises(OSError, match="no server"):
        tracked(Fake(fault=OSError("no server")))


def test_a_logger_of_lightning_is_no_tracker(tmp_path):
    from pytorch_lightning.loggers import CSVLogger

    fake = Fake()
    assert trackers_of([CSVLogger(tmp_path), fake]) == [fake]


def test_other_ranks_tell_nothing(tracked, monkeypatch):
    monkeypatch.setattr(run_tracking, "is_main", lambda: False)
    one = Fake()
    tracked(one)
    assert one.told == []


def test_undefined_numbers_are_left_out_of_the_summary():
    metrics = {
        "test": {"auc": {"value": None, "low": None, "high": None}, "mae": {"value": 2.0}, "note": "x"}
    }
    assert summary_of(metrics) == {"test/mae": 2.0}


def test_folds_are_listed_unless_the_first_command_shows_them(tmp_path, monkeypatch):
    records = {
        tmp_path: {
            "folds": ["fold_0"],
            "tracked": {"tb": {"look": "tb --logdir a"}, "w": {"look": "sync a/w"}},
        },
        tmp_path / "fold_0": {
            "tracked": {"tb": {"look": "tb --logdir a/fold_0"}, "w": {"look": "sync a/fold_0/w"}}
        },
    }
    monkeypatch.setattr(run_tracking, "read_manifest_json", lambda folder: records[folder])
    assert looks(tmp_path) == [("tb", "tb --logdir a"), ("w", "sync a/w\nsync a/fold_0/w")]
