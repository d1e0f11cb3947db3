import math
import re
from fractions import Fraction

import numpy as np
import pandas as pd
import pytest

from preprocessing.page.timeline import PARTS, strip, timeline
from preprocessing.quality.gate import REASONS, Verdict


def area(path):
    """Width x height summed over the bars of a path."""
    return sum(int(w) * int(h) for w, h in re.findall(r"h(\d+)v(\d+)", path))


@pytest.mark.parametrize("total", [1, 3, 119, 120, 121, 5000])
def test_digits_are_ninths_of_what_is_lost_rounded_up(total):
    rng = np.random.default_rng(total)
    frames = pd.DataFrame({reason: rng.random(total) < 0.1 for reason in REASONS})
    first = frames.idxmax(axis=1).where(frames.any(axis=1))
    part = pd.Series(np.arange(total)) * min(total, PARTS) // total
    digits = timeline(Verdict(reasons={reason: frames[reason].to_numpy() for reason in REASONS}))
    assert set(digits) == set(first.dropna())
    for reason, text in digits.items():
        shares = (first == reason).groupby(part).agg(lambda one: Fraction(int(one.sum()), len(one)))
        assert [int(digit) for digit in text] == [math.ceil(9 * share) for share in shares]


def test_one_lost_frame_among_many_is_seen(make_verdict):
    digits = timeline(make_verdict(100_000, {"dark": [70_000]}))
    assert list(digits) == ["dark"]
    assert digits["dark"].index("1") == 70_000 * PARTS // 100_000
    assert set(digits["dark"]) == {"0", "1"}


def test_nothing_lost_and_no_frames_are_empty(make_verdict):
    assert timeline(make_verdict(10)) == timeline(make_verdict(0)) == {}
    assert strip({}) == []


def test_bars_are_stacked_from_the_top_and_end_at_the_bottom():
    bars = dict(strip({"dark": "0399", "jump": "9900"}))
    assert bars == {"dark": "M1 0h1v3h-1zM2 0h2v9h-2z", "jump": "M0 0h1v9h-1zM1 3h1v6h-1z"}
    assert area(bars["dark"]) + area(bars["jump"]) == 9 * 4
