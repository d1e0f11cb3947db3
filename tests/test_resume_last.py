"""`resume=last` on the command line, in the place where runs go unless told otherwise."""

import json
import time

import pandas as pd
import pytest

from tests.commands import Command

NOT_DEFAULT = ("trainer.max_epochs", "data.module.num_workers", "logger")


def start(*arguments, cwd):
    return Command("train.py", *arguments, cwd=cwd, both=True)


@pytest.mark.command
def test_the_newest_run_goes_on_where_it_was_killed(series_overrides, series_run, cohorts, tmp_path):
    kept = [one for one in series_overrides if not one.startswith(NOT_DEFAULT)]
    line = [*kept, f"paths.data={cohorts}"]
    none = start(*line, "resume=last", cwd=tmp_path).wait(120).stdout
    assert "resume=last: no run lies below outputs/mpdrm_series" in none
    assert "Traceback" not in none
    assert not list(tmp_path.rglob("manifest.json"))

    job = start(*line, cwd=tmp_path)
    while job.poll() is None and not list(tmp_path.glob("outputs/mpdrm_series/*/checkpoints/previous.ckpt")):
        time.sleep(0.01)
    job.kill()
    job.wait()
    (run,) = (path.parent for path in tmp_path.glob("outputs/mpdrm_series/*/manifest.json"))
    record = json.loads((run / "manifest.json").read_text())
    assert record["status"] == "running"
    epochs = record["config"]["trainer"]["max_epochs"]
    before = pd.read_csv(run / "history.csv")
    assert 0 < len(before) < epochs

    said = start(*line, "resume=last", cwd=tmp_path).wait(120).stdout
    assert "it was killed" in said
    assert [path.parent for path in tmp_path.glob("outputs/mpdrm_series/*/manifest.json")] == [run]
    assert json.loads((run / "manifest.json").read_text())["status"] == "finished"
    after = pd.read_csv(run / "history.csv")
    assert after["epoch"].tolist() == list(range(epochs))
    pd.testing.assert_frame_equal(after.head(len(before)), before, check_exact=True)
    assert (run / "report.html").is_file()
