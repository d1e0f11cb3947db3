import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import Ridge

from datamodules.synthetic.behavior import habit_statistics
from datamodules.synthetic.latent import LatentSettings, draw_cohort
from studies.claim.habits_probe import habit_columns, habit_r2


@pytest.fixture(scope="module")
def habits():
    settings = LatentSettings(60, 2, 10.0, 4.0, confound=1.0, habit_visibility=0.1, seed=0)
    visits = draw_cohort(settings)
    truth = pd.DataFrame(
        [
            {f"habit_{name}": value for name, value in habit_statistics(visit.person, settings).items()}
            for visit in visits
        ]
    )
    truth["recording_id"] = [f"{visit.person.subject_id}-{visit.session_id}" for visit in visits]
    subject = [visit.person.subject_id for visit in visits]
    split = ["train" if visit.person.index < 40 else "test" for visit in visits]
    return truth, pd.DataFrame({"recording_id": truth["recording_id"], "subject_id": subject, "split": split})


def test_probe_finds_habits_that_are_there_and_none_in_noise(habits):
    truth, ids = habits
    rng = np.random.default_rng(0)
    known = truth[habit_columns()].to_numpy()
    mixed = known @ rng.normal(size=(known.shape[1], 12)) + 0.01 * rng.normal(size=(len(ids), 12))
    noise = rng.normal(size=(len(ids), 12))
    columns = [f"f{index}" for index in range(12)]
    assert habit_r2(pd.concat([ids, pd.DataFrame(mixed, columns=columns)], axis=1), truth) > 0.95
    assert habit_r2(pd.concat([ids, pd.DataFrame(noise, columns=columns)], axis=1), truth) < 0.1


def test_probe_is_scored_on_unseen_persons(habits):
    truth, ids = habits
    rng = np.random.default_rng(1)
    features = rng.normal(size=(len(ids), 39))
    train = (ids["split"] == "train").to_numpy()
    known = truth[habit_columns()].to_numpy()
    assert (
        Ridge(1e-6)
        .fit(features[train][::2], known[train][::2])
        .score(features[train][::2], known[train][::2])
        > 0.9
    )
    table = pd.concat([ids, pd.DataFrame(features, columns=[f"f{i}" for i in range(39)])], axis=1)
    assert habit_r2(table, truth) < 0.1


def test_habits_of_movement_are_aspects_of_acts():
    settings = LatentSettings(2, 1, 10.0, 20.0, confound=1.0, habit_visibility=0.1, seed=0, movement=0.8)
    found = habit_statistics(draw_cohort(settings)[0].person, settings)
    assert set(habit_columns(movement=True)) <= {f"habit_{name}" for name in found}
    assert set(habit_columns(movement=True)).isdisjoint(habit_columns())
