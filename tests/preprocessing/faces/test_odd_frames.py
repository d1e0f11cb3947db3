import numpy as np
import pytest

from preprocessing.faces.litert import LitertFaces


@pytest.mark.filterwarnings("error::RuntimeWarning")
@pytest.mark.parametrize("size", [(1, 1), (2, 2), (1, 400), (10, 3000), (3000, 10), (17, 31)])
def test_frames_too_small_or_narrow_for_a_face_have_none(face_models, size):
    noise = np.random.default_rng(0).integers(0, 256, (*size, 3), dtype=np.uint8)
    assert [len(faces.confidence) for faces in LitertFaces().faces([noise, noise])] == [0, 0]
