import pytest

from benchmarks import costs


@pytest.mark.parametrize("name", ["changes", "facts", "plan_long", "digests"])
def test_a_workload_takes_time(name):
    assert 0 < costs.measure(name) < 60


def test_a_row_holds_the_medians_and_the_range_of_the_ratios(tmp_path, monkeypatch):
    seconds = iter([4.0, 1.0, 9.0, 3.0, 4.0, 2.0])  # before and after in turn
    monkeypatch.setattr(costs, "_in", lambda checkout, name: next(seconds))
    last = costs.table(tmp_path, names=["plan"], rounds=3).splitlines()[-1]
    assert last.endswith("| 4 | 2 | 3.0 [2.0, 4.0] |")


def test_a_workload_that_fails_is_named(tmp_path):
    with pytest.raises(RuntimeError, match="is no checkout"):
        costs._in(tmp_path, "plan")
