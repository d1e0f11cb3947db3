import numpy as np
import pandas as pd
import pytest
import torch
from sklearn.base import clone
from sklearn.metrics import roc_auc_score

from biomarkers.estimators.tabular_transformer import TabularNetwork, _tokens
from tests.isolation import check_isolated

PERSONS = np.repeat(np.arange(100), 2)
Y = (PERSONS % 3 == 0).astype(int)
TRAIN, TEST = PERSONS < 70, PERSONS >= 70
NAMES = ["au01_mean", "au01_std", "gaze_x_mean", "gaze_x_skew"]
SMALL = TabularNetwork(dim=8, layers=1, epochs=8, learning_rate=2e-2, batch_size=64, threads=1)


def table():
    rng = np.random.default_rng(0)
    rows = pd.DataFrame(rng.standard_normal((200, 4)), columns=NAMES)
    rows["au01_std"] += 2.0 * Y
    rows.loc[rng.random(200) < 0.1, "gaze_x_skew"] = np.nan
    return rows


def test_unseen_persons_are_told_apart_and_a_seed_repeats_itself_whatever_came_before():
    rows = table()
    before = torch.random.get_rng_state()
    once = clone(SMALL).fit(rows[TRAIN], Y[TRAIN], PERSONS[TRAIN]).predict_proba(rows[TEST])
    assert torch.equal(torch.random.get_rng_state(), before)
    torch.rand(3)
    again = clone(SMALL).fit(rows[TRAIN], Y[TRAIN], PERSONS[TRAIN]).predict_proba(rows[TEST])
    np.testing.assert_array_equal(once, again)
    np.testing.assert_allclose(once.sum(1), 1)
    assert roc_auc_score(Y[TEST], once[:, 1]) > 0.8


def test_the_weights_of_the_best_epoch_are_kept_and_the_fit_stops():
    rows = table()
    model = clone(SMALL).set_params(patience=2).fit(rows, Y, PERSONS)
    best = int(np.argmin(model.losses_))
    assert len(model.losses_) == min(best + 3, 8)
    short = clone(SMALL).set_params(epochs=best + 1).fit(rows, Y, PERSONS)
    np.testing.assert_allclose(model.predict_proba(rows), short.predict_proba(rows), atol=1e-6)


def test_statistics_and_gaps_of_a_channel_share_a_token():
    assert _tokens(["au01_mean", "gaze_x_std", "au01_q25", "missingindicator_au01_skew"]) == [0, 1, 0, 0]
    model = clone(SMALL).set_params(epochs=1).fit(table(), Y, PERSONS)
    assert model.network_.tokenizer.member.argmax(1).tolist() == [0, 0, 1, 1, 1]


def test_a_row_far_from_all_others_gives_a_number_and_labels_keep_their_names():
    names = np.where(Y == 1, "yes", "no")
    model = clone(SMALL).set_params(epochs=2).fit(table(), names, PERSONS)
    assert np.isfinite(model.predict_proba(table().assign(au01_mean=1e12))).all()
    assert set(model.predict(table())) <= {"yes", "no"}
    with pytest.raises(ValueError, match="the training rows have 1"):
        SMALL.fit(table(), np.zeros(200), PERSONS)


def test_nothing_is_learned_from_the_test_rows():
    def procedure(x, y, train, test):
        model = clone(SMALL).set_params(epochs=1)
        model.fit(pd.DataFrame(x[train], columns=NAMES), y[train], PERSONS[train])
        return lambda asked: model.predict_proba(pd.DataFrame(asked, columns=NAMES))[:, 1]

    few = np.flatnonzero(TRAIN)[:60]
    check_isolated(procedure, table(), Y, train=few, test=np.flatnonzero(TEST))
