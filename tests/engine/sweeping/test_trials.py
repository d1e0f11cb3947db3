"""Trials change hands: every death of a worker leaves the trial to another, once."""

import os
import subprocess
import sys
from collections import Counter

import optuna
import pytest
from optuna.distributions import CategoricalDistribution, FloatDistribution
from optuna.trial import TrialState

from engine.config.compose import ConfigError
from engine.sweeping import trials as module
from engine.sweeping.grid import GridPoints
from engine.sweeping.space import read_space
from engine.sweeping.storage import beating, open_study, shown_url, storage_url
from engine.sweeping.trials import Trials
from engine.sweeping.worker import sampler_of

FLOATS = {"a": FloatDistribution(0, 1), "b": FloatDistribution(1e-4, 1e-2, log=True)}
RANDOM = {"_target_": "optuna.samplers.RandomSampler", "seed": 0}


def opened(folder, *, name="one", retries=3, dimensions=FLOATS, directions=("maximize",), heartbeat=30):
    url = storage_url(None, folder)
    study = open_study(url, name=name, directions=directions, heartbeat=heartbeat)
    return Trials(study, folder=folder, dimensions=dimensions, retries=retries)


@pytest.fixture
def begun(tmp_path):
    """A study of four trials that wait, and the samplers of its trials."""
    trials = opened(tmp_path)
    trials.plan(4)
    return trials, sampler_of(RANDOM, read_space(["a=interval(0,1)", "b=interval(0,1)"]))


@pytest.fixture
def dead():
    """The name of a worker of this machine that is gone."""
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    return module._this_process().rpartition(":")[0] + f":{gone.pid}"


def states(trials):
    return [row.last.state for row in trials.rows()]


def test_a_study_comes_to_a_total_and_goes_on_to_a_larger_one(begun):
    trials, sampler = begun
    trials.plan(3)
    trials.plan(6)
    assert [row.number for row in trials.rows()] == list(range(6))
    for number in range(6):
        claimed, trial = trials.claim(sampler)
        assert claimed == number
        trials.tell(trial, [float(number)])
    assert trials.claim(sampler) is None
    assert trials.unfinished() == []
    assert set(states(trials)) == {TrialState.COMPLETE}


def test_a_trial_of_a_dead_worker_is_taken_up_with_its_parameters_and_reports(begun, dead, monkeypatch):
    trials, sampler = begun
    monkeypatch.setattr(module, "_this_process", lambda: dead)
    number, trial = trials.claim(sampler)
    trial.report(0.25, 3)
    monkeypatch.undo()
    again, second = trials.claim(sampler)
    assert (number, again) == (0, 0)
    assert second.params == trial.params
    row = trials.rows()[0]
    assert row.restarts == 1
    assert row.last.intermediate_values == {3: 0.25}
    trials.tell(second, [0.5])
    assert [row.restarts for row in trials.rows()] == [1, 0, 0, 0]
    all_states = Counter(one.state for one in trials.study.get_trials())
    assert all_states == {TrialState.FAIL: 1, TrialState.COMPLETE: 1, TrialState.WAITING: 3}


def test_a_worker_that_died_between_taking_a_trial_and_drawing_it_changes_no_draw(begun, dead, monkeypatch):
    trials, sampler = begun
    monkeypatch.setattr(module, "_this_process", lambda: dead)
    monkeypatch.setattr(module, "_suggest", _only_a)
    trials.claim(sampler)
    monkeypatch.undo()
    _, trial = trials.claim(sampler)
    undisturbed = sampler(0)
    study = optuna.create_study(sampler=undisturbed)
    fresh = study.ask()
    drawn = {name: fresh.suggest_float(name, one.low, one.high, log=one.log) for name, one in FLOATS.items()}
    assert trial.params == drawn


def _only_a(trial, name, distribution):
    if name == "a":
        trial.suggest_float(name, distribution.low, distribution.high)


def test_a_death_between_failing_an_attempt_and_adding_another_loses_nothing(begun, dead, monkeypatch):
    trials, sampler = begun
    monkeypatch.setattr(module, "_this_process", lambda: dead)
    trials.claim(sampler)
    monkeypatch.undo()
    monkeypatch.setattr(Trials, "_again", _killed)
    with pytest.raises(KeyboardInterrupt):
        trials.claim(sampler)
    monkeypatch.undo()
    assert trials.rows()[0].last.state == TrialState.FAIL
    assert trials.rows()[0] in trials.unfinished()
    number, _ = trials.claim(sampler)
    assert number == 0
    assert len(trials.study.get_trials()) == 5  # four, and one attempt more


def _killed(self, row):
    raise KeyboardInterrupt


