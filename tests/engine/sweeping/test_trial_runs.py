"""What a trial came to is read from its runs; what one must not read is refused."""

import json
import shutil
from types import SimpleNamespace

import optuna
import pandas as pd
import pytest

from datamodules.feature_leakage.channels import LeakageError
from engine.config.compose import ConfigError
from engine.runs.lock import FolderInUse
from engine.runs.provenance import Pruned
from engine.sweeping import trial_runs as module
from engine.sweeping.pruning import ReportEpochs, reporter
from engine.sweeping.space import read_space
from engine.sweeping.trial_runs import TrialRuns, chosen_values

CHOSEN = {"epoch": 1, "monitor": "val/auc", "value": 0.75, "of": 3}


def write_run(place, **facts):
    place.mkdir(parents=True)
    (place / "manifest.json").write_text(json.dumps({"status": "finished", **facts}))
    history = {"epoch": [0.0, 1.0, 2.0], "val/auc": [0.5, 0.75, 0.6], "val/loss": [0.9, 0.8, float("nan")]}
    pd.DataFrame(history).to_csv(place / "history.csv", index=False)


def test_values_are_those_of_the_chosen_epoch_and_means_over_folds(tmp_path):
    write_run(tmp_path / "one", chosen=CHOSEN)
    assert chosen_values(tmp_path / "one", ["val/auc", "val/loss"]) == [0.75, 0.8]
    write_run(tmp_path / "both", folds=["fold_0", "fold_1"])
    write_run(tmp_path / "both/fold_0", chosen=CHOSEN)
    write_run(tmp_path / "both/fold_1", chosen=CHOSEN | {"epoch": 0, "value": 0.25})
    assert chosen_values(tmp_path / "both", ["val/auc", "val/loss"]) == pytest.approx([0.5, 0.85])


@pytest.mark.parametrize(
    ("facts", "says"),
    [
        ({}, "no epoch was chosen by validation"),
        ({"chosen": CHOSEN | {"epoch": 2}}, "val/loss is no finite number at the chosen epoch, 3"),
        ({"chosen": CHOSEN | {"value": "inf"}}, "val/auc is no finite number"),
    ],
)
def test_a_trial_without_a_value_says_why(tmp_path, facts, says):
    write_run(tmp_path / "run", **facts)
    with pytest.raises(ConfigError, match=says):
        chosen_values(tmp_path / "run", ["val/auc", "val/loss"])


@pytest.fixture
def runs(tmp_path, monkeypatch):
    """Runs whose training is replaced by a note of its folder, seed and whether it reads its test part."""
    done = []

    def train(config, *, folder, check_data, watching):
        del check_data
        done.append((folder.relative_to(tmp_path).as_posix(), config["seed"], config["test"], len(watching)))
        if not folder.exists():
            write_run(folder, chosen=CHOSEN | {"value": 0.5 + config["seed"] / 10})

    def run_config(overrides, *, output, test):
        del output
        given = dict(one.split("=") for one in overrides)
        return {"seed": int(given.get("seed", 0)), "test": test, "lr": given["lr"]}

    monkeypatch.setattr(module, "train", train)
    monkeypatch.setattr(module, "run_config", run_config)
    study = optuna.create_study(direction="maximize")

    def make(*words, **named):
        return TrialRuns(read_space(["lr=interval(0.1,0.2)", *words]), tmp_path, ["val/auc"], study, **named)

    make.done = done
    return make


def test_a_trial_is_trained_under_every_seed_without_its_test_part_and_pruned_in_the_first(runs):
    made = runs("seed=1,2", prunes=True)
    trial = made.study.ask()
    trial.suggest_float("lr", 0.1, 0.2)
    assert made.train(7, trial) == pytest.approx([0.65])
    assert runs.done == [("7/seed_1", 1, False, 1), ("7/seed_2", 2, False, 0)]
    made.test(7, trial.params)
    assert runs.done[2:] == [("7/seed_1", 1, True, 0), ("7/seed_2", 2, True, 0)]


def test_a_chosen_trial_whose_run_is_gone_is_not_trained_anew_for_its_test(runs, tmp_path):
    made = runs()
    trial = made.study.ask()
    trial.suggest_float("lr", 0.1, 0.2)
    made.train(3, trial)
    shutil.rmtree(tmp_path / "3")
    with pytest.raises(ConfigError, match="trial 3 is chosen, and its run is not there"):
        made.test(3, trial.params)
    assert len(runs.done) == 1


def test_one_seed_has_the_folder_of_the_trial(runs):
    made = runs()
    trial = made.study.ask()
    trial.suggest_float("lr", 0.1, 0.2)
    made.train(3, trial)
    assert runs.done == [("3", 0, False, 0)]


def test_a_folder_that_another_process_writes_to_is_waited_for(runs, monkeypatch, caplog):
    made, inner, calls = runs(), module.train, []

    def busy(*args, **named):
        calls.append(1)
        if len(calls) < 3:
            raise FolderInUse("it is being written by process 1")
        inner(*args, **named)

    monkeypatch.setattr(module, "train", busy)
    monkeypatch.setattr(module, "_POLL", 0)
    trial = made.study.ask()
    trial.suggest_float("lr", 0.1, 0.2)
    made.train(0, trial)
    assert len(calls) == 3
    assert caplog.text.count("waiting") == 1


def validated(callback, epoch, value, **trainer):
    state = SimpleNamespace(fn="fit")
    given = {"sanity_checking": False, "state": state, "current_epoch": epoch, **trainer}
    callback.on_validation_end(SimpleNamespace(callback_metrics={"val/auc": value}, **given), None)


def test_each_epoch_is_reported_once_and_a_trial_behind_the_median_ends():
    study = optuna.create_study(direction="maximize", pruner=optuna.pruners.MedianPruner(1, 0))
    good = study.ask()
    for epoch in range(3):
        good.report(0.9, epoch)
    study.tell(good, 0.9)
    trial = study.ask()
    trial.report(0.8, 0)  # before its worker died
    callback = ReportEpochs(monitor="val/auc", report=reporter(trial))
    validated(callback, 1, 0.1, sanity_checking=True)
    with pytest.raises(Pruned, match=r"after epoch 2, val/auc 0\.1000"):
        validated(callback, 1, 0.1)
    assert study.trials[1].intermediate_values == {0: 0.8, 1: 0.1}


def test_an_epoch_without_a_number_is_not_reported():
    reported = []
    callback = ReportEpochs(monitor="val/auc", report=lambda *told: bool(reported.append(told)))
    validated(callback, 0, float("nan"))
    validated(callback, 1, 0.5)
    assert reported == [(1, 0.5)]


def test_nothing_but_validation_may_prune():
    with pytest.raises(LeakageError, match="selection on 'test/auc'"):
        ReportEpochs(monitor="test/auc", report=lambda *_: False)
