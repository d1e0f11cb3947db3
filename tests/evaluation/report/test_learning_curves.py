import base64

import pandas as pd
import pytest

from evaluation.report.learning_curves import (
    explain_choice,
    hardly_trained,
    remarks_on_training,
    training_curves,
)

HISTORY = pd.DataFrame(
    {
        "epoch": range(5),
        "train/loss": [1.0, 0.8, 0.6, 0.4, 0.2],
        "val/loss": [1.0, 0.7, 0.8, 0.9, 1.2],
        "val/auc": [0.6, 0.7, 0.75, 0.8, 0.7],
    }
)


def test_the_chosen_epoch_is_marked_where_one_was_chosen():
    def drawn(**choice):
        return base64.b64decode(training_curves(HISTORY, **choice).split(",")[1])

    assert b'id="chosen"' in drawn(chosen=3, monitor="val/auc")
    assert b'id="chosen"' not in drawn()
    assert training_curves(pd.DataFrame({"epoch": [0], "lr": [0.1]})) is None


def test_the_end_of_the_warm_up_and_the_trained_weights_are_drawn_where_they_are_known():
    def drawn(history, **choice):
        return base64.b64decode(training_curves(history, **choice).split(",")[1])

    both = HISTORY.assign(**{"val_raw/auc": 0.5})
    assert b'id="warmup"' in drawn(HISTORY, warmup=1.5)
    assert b'id="warmup"' not in drawn(HISTORY)
    assert drawn(both, monitor="val/auc").count(b'id="line2d') > drawn(HISTORY, monitor="val/auc").count(
        b'id="line2d'
    )


def test_the_caption_says_what_was_chosen_and_why_not_the_lowest_loss():
    said = explain_choice(HISTORY, chosen=3, monitor="val/auc")
    assert "epoch 4 of 5: val/auc was best there (0.800)" in said
    assert "lowest in epoch 2 (0.7) and ends at 1.2" in said
    assert "val/auc chose, not the loss" in said
    assert "Later weights are not used" in explain_choice(HISTORY, chosen=1, monitor="val/loss")
    assert "not on record" in explain_choice(HISTORY, chosen=None, monitor=None)


@pytest.mark.parametrize(
    ("chosen", "epochs", "hardly"), [(0, 5, True), (1, 5, True), (2, 5, False), (0, 3, False)]
)
def test_best_in_the_first_epochs_of_several_is_hardly_trained(chosen, epochs, hardly):
    assert (hardly_trained(HISTORY[:epochs], chosen=chosen) is not None) == hardly
    assert hardly_trained(None, chosen=chosen) is None


@pytest.mark.parametrize(("auc", "told"), [(0.31, True), (0.499, True), (0.5, False), (0.7, False)])
def test_validation_worse_than_chance_in_the_chosen_epoch_is_told(auc, told):
    history = HISTORY.assign(**{"val/auc": 0.6})
    history.loc[history["epoch"] == 3, "val/auc"] = auc
    found = remarks_on_training(history, chosen=3)
    assert [f"worse than chance: AUC {auc:.3f} in epoch 4" in one for one in found] == [True] * told
    assert remarks_on_training(history, chosen=2) == []  # of another epoch nothing is said
    assert remarks_on_training(history.drop(columns="val/auc"), chosen=3) == []
    assert remarks_on_training(None, chosen=3) == remarks_on_training(history, chosen=None) == []
    assert len(remarks_on_training(history.assign(**{"val/auc": 0.4}), chosen=0)) == 2  # and hardly trained
