"""Feature tables of the latent cohort, whose differences are known."""

import pandas as pd
import pytest

from datamodules.synthetic.latent import LatentSettings, behave, draw_cohort, statistics


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
