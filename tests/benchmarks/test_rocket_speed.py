import pytest

from benchmarks import rocket_speed


@pytest.mark.slow
def test_both_ways_are_timed_in_one_run(capsys):
    rocket_speed.main(recordings=4, kernels=50, rounds=1)
    shown = capsys.readouterr().out
    assert "4 recordings of 900 frames and 17 channels, 50 kernels" in shown
    assert float(shown.split("ratio ")[1]) > 0


def test_recordings_have_gaps_of_zeros():
    for series in rocket_speed.draw(3):
        assert series.values.shape == (900, 17)
        assert 10 <= (~series.valid).sum() <= 30
        assert not series.values[~series.valid].any()
