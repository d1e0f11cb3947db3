import json

import pytest
from scipy.stats import binom

from benchmarks.speed.paired import in_turn, ratio, table, written


def test_the_interval_of_fifteen_ratios_is_from_the_fourth_to_the_twelfth():
    ratios = [float(number) for number in range(1, 16)]
    found = ratio(ratios, [1.0] * 15)
    assert found == (8.0, 4.0, 12.0)
    assert 1 - 2 * binom.cdf(3, 15, 0.5) >= 0.95 > 1 - 2 * binom.cdf(4, 15, 0.5)


def test_few_rounds_show_their_range():
    assert ratio([1.0, 3.0, 2.0], [1.0, 1.0, 1.0]) == (2.0, 1.0, 3.0)


def test_ways_take_turns_and_warm_rounds_do_not_count():
    calls = []

    def way(name):
        def work():
            calls.append(name)
            return float(len(calls))

        return work

    found = in_turn({"a": way("a"), "b": way("b")}, rounds=2)
    assert calls == ["a", "b", "b", "a", "a", "b"]
    assert found == {"a": [4.0, 5.0], "b": [3.0, 6.0]}


def test_a_table_has_medians_in_milliseconds():
    text = table({"bare": [1.0, 1.0, 1.0], "ours": [1.0, 2.0, 3.0]}, per=10, to="bare", unit="step")
    assert text.splitlines()[-1] == "| ours | 200.00 [100.00, 300.00] | 2.000 [1.000, 3.000] |"


def test_what_is_written_says_on_which_machine(tmp_path):
    found = json.loads(written(tmp_path, "x", {"a": 1}).read_text())
    assert found["a"] == 1
    assert found["environment"]["hardware"]["cores"] >= 1


def test_ratios_need_as_many_of_both():
    with pytest.raises(ValueError, match="zip"):
        ratio([1.0], [1.0, 2.0])
