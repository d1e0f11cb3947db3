"""Tables and page of a study, from runs that are only files."""

import json
import re

import optuna
import pandas as pd
import pytest
from optuna.distributions import CategoricalDistribution, FloatDistribution
from optuna.trial import TrialState, create_trial

from engine.sweeping.figures import importances
from engine.sweeping.page import write_study
from engine.sweeping.space import read_space
from engine.sweeping.tables import best_of, trials_table, validation_table
from engine.sweeping.trials import Trials

SPACE = read_space(["lr=tag(log,interval(1e-4,1e-2))", "width=16,32", "seed=0,1"])
AUC = ["val/auc"]


@pytest.fixture
def made(tmp_path):
    """Eight finished trials, a failed and a pruned one; trial 5 is the best, and was tested."""
    study = optuna.create_study(direction="maximize", study_name="<b>one</b>")
    for number in range(10):
        failed, pruned = number == 8, number == 9
        state = TrialState.FAIL if failed else TrialState.PRUNED if pruned else TrialState.COMPLETE
        reason = "RuntimeError: <script>no memory" if failed else "pruned after epoch 3" if pruned else ""
        study.add_trial(
            create_trial(
                state=state,
                value=0.9 if number == 5 else 0.5 + number / 100 if state == TrialState.COMPLETE else None,
                params={"lr": 10 ** -(2 + number / 5), "width": ("16", "32")[number % 2]},
                distributions=dict(SPACE.dimensions),
                user_attrs={"trial": number, "reason": reason},
            )
        )
        for seed in (0, 1):
            place = tmp_path / str(number) / f"seed_{seed}"
            place.mkdir(parents=True)
            looks = int(number == 5)
            (place / "manifest.json").write_text(json.dumps({"status": "finished", "test_looks": looks}))
            rows = {
                "recording_id": ["a", "b", "c"], "subject_id": ["01", "02", "03"],
                "split": ["val", "val", "test"], "binary_target": [0, 1, 1],
                "binary_prediction": [0.1 * number, 0.5, 0.9], "score_target": [3, 9, 9],
                "score_prediction": [4.0, 8.0, 8.0],
            }  # fmt: skip
            pd.DataFrame(rows).to_csv(place / "predictions.csv", index=False)
    test = {"test": {"auc": {"value": 0.7, "low": 0.6, "high": 0.8}}}
    (tmp_path / "5/seed_0/metrics.json").write_text(json.dumps(test))
    return study, Trials(study, folder=tmp_path, dimensions=SPACE.dimensions, retries=1).rows()


def test_a_row_a_trial_with_its_reason_and_looks(made, tmp_path):
    table = trials_table(made[1], folder=tmp_path, objectives=AUC, space=SPACE)
    assert list(table["trial"]) == list(range(10))
    assert list(table.columns[:5]) == ["trial", "state", "val/auc", "lr", "width"]
    assert table["state"].value_counts().to_dict() == {"finished": 8, "failed": 1, "pruned": 1}
    assert table["reason"][8].endswith("no memory")
    assert table["val/auc"].isna().tolist() == [False] * 8 + [True] * 2
    assert table["test_looks"].tolist() == [0] * 5 + [2] + [0] * 4


@pytest.mark.parametrize(("objective", "best"), [("val/auc", 5), ("val/loss", 0)])
def test_the_best_is_that_of_the_objectives_direction(made, objective, best):
    assert best_of(made[1], [objective]).number == best
    assert best_of(made[1][8:], [objective]) is None


@pytest.mark.parametrize(("metric", "first"), [("val/auc", 0.1), ("val/mae", 4.0), ("val/loss", 4.0)])
def test_predictions_of_validation_are_those_of_the_objectives_head(made, tmp_path, metric, first):
    table = validation_table(made[1], folder=tmp_path, metric=metric, space=SPACE)
    assert list(table) == ["trial", "seed", "subject_id", "recording_id", "target", "prediction"]
    assert len(table) == 8 * 2 * 2
    assert set(table["recording_id"]) == {"a", "b"}  # c is tested
    assert set(table["subject_id"]) == {"01", "02"}
    assert table.query("trial == 1 and seed == 0 and recording_id == 'a'")["prediction"].item() == first


def test_a_setting_that_decides_is_more_important_than_noise():
    study = optuna.create_study(direction="maximize")
    space = {"a": FloatDistribution(0, 1), "b": CategoricalDistribution(("x", "y"))}
    for number in range(20):
        params = {"a": number / 20, "b": "xy"[number % 2]}
        study.add_trial(create_trial(value=params["a"], params=params, distributions=space))
    found = importances(study, 0)
    assert found["a"] > 0.9
    assert sum(found.values()) == pytest.approx(1)
    assert importances(optuna.create_study(), 0) == {}


def test_the_page_holds_figures_choice_and_every_trial_and_no_markup_of_others(made, tmp_path):
    study, rows = made
    table = trials_table(rows, folder=tmp_path, objectives=AUC, space=SPACE)
    validation = validation_table(rows, folder=tmp_path, metric="val/auc", space=SPACE)
    given = {"study": study, "table": table, "validation": validation, "space": SPACE, "objectives": AUC}
    write_study(tmp_path / "study.html", **given, chosen=5)
    page = (tmp_path / "study.html").read_text()
    assert page.count("data:image/svg+xml") >= 3
    assert "Would the winner win again?" in page
    assert "<script>no memory" not in page
    assert "&lt;b&gt;one" in page
    assert "trial 5: 2" in page  # looks
    assert "0.70" in page
    assert "pruned after epoch 3" in page
    assert not re.search(r"(src|href)=\"(https?:)?//", page)


def test_a_study_in_which_all_failed_has_a_page_too(made, tmp_path):
    _, rows = made
    table = trials_table(rows[8:9], folder=tmp_path, objectives=AUC, space=SPACE)
    nothing = validation_table([], folder=tmp_path, metric="val/auc", space=SPACE)
    given = {"table": table, "validation": nothing, "space": SPACE, "objectives": AUC, "chosen": None}
    write_study(tmp_path / "study.html", study=optuna.create_study(), **given)
    assert "No trial has a value" in (tmp_path / "study.html").read_text()
