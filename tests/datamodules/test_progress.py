import logging
import time

import pytest

from datamodules import progress
from datamodules.progress import Progress


@pytest.mark.parametrize(("between", "lines"), [(0.0, 3), (30.0, 0)])
def test_without_a_terminal_long_loops_are_told_in_the_log_and_short_ones_are_not(
    between, lines, caplog, monkeypatch, capsys
):
    monkeypatch.setattr("sys.stderr.isatty", lambda: False, raising=False)
    monkeypatch.setattr(progress, "_SECONDS", between)
    with caplog.at_level(logging.INFO, "datamodules.progress"):
        for _ in Progress(["a", "b", "c"], desc="Cohort"):
            time.sleep(0.02)
    told = [record.getMessage() for record in caplog.records]
    assert len(told) >= lines
    assert bool(told) == bool(lines)
    assert capsys.readouterr().err == ""
    if lines:
        assert any(line.startswith("Cohort: 1 of 3, about 0") for line in told)
        assert told[-1] == "Cohort: 3 of 3"
