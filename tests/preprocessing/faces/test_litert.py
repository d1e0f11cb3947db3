"""The backend on LiteRT on a photograph."""

import numpy as np
import pytest

from preprocessing.faces.litert import LitertFaces


@pytest.fixture(scope="session")
def astronaut():
    data = pytest.importorskip("skimage.data", reason="scikit-image has the photograph")
    return data.astronaut()


def test_the_face_and_the_irises_of_a_photograph_are_where_they_are(face_models, astronaut):
    [faces] = LitertFaces(models=face_models).faces([astronaut])
    assert len(faces.boxes) == 1
    irises = faces.landmarks[0, [468, 473], :2] + 0.5  # known places, counted from the corner of the picture
    assert np.abs(irises - [[203.5, 101.1], [246.6, 103.5]]).max() < 1
