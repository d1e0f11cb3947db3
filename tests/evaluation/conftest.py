import numpy as np
import pandas as pd
import pytest


def draw_cohort(*, subjects=30, visits=3, seed=0, split="test", first=0):
    """Recording table of a cohort whose predictions follow the truth with noise."""
    rng = np.random.default_rng(seed)
    level = np.repeat(rng.normal(17, 8, subjects), visits)
    score = np.clip(np.round(level + rng.normal(0, 6, level.size)), 0, 63)
    predicted = 0.7 * score + 5 + rng.normal(0, 4, score.size)
    return pd.DataFrame(
        {
            "recording_id": [f"r{first + i:04d}" for i in range(score.size)],
            "subject_id": np.repeat([f"p{first + i:03d}" for i in range(subjects)], visits),
            "session_id": np.tile([f"v{i + 1}" for i in range(visits)], subjects),
            "split": split,
            "score_target": score,
            "score_prediction": predicted,
            "binary_target": (score >= 14).astype(float),
            "binary_prediction": 1 / (1 + np.exp(-(predicted - 16) / 5)),
            "band_target": np.digitize(score, [14, 20, 29]).astype(float),
            "band_prediction": np.clip(predicted / 10 - 0.5, 0, 3),
        }
    )


@pytest.fixture
def recordings():
    return draw_cohort()


@pytest.fixture
def validation():
    return draw_cohort(seed=1, split="val", first=500)


@pytest.fixture(scope="session")
def cohort():
    return draw_cohort
