"""Series and feature tables that tests make."""

import numpy as np
import pandas as pd
import pytest

from datamodules.series import Series
from datamodules.synthetic.latent import LatentSettings, behave, draw_cohort, statistics


@pytest.fixture
def make_series():
    """Build a series from channels by name; invalid rows hold 0 as the readers guarantee."""

    def build(*, fps=10.0, valid=None, seconds="rate", **channels) -> Series:
        values = np.stack([np.asarray(x, dtype=np.float32) for x in channels.values()], axis=1)
        valid = np.ones(len(values), dtype=bool) if valid is None else np.asarray(valid)
        if isinstance(seconds, str):
            seconds = None if fps is None else np.arange(len(values)) / fps
        return Series(
            values=np.where(valid[:, None], values, 0).astype(np.float32),
            channels=tuple(channels),
            valid=valid,
            fps=fps,
            seconds=seconds,
        )

    return build


@pytest.fixture(scope="session")
def latent_tables():
    """Draw `(features, labels)`: means of all channels, and whether severity is above the average."""

    def draw(*, persons, visits=1, seed=0):
        settings = LatentSettings(persons, visits, 10.0, 4.0, confound=1.0, habit_visibility=0.1, seed=seed)
        features, labels = [], []
        for visit in draw_cohort(settings):
            subject = visit.person.subject_id
            ids = {"recording_id": f"{subject}_{visit.session_id}"}
            read = statistics(behave(visit, settings))
            means = {name: value for name, value in read.items() if name.endswith("_mean")}
            features.append(ids | {"subject_id": subject, "session_id": visit.session_id} | means)
            labels.append(ids | {"binary": int(visit.severity > 0), "score": visit.severity})
        return pd.DataFrame(features), pd.DataFrame(labels)

    return draw
