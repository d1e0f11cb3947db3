import json
import logging
import shlex
from pathlib import Path

import pandas as pd
import pytest

from engine.runs import terminal
from engine.runs.terminal import after_training, conclude, duration, made_up, shown, with_progress_bar
from engine.train import _conclude, train


def test_a_bar_is_drawn_where_somebody_sees_it_or_asks_for_it(monkeypatch):
    for seen in (True, False):
        monkeypatch.setattr("sys.stdout.isatty", lambda seen=seen: seen, raising=False)
        assert with_progress_bar({"max_epochs": 1}) == {"enable_progress_bar": seen, "max_epochs": 1}
    assert with_progress_bar({"enable_progress_bar": True})["enable_progress_bar"]


def test_the_next_commands_of_a_run_name_its_checkpoint_and_where_its_recordings_are(series_run, cohorts):
    evaluation, prediction = after_training(series_run.folder)
    words = dict(word.split("=", 1) for word in shlex.split(evaluation) if "=" in word)
    assert Path(words["ckpt_path"]).samefile(series_run.best)
    assert Path(words["paths.data"]).samefile(cohorts)
    assert words["audit"] == "true"
    assert prediction.startswith(f"python predict.py ckpt_path={shown(series_run.best)} input=")


@pytest.mark.parametrize(
    ("manifest", "added"),
    [
        ({"_target_": terminal.SYNTHETIC, "root": "data/synthetic"}, []),
        ({"_target_": "a.corpus", "root": "/corpora/a b"}, ["paths.data='/corpora/a b'"]),
        ({"_target_": "read", "path": "/own/table.csv"}, ["manifest=/own/table.csv"]),
        ({"_target_": "moved", "manifest": {"_target_": "read", "path": "data/table.csv"}}, []),
    ],
)
def test_recordings_elsewhere_are_named(manifest, added):
    config = {"paths": {"data": "data"}, "data": {"manifest": manifest}}
    assert terminal.place_word(config) == added


def test_a_made_up_cohort_is_known_whatever_is_done_to_it():
    assert made_up({"_target_": "x", "manifest": {"_target_": terminal.SYNTHETIC}})
    assert made_up({"_target_": "joined", "manifests": [{"_target_": terminal.SYNTHETIC}]})
    assert not made_up({"_target_": "read", "path": "synthetic.csv"})


def test_a_finished_run_ends_with_nothing_to_do_and_its_result(series_run, caplog):
    with caplog.at_level(logging.INFO):
        value = train(series_run.config | {"resume": str(series_run.folder)}, folder=series_run.folder)
    assert value == series_run.objective
    last = caplog.records[-1].getMessage().splitlines()
    assert last[0].startswith("nothing to do")
    names = [line.split()[0] for line in last[1:]]
    assert names[:6] == ["experiment", "data", "recordings", "test", "constant", "nuisance"]
    assert next(line for line in last if line.split()[0] == "data").split()[1] == "SYNTHETIC"
    assert {"chosen", "folder", "report", "next"} <= set(names)


def test_a_training_ends_with_what_speaks_against_it(tmp_path, caplog):
    chosen = {"epoch": 2, "monitor": "val/mae", "value": 9.0, "of": 5}
    (tmp_path / "manifest.json").write_text(json.dumps({"chosen": chosen}))
    for auc, told in ((0.4, ["note"]), (0.6, [])):
        pd.DataFrame({"epoch": range(5), "val/auc": auc}).to_csv(tmp_path / "history.csv", index=False)
        with caplog.at_level(logging.INFO):
            _conclude("training is finished", tmp_path)
        rows = [line.split(maxsplit=1) for line in caplog.messages[-1].splitlines()[1:]]
        assert [name for name, _ in rows] == ["chosen", *told, "folder"]
        assert ("worse than chance: AUC 0.400 in epoch 3" in caplog.messages[-1]) == bool(told)


def test_the_pages_are_named_and_other_ranks_are_silent(tmp_path, caplog, monkeypatch):
    (tmp_path / "audit.html").touch()
    with caplog.at_level(logging.INFO):
        conclude("done", tmp_path, following=["next one"])
        monkeypatch.setattr(terminal, "is_main", lambda: False)
        conclude("done", tmp_path)
    (told,) = caplog.messages
    rows = [line.split(maxsplit=1) for line in told.splitlines()[1:]]
    assert rows == [["folder", str(tmp_path)], ["audit", str(tmp_path / "audit.html")], ["next", "next one"]]


def test_what_is_no_test_says_so_below_its_result(tmp_path, caplog):
    test = {"auc": {"value": 0.9, "low": None, "high": None}, "counts": {"recordings": 8}}
    (tmp_path / "metrics.json").write_text(json.dumps({"test": test}))
    (tmp_path / "manifest.json").write_text(json.dumps({"seen_in_training": {"files": 8}}))
    with caplog.at_level(logging.INFO):
        conclude("done", tmp_path)
    rows = [line.split(maxsplit=1) for line in caplog.messages[-1].splitlines()[1:]]
    assert [name for name, _ in rows] == ["test", "caution", "folder"]
    assert rows[1][1].startswith("This is no test: 8 of 8 ")


def test_lengths_of_time_are_short():
    assert [duration(s) for s in (0.4, 59, 61, 3500, 3599.7, 7500)] == [
        "0 s",
        "59 s",
        "1 min",
        "58 min",
        "1 h 00 min",
        "2 h 05 min",
    ]
