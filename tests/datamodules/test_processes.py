import os

import pytest

from datamodules.processes import cores


@pytest.mark.parametrize(
    ("limit", "bound", "expected"),
    [
        ("max 100000", 8, 8),
        ("250000 100000", 8, 3),
        ("50000 100000", 8, 1),
        ("900000 100000", 4, 4),
        ("?", 4, 4),
    ],
)
def test_cores_are_those_bound_to_and_granted(tmp_path, monkeypatch, limit, bound, expected):
    file = tmp_path / "cpu.max"
    file.write_text(limit + "\n")
    monkeypatch.setattr(os, "sched_getaffinity", lambda process: set(range(bound)), raising=False)
    assert cores(file) == expected
    assert cores(tmp_path / "none") == bound
