"""A report that cannot be written: the run says so, keeps its numbers, and goes on by the same command."""

import errno
import json
import os

import pytest

from engine.inference import outputs


@pytest.mark.slow  # two trainings
def test_a_report_that_cannot_be_written_fails_the_run_and_is_written_the_next_time(
    series_run, small_run, tmp_path, monkeypatch
):
    folder, write = tmp_path / "run", outputs.write_report

    def full(path, **given):
        path.write_text("<html>half")
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(path))

    monkeypatch.setattr(outputs, "write_report", full)
    with pytest.raises(OSError, match=r"report\.html cannot be written: No space left"):
        small_run(folder, "data.module.eval_clips.clips=3")  # as the run that it is held against
    record = json.loads((folder / "manifest.json").read_text())
    assert record["status"].startswith("failed: ")
    assert record["exit_status"] == 1
    monkeypatch.setattr(outputs, "write_report", write)
    small_run(folder, "data.module.eval_clips.clips=3")  # as the run that it is held against
    record = json.loads((folder / "manifest.json").read_text())
    assert record["status"] == "finished"
    assert (folder / "metrics.json").read_bytes() == (series_run.folder / "metrics.json").read_bytes()
    assert (folder / "report.html").read_text().rstrip().endswith("</html>")
    assert record["test_looks"] == 1  # the look that was interrupted has counted already
