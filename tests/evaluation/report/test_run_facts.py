import pytest

from evaluation.report.run_facts import data_set, glance, page_title, trial

SCALE = {"name": "PHQ-8", "low": 0, "high": 24, "cut_off": 10}


def fold(persons):
    return {"train": {"recordings": 2 * persons, "persons": persons, "positive": 5}, "val": {"recordings": 0}}


def test_the_title_names_what_is_easily_misread():
    assert page_title("run", {}) == "run"
    assert page_title("run", {"synthetic": True}) == "SYNTHETIC: run"
    assert page_title("run", {"leaks_on_purpose": ["mean of x"]}) == "LEAKS ON PURPOSE: run"
    assert (
        page_title("run", {"synthetic": True, "leaks_on_purpose": ["x"]})
        == "SYNTHETIC: LEAKS ON PURPOSE: run"
    )


def test_data_set_in_one_line():
    record = {"data": "cohort", "synthetic": True, "questionnaires": [SCALE]}
    assert data_set(record) == "cohort (SYNTHETIC: made up), PHQ-8, 0 to 24 points, positive from 10"
    assert data_set({"data": "daic_woz", "synthetic": False}) == "daic_woz"


@pytest.mark.parametrize(
    ("trainer", "cut"),
    [
        ({"limit_train_batches": 2}, True),
        ({"limit_train_batches": 1}, True),  # one batch
        ({"limit_train_batches": 1.0}, False),  # all of them
        ({"limit_val_batches": 0.5}, True),
        ({"overfit_batches": 1}, True),
        ({"overfit_batches": 0.0, "fast_dev_run": False, "limit_train_batches": None}, False),
        ({}, False),
    ],
)
def test_whatever_leaves_batches_out_makes_a_trial(trainer, cut):
    found = trial({"config": {"trainer": trainer}, "argv": ["train.py", "debug=fast"]})
    assert (found is not None) == cut
    assert found is None or found.startswith("debug=fast, trainer.")


def test_facts_of_folds_are_ranges_and_unknown_ones_are_left_out():
    data = {
        "channels": 17,
        "module": {"train_clips": {"length": 32}, "eval_clips": {"length": 64, "clips": 2}, "source": {}},
    }
    network = {"_target_": "models.baseline.Mean", "depression": {"trunk": {"_target_": "mine.trunks.Own"}}}
    record = {
        "data": "mine",
        "parts": {"fold0": fold(8), "fold1": fold(9)},
        "fps": [25.0, 30.0],
        "parameters": 126964,
        "wall_s": 4930.0,
        "config": {"data": data, "trainer": {}, "model": {"network": network}},
    }
    assert glance(record) == [
        ("Data", "mine"),
        ("Training", "8 to 9 persons, 16 to 18 recordings, 5 positive (each of 2 folds)"),
        ("Clips", "32 to 64 rows of 17 channels; 2 clips a recording in evaluation"),
        ("Recorded at", "25 to 30 frames per second"),
        ("Network", "Mean with Own, 126,964 parameters"),
        ("Time", "82 min until this page"),
    ]
    assert glance({}) == []


def test_what_a_trial_trained_is_a_trial_wherever_it_is_evaluated():
    record = {"config": {"trainer": {"accelerator": "cpu"}}, "trained_with": {"limit_train_batches": 2}}
    assert "limit_train_batches=2" in trial(record)
    assert trial({"config": record["config"]}) is None


def test_the_weights_are_named_where_there_are_two_sets():
    config = {"callbacks": {"ema": {"decay": 0.99}}}
    assert "Weights" not in dict(glance({"config": config}))
    assert dict(glance({"config": config, "weights": "ema"}))["Weights"] == (
        "their average over steps (EMA, decay 0.99), as validated"
    )
    assert "last step (weights=raw)" in dict(glance({"config": config, "weights": "raw"}))["Weights"]


def test_a_clip_of_tokens_is_a_window_of_the_grid_that_was_encoded():
    clips = {"train_clips": {"length": 1}, "eval_clips": {"length": 1}}
    module = {**clips, "source": {"_target_": "datamodules.clips.tokens.TokenClips"}}
    record = {"config": {"data": {"channels": 432, "module": module}, "trainer": {}}}
    assert dict(glance(record))["Clips"] == "1 window of tokens of 432 channels"
    known = {"settings": {"grid": {"_target_": "x", "length": 8, "stride": 4, "hop": 32}}}
    told = dict(glance(record | {"preprocessing": known}))["Clips"]
    assert told == "1 window of 8 frames, 4 apart, in tokens of 432 channels"
