import re

from benchmarks import evaluation_cost


def test_both_ways_agree_and_a_visit_at_a_time_is_slower(capsys):
    evaluation_cost.main(["--recordings", "102", "--rounds", "1"])
    rows = capsys.readouterr().out.splitlines()[1:]
    ratios = {row.split()[0]: float(re.split(r"\s+", row)[4]) for row in rows}
    assert set(ratios) == {"changes", "resamples", "together"}
    assert ratios["changes"] > 10
    assert ratios["together"] > 1.5
