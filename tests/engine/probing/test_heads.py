"""What validation chooses among trials, and nothing but validation."""

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import log_loss

from datamodules.splits.partition import Split
from engine.config.compose import ConfigError
from engine.probing.heads import Plan, Trained, chosen

NAMES = [f"r{row}" for row in range(12)]
SPLITS = [
    Split(name="a", train=tuple(NAMES[:4]), val=tuple(NAMES[4:8]), test=tuple(NAMES[8:])),
    Split(name="b", train=tuple(NAMES[8:]), val=tuple(NAMES[:4]), test=tuple(NAMES[4:8])),
]
TABLE = pd.DataFrame(
    {
        "recording_id": NAMES,
        "subject_id": [f"p{row}" for row in range(12)],
        "session_id": "v",
        "binary": [0.0, 1, 0, 1, 0, 1, np.nan, 1, 0, 1, 0, 1],
        "score": np.arange(12.0),
    }
)


@pytest.fixture
def trained():
    rng = np.random.default_rng(0)
    rows = [(rate, fold, seed) for rate in (0.1, 0.01) for fold in range(2) for seed in (5, 6)]
    trials = pd.DataFrame(rows, columns=["rate", "fold", "seed"])
    predictions = {"binary": rng.uniform(0.05, 0.95, (3, 8, 12)), "score": rng.uniform(0, 12, (3, 8, 12))}
    return Trained(trials, [10, 20, 30], predictions)


def test_a_loss_is_that_of_the_labeled_of_validation(trained):
    found, _ = chosen(trained, TABLE, SPLITS)
    row = found[(found["rate"] == 0.01) & (found["fold"] == 0) & (found["seed"] == 6) & (found["step"] == 20)]
    own = [4, 5, 7]  # r6 has no label
    expected = log_loss(TABLE["binary"][own], trained.predictions["binary"][1, 5, own])
    assert row["loss"].item() == pytest.approx(expected)


def test_predictions_are_those_of_the_chosen_rate_and_step(trained):
    found, tables = chosen(trained, TABLE, SPLITS)
    assert [table["seed"].unique().tolist() for table in tables] == [[5], [6]]
    best = found[found["chosen"] & (found["seed"] == 6) & (found["fold"] == 1)].iloc[0]
    assert best["loss"] == found.loc[(found["seed"] == 6) & (found["fold"] == 1), "loss"].min()
    place = trained.trials.query("rate == @best.rate and fold == 1 and seed == 6").index[0]
    values = trained.predictions["score"][trained.looks.index(best["step"]), place, 4:8]
    own = tables[1][tables[1]["fold"] == 1]
    assert own["recording_id"].tolist() == NAMES[4:8]
    assert own["score_prediction"].tolist() == values.tolist()


def test_validation_without_labels_chooses_nothing(trained):
    blank = TABLE.assign(binary=TABLE["binary"].where(TABLE.index >= 4))
    with pytest.raises(ConfigError, match="split 'b': nobody of validation has a 'binary'"):
        chosen(trained, blank, SPLITS)


def test_looks_are_even_and_end_with_the_last_step():
    assert Plan(seeds=[0], rates=[0.1], steps=100, checks=4).looks() == [25, 50, 75, 100]
    assert Plan(seeds=[0], rates=[0.1], steps=2, checks=10).looks() == [1, 2]
