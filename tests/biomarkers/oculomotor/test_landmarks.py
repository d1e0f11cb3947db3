import numpy as np
import pytest

from biomarkers.oculomotor.landmarks import eye_aspect_ratio, iris_diameters, ring_diameters


def test_rings_have_the_diameters_they_were_drawn_with(make_series, eye_channels):
    pupils = np.array([[5.0, 6.0], [4.0, 3.0]])
    pupil, iris = ring_diameters(make_series(**eye_channels(pupils, decimals=6)))
    np.testing.assert_allclose(pupil, pupils, atol=1e-4)
    np.testing.assert_allclose(iris, 12.0, atol=1e-4)


def test_lids_open_by_height_over_width(make_series, eye_channels):
    channels = eye_channels(np.full((2, 2), 5.0), openings=[10.0, 2.5], decimals=6)
    np.testing.assert_allclose(eye_aspect_ratio(make_series(**channels)), [10 / 25, 2.5 / 25], atol=1e-5)


def test_the_68_points_serve_where_there_is_no_model_of_the_eye(make_series):
    eye = np.array([[0, 0], [2, -1], [4, -1], [6, 0], [4, 1], [2, 1]], dtype=float)  # width 6, opening 2
    points = np.concatenate([eye, eye * [1, 2] + 20])  # the other eye is open twice as far
    channels = {f"{axis}_{36 + k}": [points[k, j]] for j, axis in enumerate("xy") for k in range(12)}
    assert eye_aspect_ratio(make_series(**channels)) == pytest.approx([(2 / 6 + 4 / 6) / 2])


def test_mediapipe_gives_the_iris_in_pixels_or_along_the_width(make_series):
    ring = {469: (4, 0), 470: (0, 3), 471: (-4, 0), 472: (0, -3)}  # 8 wide, 6 high
    ring |= {k + 5: (2 * x, 2 * y) for k, (x, y) in ring.items()}
    pixels = {f"mesh_{axis}_{k}": [p[j]] for k, p in ring.items() for j, axis in enumerate("xy")}
    diameters, unit = iris_diameters(make_series(**pixels))
    assert unit == "px"
    np.testing.assert_allclose(diameters, [[7.0, 14.0]])
    shares = {name.replace("mesh_", "mesh_rel_"): np.array(x) / 100 for name, x in pixels.items()}
    diameters, unit = iris_diameters(make_series(**shares))
    assert unit == "share of the image's width"
    np.testing.assert_allclose(diameters, [[0.08, 0.16]], atol=1e-6)


def test_without_all_points_there_is_nothing(make_series, eye_channels):
    channels = eye_channels(np.full((2, 2), 5.0))
    del channels["eye_lmk_Z_55"]
    series = make_series(**channels)
    assert ring_diameters(series) is None
    assert iris_diameters(series) is None
