"""The kill study: its plan, its comparison, and two real kills."""

import pytest

from studies.preprocess_kills.__main__ import WHOM, different, main, plan
from studies.preprocess_kills.page import counts


def test_moments_are_spread_over_all_of_the_way():
    cases = plan(20, seed=0)
    assert len({case["case"] for case in cases}) == 40
    for executor in ("processes", "ray"):
        places = sorted(case["position"] for case in cases if case["executor"] == executor)
        assert all(number / 20 <= place < (number + 1) / 20 for number, place in enumerate(places))
        assert {case["whom"] for case in cases if case["executor"] == executor} == set(WHOM)
    assert plan(20, seed=0) == cases != plan(20, seed=1)


def test_every_file_counts_but_logs_and_the_page(tmp_path):
    for name in "ab":
        for file in ("clips/1.mp4", "entries/1.json", "logs/now/preprocess.log", "faces.html"):
            path = tmp_path / name / file
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(file.encode())
    first, second = tmp_path / "a", tmp_path / "b"
    (second / "logs" / "now" / "preprocess.log").write_bytes(b"other")
    (second / "faces.html").write_bytes(b"other")
    assert different(first, second) == []
    (second / "clips" / "1.mp4").write_bytes(b"other")
    (second / "clips" / ".1.host-7.mp4").write_bytes(b"half")
    (second / "entries" / "1.json").unlink()
    assert sorted(different(first, second)) == [
        "clips/.1.host-7.mp4 is left over", "clips/1.mp4", "entries/1.json is missing"
    ]  # fmt: skip


def test_the_table_counts_where_kills_fell():
    case = {"case": "x", "executor": "ray", "whom": "group", "of": 5, "faults": []}
    cases = [case | {"entries": 0}, case | {"entries": 3, "faults": ["clips/1.mp4"]}, case | {"entries": 5}]
    text = counts(cases)
    assert "| ray | group | 3 | 1 | 1 | 1 | 1 |" in text
    assert "2 of 3 caches equal" in text
    assert "- x: clips/1.mp4" in text


@pytest.mark.slow
def test_two_kills_leave_nothing_behind(face_models, tmp_path, capsys):
    assert main(kills=2, videos=2, executors=("processes",), out=tmp_path) == 0
    assert "2 of 2 caches equal" in capsys.readouterr().out
