import numpy as np
import pytest

from datamodules.split_leakage.file_content import Content
from datamodules.split_leakage.fingerprint import CURVES, fingerprint

NAMES = [f"c{number}" for number in range(20)]


def shown(values, names=NAMES, fps=20.0):
    return fingerprint(values, names, valid=np.ones(len(values), dtype=bool), fps=fps, kind="series")


@pytest.fixture
def values():
    steps = np.random.default_rng(0).normal(size=(200, len(NAMES)))
    return np.cumsum(steps, axis=0)


def test_the_curves_are_the_channels_resampled_and_standardized(values):
    smooth = np.sin(np.arange(200)[:, None] / [9, 5] + [0, 1]) * [1, 100] + [0, 7]
    found = shown(smooth, ["x", "y"])
    assert shown(values).steps.shape == (100 - 4, CURVES)  # 10 s of 20 rows/s, without the edges
    inside = smooth[4:196:2]  # every tenth of a second
    expected = np.corrcoef(inside.T, found.steps.T)[:2, 2:]
    assert np.sort(np.abs(expected).max(axis=0)) == pytest.approx([1, 1], abs=0.005)
    assert found.steps.std(axis=0) == pytest.approx([24, 24], abs=2)


def test_neither_order_nor_other_channels_change_which_curves_are_taken(values):
    turned = shown(values[:, ::-1], NAMES[::-1])
    assert turned.names == shown(values).names
    assert np.array_equal(turned.steps, shown(values).steps)
    half = shown(values[:, :10], NAMES[:10])
    assert set(half.names) & set(turned.names)


def test_spikes_are_drawn_back_and_behavior_is_not(values):
    plain = shown(values)
    spiky = values.copy()
    spiky[50], spiky[120] = 1e6, -1e6
    assert np.abs(shown(spiky).steps.astype(int) - plain.steps).max() <= 8
    burst = np.zeros((200, 1))
    burst[80:90] = 5.0  # as a blink: at rest but for half a second
    assert shown(burst, ["blink"]).steps.max() == shown(burst * 3, ["blink"]).steps.max() > 60


def test_what_is_packed_is_unpacked_and_nothing_longer_is_taken(values):
    stored = Content("0" * 64, "series", shown(values)).packed()
    again = Content.unpacked(stored)
    assert np.array_equal(again.shown.steps, shown(values).steps)
    assert again.shown.names == shown(values).names
    for wrong in ({"names": stored["names"] * 2}, {"steps": stored["steps"] * 9}, {"names": []}):
        with pytest.raises(ValueError, match=r"fingerprint|reshape"):
            Content.unpacked(stored | wrong)
