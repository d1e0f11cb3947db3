import numpy as np
import pytest

from biomarkers.oculomotor.iris import IrisDiameter


def test_the_iris_is_measured_and_called_no_pupil(make_series):
    size = np.linspace(9, 11, 60)  # pixels
    ring = {469: (0.5, 0), 470: (0, 0.5), 471: (-0.5, 0), 472: (0, -0.5)}
    ring |= {k + 5: at for k, at in ring.items()}
    points = {f"mesh_{axis}_{k}": size * at[j] for k, at in ring.items() for j, axis in enumerate("xy")}
    measured = IrisDiameter().measure(make_series(**points), recording="r")
    assert measured.values["iris_diameter"] == pytest.approx(10)
    assert measured.values["iris_diameter_sd"] == pytest.approx(size.std(ddof=1), rel=1e-5)
    assert measured.notes == ("iris in px: a measure of distance, no pupil",)


def test_without_points_there_are_reasons(make_series):
    measured = IrisDiameter().measure(make_series(au45=np.zeros(60)), recording="r")
    assert set(measured.gaps.values()) == {"no iris points of MediaPipe"}
