"""Similarities against scikit-image's estimate (Umeyama 1991) and against inverses by numpy."""

import numpy as np
import pytest
from skimage.transform import SimilarityTransform

from preprocessing.alignment.similarity import Similarities, as_complex, bounded, fit
from preprocessing.alignment.template import template
from preprocessing.faces.topology import IBUG68, MESH


@pytest.mark.parametrize("topology", [MESH, IBUG68], ids=lambda one: one.name)
def test_the_fit_is_umeyamas(topology):
    rng = np.random.default_rng(0)
    layout = template(topology, size=224, margin=0.25)
    points = np.stack([rng.normal(300, 40, layout.shape) + 2 * layout for _ in range(5)])
    fitted = fit(as_complex(layout), as_complex(points))
    for row, matrix in zip(points, fitted.inverse_matrices(), strict=True):
        there = SimilarityTransform.from_estimate(layout, row)
        np.testing.assert_allclose(matrix, np.linalg.inv(there.params)[:2], atol=1e-8)


def test_a_bound_leaves_what_is_within_and_ends_on_it_else():
    points = np.array([0, 10, 10j])
    measured = Similarities(turn=np.ones(2, complex), shift=np.zeros(2, complex))
    smooth = Similarities(turn=np.array([1, 1.5 + 0.2j]), shift=np.array([0.5 + 0j, 3 - 1j]))
    held = bounded(smooth, measured, points, np.array([2.0, 2.0]))
    assert held.shift[0] == 0.5
    away = np.abs(held(points) - measured(points)).max(axis=1)
    np.testing.assert_allclose(away, [0.5, 2.0])


def test_unknown_points_give_unknown_matrices():
    fitted = fit(np.array([0, 1, 1j]), np.array([[0, 1, np.nan]]))
    assert np.isnan(fitted.inverse_matrices()).all()


def test_eyes_are_level_and_where_the_margin_puts_them():
    for topology in (MESH, IBUG68):
        at = dict(zip(topology.rigid, template(topology, size=224, margin=0.25), strict=True))
        right = (at[topology.right_eye[0]] + at[topology.right_eye[3]]) / 2
        left = (at[topology.left_eye[0]] + at[topology.left_eye[3]]) / 2
        # 224 pixels are 1.5 faces of 2.2 distances between the eyes
        np.testing.assert_allclose(left - right, [224 / 3.3, 0], atol=1e-9)
        np.testing.assert_allclose((left + right) / 2, [111.5, 111.5 - 0.5 * 224 / 3.3])
