from evaluation.report.terminal_summary import asked_rows, block, caution_rows, result_line, result_rows


def estimate(value, low=None, high=None):
    return {"value": value, "low": low, "high": high}


METRICS = {
    "test": {"auc": estimate(0.777, 0.704, 0.844), "mae": estimate(8.4, 7.06, 9.85), "f1": estimate(0.6)},
    "reference": {
        "constant": {"auc": estimate(0.5), "mae": estimate(10.25, 9.0, 11.5)},
        "nuisance": {"auc": estimate(0.42, 0.35, 0.48), "mae": estimate(None)},
        "identity": None,
        "oracle": {"raw": {"auc": estimate(0.78), "mae": estimate(8.0)}},
        "reasons": {"identity": "no person is shared"},
    },
    "folds": {"auc": {"mean": 0.75, "sd": 0.05, "values": [0.7, 0.8]}, "mae": {"mean": None, "sd": None}},
}
RECORD = {
    "experiment": "mine",
    "seed": 3,
    "argv": ["train.py", "debug=fast"],
    "data": "manifest",
    "synthetic": True,
    "parts": {
        "holdout": {"train": {"recordings": 72, "persons": 12}, "test": {"recordings": 48, "persons": 8}}
    },
    "config": {
        "data": {"scale": {"name": "BDI-II", "low": 0, "high": 63}},
        "trainer": {"limit_train_batches": 2},
    },
}


def test_a_result_stands_beside_its_reference_lines_and_oracles_apart():
    assert result_rows(METRICS) == [
        ("test", "AUC 0.78 [0.70, 0.84]   MAE 8.40 [7.06, 9.85]     F1 0.60"),
        ("constant", "AUC 0.50                MAE 10.25 [9.00, 11.50]   F1 -"),
        ("nuisance", "AUC 0.42 [0.35, 0.48]   MAE -                     F1 -"),
        ("identity", "none: no person is shared"),
        (
            "oracle raw",
            f"AUC 0.78{' ' * 16}MAE 8.00{' ' * 18}F1 -      (knows the truth: no reference)",
        ),
        ("folds", "mean of 2: AUC 0.75 (SD 0.05)"),
    ]
    assert result_line(METRICS) == "AUC 0.78 [0.70, 0.84], MAE 8.40 [7.06, 9.85]"


def test_without_a_metric_or_a_line_that_is_said():
    assert result_rows({"test": {"auc": estimate(None)}}) == [("test", "no metric is defined on it")]
    other_data = {
        "test": {"auc": estimate(0.7)},
        "reference": {"constant": None, "reasons": {"constant": "why"}},
    }
    assert result_rows(other_data) == [("test", "AUC 0.70"), ("constant", "none: why")]


def test_that_tested_persons_taught_the_network_is_told_as_on_the_page():
    metrics = {"test": {"counts": {"recordings": 51}}}
    assert caution_rows({"seen_in_training": {"files": 40, "ids": 51}}, metrics) == [
        ("caution", "This is no test: 40 of 51 recordings taught the network or chose it.")
    ]
    ((_, named),) = caution_rows({"seen_in_training": {"ids": 3}}, metrics)
    assert "3 of 51 recordings carry names of recordings that taught" in named
    ((_, named),) = caution_rows({"seen_in_training": {"ids": 3, "persons": 9}}, metrics)
    assert "9 of 51 recordings carry names of persons that taught" in named
    assert caution_rows({"seen_in_training": {}}, metrics) == caution_rows({}, metrics) == []


def test_a_class_head_left_behind_by_the_score_is_told_last():
    assert "note" not in dict(result_rows(METRICS))
    name, text = result_rows(METRICS | {"ranked_by_heads": {"binary": 0.68, "score": 0.85}})[-1]
    assert (name, "0.85" in text, "0.68" in text) == ("note", True, True)


def test_what_was_asked_names_synthetic_persons_and_trial_runs():
    rows = dict(asked_rows(RECORD))
    assert rows["experiment"] == "mine, seed 3"
    assert rows["trial run"].startswith("debug=fast")
    assert rows["data"] == "SYNTHETIC persons, BDI-II (0 to 63)"
    assert rows["recordings"] == "training 72 of 12 persons, test 48 of 8 persons"
    whole = RECORD["config"] | {"trainer": {"limit_train_batches": None}}
    real = dict(asked_rows(RECORD | {"synthetic": False, "data": "daic_woz", "config": whole}))
    assert real["data"] == "daic_woz, BDI-II (0 to 63)"
    assert "trial run" not in real


def test_a_block_is_aligned_and_plain():
    text = block("done", [("a", "one\ntwo"), ("long", "\N{MINUS SIGN}0.10")])
    assert text == "done\n  a     one\n        two\n  long  -0.10"


def test_of_a_line_with_readings_the_one_that_knows_most_is_shown():
    readings = {
        "raw": {"auc": estimate(0.6)},
        "enrolment": {"auc": estimate(0.7)},
        "both": {"auc": estimate(0.8)},
    }
    reference = {"statistics": readings, "rocket": {"raw": {"auc": estimate(0.65)}}, "last_score": None}
    rows = result_rows({"test": {"auc": estimate(0.7)}, "reference": reference})
    assert rows == [("test", "AUC 0.70"), ("statistics both", "AUC 0.80"), ("rocket raw", "AUC 0.65")]
