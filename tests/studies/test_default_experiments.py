import json

import pandas as pd
import pytest

from studies.default_experiments import CARDS, same, table


def run(folder, *, auc=0.75, prediction=0.3, high=0.9, extra=None):
    folder.mkdir(parents=True)
    test = {"auc": {"value": auc, "low": 0.6, "high": high}, "mae": {"value": 7.0}}
    reference = [{"value": 0.5, **(extra or {})}]
    (folder / "metrics.json").write_text(json.dumps({"test": test, "reference": reference}))
    rows = {"recording_id": ["a", "b"], "binary_prediction": [prediction, 0.5], "high": [high, high]}
    pd.DataFrame(rows).to_csv(folder / "predictions.csv", index=False)
    return folder


def test_an_interval_that_moved_and_a_new_note_are_no_difference(tmp_path):
    ours, theirs = run(tmp_path / "a", high=0.8, extra={"method": "bootstrap"}), run(tmp_path / "b")
    assert same(ours, theirs) == "3 of 3 numbers equal, 2 predictions equal"


def test_the_last_digit_of_an_estimate_or_a_prediction_is_told(tmp_path):
    ours = run(tmp_path / "a", auc=0.7500000000000001, prediction=0.30000000000000004)
    assert same(ours, run(tmp_path / "b")) == "2 of 3 numbers equal, 2 predictions DIFFERENT"


def test_the_table_has_a_row_a_metric_and_names_cards_that_did_not_run(tmp_path):
    for name in ("before", "now"):
        run(tmp_path / name / "msn")
    found = table(tmp_path, ["before", "now"], ["msn", "mpdrm"]).splitlines()
    assert found[0] == "| card | metric | before | now | now against before |"
    assert found[2].startswith("| msn | AUC | 0.750000 | 0.750000 | 3 of 3 numbers equal")
    assert found[3].startswith("| msn | MAE | 7.000000 |")
    assert found[4] == "| mpdrm | did not run | | | |"


@pytest.mark.parametrize("card", ["mpdrm", "mpdrm_series", "mpdrm_joint", "li_fpn"])
def test_every_card_is_tried(card):
    assert card in CARDS
