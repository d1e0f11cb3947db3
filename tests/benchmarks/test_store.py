import re

import pytest

from benchmarks import store


@pytest.mark.parametrize("attentive", [False, True])
def test_a_probe_on_stored_tokens_ends_as_one_through_the_frozen_encoder(attentive, capsys):
    store.main(windows=8, frames=2, size=16, epochs=2, batch=3, attentive=attentive)
    first, *rest = capsys.readouterr().out.splitlines()
    assert ("attentive probe" if attentive else "linear probe") in first
    low, high = map(float, re.search(r"predictions (\S+) to (\S+)$", first).groups())
    assert 0 < low < high < 1
    found = {line.partition(":")[0]: line for line in rest}
    assert list(found) == ["float32", "float16", "bfloat16"]
    assert all(float(re.search(r"ratio (\d+);", line)[1]) > 1 for line in rest)
    off = {name: float(line.rpartition(" ")[2]) for name, line in found.items()}
    assert off["float32"] < 1e-5
    assert 0 < off["float16"] < off["bfloat16"] < 1e-2  # they are stored with fewer digits
