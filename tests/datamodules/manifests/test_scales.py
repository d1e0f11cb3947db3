import pytest

from datamodules.manifests.scales import SCALES


@pytest.mark.parametrize(
    ("name", "first_of_each_band"),
    [
        ("BDI-II", [0, 14, 20, 29]),
        ("PHQ-8", [0, 5, 10, 15, 20]),
        ("PHQ-9", [0, 5, 10, 15, 20]),
        ("HAMD-17", [0, 8, 14, 19, 23]),
        ("DASS-21-D", [0, 10, 14, 21, 28]),
        ("DASS-21-A", [0, 8, 10, 15, 20]),
        ("DASS-21-S", [0, 15, 19, 26, 34]),
    ],
)
def test_bands_begin_where_the_manuals_say(name, first_of_each_band):
    scale = SCALES[name]
    assert [scale.band(score) for score in first_of_each_band] == list(range(len(first_of_each_band)))
    assert [scale.band(score - 1) for score in first_of_each_band[1:]] == list(range(len(scale.bands) - 1))
    assert scale.band(scale.high) == len(scale.bands) - 1 == len(scale.band_names) - 1
    assert scale.bands[-1] == scale.high


@pytest.mark.parametrize(
    ("name", "threshold"), [("BDI-II", 14), ("PHQ-8", 10), ("PHQ-9", 10), ("HAMD-17", 8)]
)
def test_binary_rule(name, threshold):
    assert [SCALES[name].binary(score) for score in (threshold - 1, threshold)] == [0, 1]


@pytest.mark.parametrize("name", SCALES)
def test_scores_outside_the_range_are_refused(name):
    scale = SCALES[name]
    for score in (scale.low - 1, scale.high + 1, float("nan"), float("inf")):
        with pytest.raises(ValueError, match=f"outside {name}"):
            scale.check(score)
        with pytest.raises(ValueError, match=f"outside {name}"):
            scale.band(score)


def test_a_raw_dass_sum_cannot_pass_for_a_doubled_one():
    SCALES["DASS-21-D"].check(14)
    with pytest.raises(ValueError, match="multiply the raw sum"):
        SCALES["DASS-21-D"].check(7)


def test_fractions_fall_into_the_band_below_and_agree_with_the_binary_rule():
    assert SCALES["BDI-II"].band(13.9) == 0
    assert SCALES["BDI-II"].binary(13.9) == 0
