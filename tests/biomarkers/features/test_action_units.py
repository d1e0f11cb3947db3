import numpy as np
import pytest

from biomarkers.features.action_units import (
    SUN_2023,
    SUN_2023_SELECTED,
    Availability,
    available,
    select_units,
)
from datamodules.series.channel_schema import au
from datamodules.series.formats.openface import INTENSITIES, PRESENCES


def openface(make_series, rows=3):
    rng = np.random.default_rng(0)
    intensities = {au(unit): rng.uniform(0, 5, rows) for unit in INTENSITIES}
    return make_series(**intensities, **{au(unit, "present"): np.arange(rows) % 2 for unit in PRESENCES})


def test_openface_lacks_what_published_selections_name(make_series):
    series = openface(make_series)
    assert available(series, SUN_2023).missing == ("au03", "au18", "au19", "au27")
    assert available(series, SUN_2023_SELECTED) == Availability(
        found=("au04", "au07", "au09", "au12"), missing=("au18", "au27")
    )
    assert available(series, INTENSITIES).complete


def test_a_selection_keeps_the_wanted_order_and_reports_the_rest(make_series):
    series = openface(make_series)
    selected, report = select_units(series, (12, 28, 4))
    assert selected.channels == report.found == ("au12", "au04")
    assert report.missing == ("au28",)
    assert not report.complete
    for position, name in enumerate(selected.channels):
        np.testing.assert_array_equal(
            selected.values[:, position], series.values[:, series.channels.index(name)]
        )
    assert str(report) == "found au12, au04; missing au28"


def test_presence_stands_for_an_intensity_only_on_demand_and_is_reported(make_series):
    selected, report = select_units(openface(make_series), (12, 28, 16), presence_intensity=2.5)
    assert (report.found, report.substituted, report.missing) == (("au12",), ("au28",), ("au16",))
    assert selected.values[:, 1].tolist() == [0.0, 2.5, 0.0]
    assert not report.complete
    assert "presence in place of intensity of au28" in str(report)


def test_what_cannot_be_selected_is_refused(make_series):
    series = make_series(au12=[1.0], gaze_x=[0.0])
    with pytest.raises(ValueError, match=r"none of au16, au28 is there \(found: au12, gaze_x\)"):
        select_units(series, (16, 28))
    with pytest.raises(ValueError, match="names one of them twice"):
        select_units(series, (12, 12))
    with pytest.raises(ValueError, match="presence_intensity=9"):
        select_units(series, (12,), presence_intensity=9)