def test_a_worker_of_another_machine_is_dead_once_it_gives_no_sign_of_life(tmp_path, monkeypatch):
    trials, sampler = opened(tmp_path, heartbeat=1), sampler_of(RANDOM, read_space(["a=interval(0,1)"]))
    trials.plan(1)
    monkeypatch.setattr(module, "_this_process", lambda: "elsewhere:1")
    _, trial = trials.claim(sampler)
    monkeypatch.undo()
    with beating(trials.study._storage, trial._trial_id):
        assert trials.claim(sampler) is None
    monkeypatch.setattr(
        type(trials.study._storage._backend), "_get_stale_trial_ids", lambda *_: [trial._trial_id]
    )
    number, _ = trials.claim(sampler)
    assert number == 0


def test_who_wakes_up_after_its_trial_was_given_away_tells_nothing(begun, dead, monkeypatch, caplog):
    trials, sampler = begun
    monkeypatch.setattr(module, "_this_process", lambda: dead)
    _, first = trials.claim(sampler)
    monkeypatch.undo()
    _, second = trials.claim(sampler)
    trials.tell(first, [9.0])
    assert "taken up by another worker" in caplog.text
    trials.tell(second, [0.5])
    assert trials.rows()[0].last.values == [0.5]


def test_a_trial_is_given_up_after_so_many_deaths_with_the_reason(tmp_path, dead, monkeypatch):
    trials, sampler = opened(tmp_path, retries=2), sampler_of(RANDOM, read_space(["a=interval(0,1)"]))
    trials.plan(1)
    for _ in range(3):
        monkeypatch.setattr(module, "_this_process", lambda: dead)
        assert trials.claim(sampler)[0] == 0
        monkeypatch.undo()
    assert trials.claim(sampler) is None
    assert trials.rows()[0].reason == "its worker died 3 times"
    assert trials.unfinished() == []


def test_a_failed_trial_is_a_row_with_its_reason_until_it_is_to_be_tried_again(begun):
    trials, sampler = begun
    _, trial = trials.claim(sampler)
    trials.tell(trial, reason="RuntimeError: no memory")
    trials.plan(4)
    assert trials.rows()[0].reason == "RuntimeError: no memory"
    assert trials.claim(sampler)[0] == 1
    trials.plan(4, retry_failed=True)
    number, again = trials.claim(sampler)
    assert number == 0
    assert again.params == trial.params
    assert trials.rows()[0].reason == ""


def test_a_worker_that_is_asked_to_end_gives_its_trial_back_at_once(begun):
    trials, sampler = begun
    _, trial = trials.claim(sampler)
    trials.put_back(trial)
    assert states(trials)[0] == TrialState.WAITING


def test_a_pruned_trial_says_when(begun):
    trials, sampler = begun
    _, trial = trials.claim(sampler)
    trials.tell(trial, reason="pruned after epoch 3", pruned=True)
    row = trials.rows()[0]
    assert (row.last.state, row.reason) == (TrialState.PRUNED, "pruned after epoch 3")


def test_a_grid_is_its_product_in_order_whoever_takes_which_point(tmp_path):
    space = {"a": CategoricalDistribution(("1", "2")), "b": CategoricalDistribution(("x", "y", "z"))}
    trials = opened(tmp_path, dimensions=space)
    trials.plan(6)
    found = {}
    for _ in range(6):
        number, trial = trials.claim(lambda number: GridPoints(dimensions=space))
        found[number] = (trial.params["a"], trial.params["b"])
        trials.tell(trial, [0.0])
    assert [found[n] for n in range(6)] == [(a, b) for a in "12" for b in "xyz"]


def test_a_draw_is_a_function_of_seed_and_number():
    space = read_space(["a=interval(0,1)"])

    def draw(seed, number):
        study = optuna.create_study(sampler=sampler_of(RANDOM | {"seed": seed}, space)(number))
        return study.ask().suggest_float("a", 0, 1)

    assert draw(0, 3) == draw(0, 3)
    assert len({draw(seed, number) for seed in range(3) for number in range(5)}) == 15


def test_a_password_is_not_shown_and_what_is_no_database_is_named(tmp_path):
    assert shown_url("postgresql+psycopg://me:secret@db/sweeps") == "postgresql+psycopg://me:***@db/sweeps"
    with pytest.raises(ConfigError, match="storage=nonsense: no address of a database"):
        open_study("nonsense", name="one", directions=["maximize"], heartbeat=30)


def test_a_study_of_other_directions_is_refused(tmp_path):
    opened(tmp_path)
    with pytest.raises(ConfigError, match=r"\['maximize'\] there, \['minimize'\] here"):
        opened(tmp_path, directions=("minimize",))


def test_the_process_that_asks_is_at_no_trial(begun):
    trials, sampler = begun
    trials.claim(sampler)
    assert f":{os.getpid()}" in trials.rows()[0].last.user_attrs["worker"]
    assert trials.claim(sampler)[0] == 0  # of one before it that had the same number
