import pytest

from studies.coverage.compare_null import LINES, rejected, write_page


@pytest.mark.slow
def test_another_scale_does_not_cost_power(tmp_path):
    equal, shifted = (rejected(LINES[0], scale, studies=40) for scale in ("equal", "shifted"))
    assert shifted["power, ranks"] == equal["power, ranks"] > 0.4
    assert shifted["power, values"] < equal["power, ranks"] - 0.2
    assert equal["null, ranks"] < 0.2
    write_page(tmp_path / "page.md", [(LINES[0], "shifted", shifted)], studies=40)
    assert "| 40 x 3, of the person | shifted |" in (tmp_path / "page.md").read_text()
