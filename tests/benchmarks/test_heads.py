import re

import pytest

from benchmarks import heads


@pytest.mark.parametrize("attentive", [False, True])
def test_both_ways_are_timed_and_end_alike(attentive, capsys):
    heads.main(heads=8, recordings=6, tokens=2, channels=8, steps=4, rounds=1, attentive=attentive)
    shown = capsys.readouterr().out
    assert "8 attentive heads" in shown if attentive else "8 linear heads" in shown
    assert float(re.search(r"ratio ([\d.]+);", shown)[1]) > 0
    assert float(re.search(r"at most (\S+)", shown)[1]) < 1e-4
