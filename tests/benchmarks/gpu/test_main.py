"""The script for a device runs from end to end on the CPU."""

import json
from importlib import import_module

import pytest

main = import_module("benchmarks.gpu.__main__")


@pytest.mark.slow
def test_every_part_runs_on_the_cpu(tmp_path, capsys):
    main.main(device="cpu", size="small", out=tmp_path)
    found = json.loads((tmp_path / "gpu.json").read_text())
    parts = ("ceiling", "pixels", "series", "decoding", "epoch")
    assert [name for name in found if name in parts] == list(parts)
    faults = [row["fault"] for part in parts for row in found[part] if "fault" in row]
    assert faults == []
    assert all(0 <= row["waits"] <= 1 for row in found["epoch"])
    assert {row["chosen"] for row in found["epoch"] if row["decode"] == "auto"} == {"worker"}
    assert capsys.readouterr().out.count("| way |") == 2


def test_a_table_has_the_columns_of_all_rows():
    text = main.table([{"a": 1.23456, "b": "x"}, {"a": None, "fault": "y"}])
    assert text.splitlines() == ["| a | b | fault |", "|---|---|---|", "| 1.235 | x |  |", "|  |  | y |"]
