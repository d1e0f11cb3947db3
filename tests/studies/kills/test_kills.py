"""The study of kills: its plan, its moments and its table; two real kills."""

import pytest

from studies.kills.__main__ import Watch, main, plan
from studies.kills.commands import COMMANDS
from studies.kills.page import counts


def test_every_command_is_killed_by_both_signals_over_all_of_its_way():
    cases = plan(60, seed=0, commands=tuple(COMMANDS))
    assert len(COMMANDS) == 4
    for name in COMMANDS:
        own = [case for case in cases if case["command"] == name]
        assert {case["signal"] for case in own} == {"SIGKILL", "SIGTERM"}
        places = sorted(case["position"] for case in own)
        assert all(number / 15 <= place < (number + 1) / 15 for number, place in enumerate(places))
    assert plan(60, seed=0, commands=tuple(COMMANDS)) == cases != plan(60, seed=1, commands=tuple(COMMANDS))


def test_a_file_that_comes_or_changes_is_an_event_and_a_log_is_none(tmp_path):
    watch = Watch(tmp_path / "run")
    assert watch.look() == 0
    (tmp_path / "run" / "logs").mkdir(parents=True)
    (tmp_path / "run" / "logs" / "a.csv").write_text("1")
    (tmp_path / "run" / ".b.partial").write_text("1")
    assert watch.look() == 0
    table = tmp_path / "run" / "b.csv"
    table.write_text("1")
    assert (watch.look(), watch.look()) == (1, 1)
    table.write_text("12")
    assert watch.look() == 2
    assert watch.names == ["b.csv", "b.csv"]


def test_the_table_counts_what_was_met_and_what_was_lost():
    case = {"case": 1, "command": "folds", "signal": "SIGTERM", "of": 9, "faults": []}
    text = counts([case | {"events": 0}, case | {"events": 4, "faults": ["metrics.json"]}])
    assert "| folds | SIGTERM | 2 | 1 | 1 | 0 | 1 |" in text
    assert "1 of 2 lost" in text
    assert "- case 1, folds: metrics.json" in text


@pytest.mark.slow
def test_two_kills_lose_nothing(tmp_path, capsys):
    assert main(kills=2, commands=("encoding",), out=tmp_path) == 0
    assert "0 of 2 lost" in capsys.readouterr().out
