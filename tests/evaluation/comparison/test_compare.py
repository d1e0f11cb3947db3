import json
import re

import numpy as np
import pytest
from scipy import stats

from datamodules.command_line import run
from evaluation.comparison.__main__ import main
from evaluation.comparison.runs import RunError, read_run
from evaluation.comparison.statistics import compare, over_seeds, verdict
from evaluation.tables.predictions import write_predictions
from evaluation.uncertainty.table_estimates import paired_differences

DRAWS = {"n_perm": 999}


@pytest.fixture
def write_run(tmp_path, cohort):
    """Write what a run leaves: `write_run("a", noise=1.0, seed=0)` -> folder."""

    def write(name, *, noise=0.0, seed=0, threshold=0.5, change=None):
        test = cohort(subjects=20)
        rng = np.random.default_rng(seed)
        test["score_prediction"] += rng.normal(0, 1, len(test)) * noise
        test = test if change is None else change(test)
        folder = tmp_path / name
        write_predictions(folder / "predictions.csv", test)
        (folder / "metrics.json").write_text(json.dumps({"threshold": {"value": threshold}}))
        return folder

    return write


def test_differences_are_the_paired_ones(write_run):
    a, b = read_run(write_run("a")), read_run(write_run("b", noise=4.0))
    found = compare(a, b, **DRAWS)
    expected = paired_differences(
        [a.tables[0].recordings], [b.tables[0].recordings], thresholds_a=[0.5], thresholds_b=[0.5]
    )
    assert {name: row["difference"] for name, row in found["metrics"].items()} == expected
    assert found["not_compared"] == {"ece": "leaving recordings out biases a binned error"}
    assert (found["recordings"], found["persons"]) == (60, 20)
    assert found["metrics"]["mae"]["p_value"] < 0.05
    assert found["metrics"]["mae"]["better"] == "a"
    raw = [row["p_value"] for row in found["metrics"].values()]
    adjusted = [row["p_holm"] for row in found["metrics"].values()]
    assert all(p <= q for p, q in zip(raw, adjusted, strict=True))
    assert min(adjusted) == pytest.approx(min(raw) * len(raw))


def test_no_difference_is_beyond_the_questionnaire(write_run):
    folders = write_run("a"), write_run("b", noise=4.0)
    whole = compare(*map(read_run, folders), only=["mae"], **DRAWS)["metrics"]["mae"]["difference"]
    span = -(whole["value"] + whole["low"]) / 2  # as if the questionnaire had so few points
    (folders[0] / "manifest.json").write_text(json.dumps({"questionnaires": [{"low": 0, "high": span}]}))
    found = compare(*map(read_run, folders), only=["mae"], **DRAWS)["metrics"]["mae"]["difference"]
    assert whole["low"] < found["low"] == -span


def test_the_verdict_follows_the_test_and_says_where_the_interval_disagrees(write_run):
    a, b = read_run(write_run("a")), read_run(write_run("b", noise=4.0))
    found = compare(a, b, only=["mae"], **DRAWS)
    assert "permutation test" in found["verdict"]
    row = found["metrics"]["mae"]
    assert "disagree" not in row
    hidden = row | {"difference": row["difference"] | {"low": -9.0, "high": 1.0}}
    assert "includes 0" in verdict("mae", hidden)["disagree"]
    assert verdict("mae", hidden)["better"] == "a"
    unsure = row | {"p_value": 0.2, "p_holm": 0.2}
    assert "excludes 0" in verdict("mae", unsure)["disagree"]
    assert verdict("mae", unsure)["better"] is None


def test_a_metric_named_before_is_not_corrected(write_run):
    a, b = read_run(write_run("a")), read_run(write_run("b", noise=4.0))
    row = compare(a, b, only=["mae"], **DRAWS)["metrics"]
    assert list(row) == ["mae"]
    assert row["mae"]["p_holm"] == row["mae"]["p_value"]
    with pytest.raises(RunError, match="no metric 'acu' in both runs"):
        compare(a, b, only=["acu"], **DRAWS)


def test_seeds_are_averaged_and_their_spread_is_told(write_run, tmp_path):
    for seed in (0, 1, 10):
        write_run(f"a/{seed}", noise=1.0, seed=seed)
        write_run(f"b/{seed}", noise=5.0, seed=seed + 50)
    a, b = read_run(tmp_path / "a"), read_run(tmp_path / "b")
    assert [table.folder.name for table in a.tables] == ["0", "1", "10"]
    row = compare(a, b, only=["mae"], **DRAWS)["metrics"]["mae"]
    values = row["seeds"]["a"]["values"]
    errors = [
        (t.recordings["score_target"] - t.recordings["score_prediction"]).abs().mean() for t in a.tables
    ]
    assert values == pytest.approx(errors)
    assert row["a"] == pytest.approx(np.mean(errors))
    assert row["difference"]["high"] < 0
    assert len(row["seeds"]["difference"]["values"]) == 3
    one = read_run(tmp_path / "b" / "0")
    uneven = compare(a, one, only=["mae"], **DRAWS)["metrics"]["mae"]
    assert uneven["p_value"] is None
    assert "3 seeds against 1" in uneven["reason"]
    assert "difference" not in uneven["seeds"]


def test_the_interval_over_seeds_is_that_of_student():
    values = [0.7, 0.74, 0.81]
    low, high = stats.t.interval(0.95, 2, loc=np.mean(values), scale=stats.sem(values))
    found = over_seeds(values, limits=(0.0, 1.0))
    assert (found["low"], found["high"]) == pytest.approx((low, high))
    assert over_seeds([0.7], limits=(0.0, 1.0))["low"] is None


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda t: t.iloc[1:], r"only the first has r0000; only the second has none"),
        (lambda t: t.assign(score_target=t["score_target"] + (t.index == 3)), "'score_target' of r0003"),
        (lambda t: t.assign(subject_id=t["subject_id"].replace("p001", "p000")), "'subject_id' of r0003"),
        (lambda t: t.drop(columns=["band_target", "band_prediction"]), "only .* has 'band_target'"),
        (lambda t: t.assign(split="val"), "no recording of split 'test'"),
    ],
)
def test_runs_of_other_data_are_refused_with_the_differences(write_run, change, message, capsys):
    assert run(main, [str(write_run("a")), str(write_run("b", change=change))]) == 2
    error = capsys.readouterr().err
    assert re.search(message, error), error


def test_the_command_writes_table_numbers_and_page(write_run, tmp_path, capsys):
    a, b, out = write_run("a"), write_run("b", noise=4.0), tmp_path / "out"
    (a / "manifest.json").write_text('{"data": "cohort", "synthetic": true}')
    (b / "manifest.json").write_text('{"config": {"trainer": {"limit_train_batches": 2}}}')
    assert run(main, [str(a), str(b), f"out={out}", "n_perm=999"]) == 0
    shown = capsys.readouterr().out
    assert "60 recordings of 20 persons" in shown
    assert next(line for line in shown.splitlines() if line.startswith("mae")).endswith("a")
    found = json.loads((out / "compare.json").read_text())
    page = (out / "compare.html").read_text()
    assert "data:image/svg+xml" in page
    assert "<h1>SYNTHETIC: Two runs" in page
    assert "Trial run (b): trainer.limit_train_batches=2" in page
    assert str(tmp_path) not in page
    assert all(f"<td>{name}</td>" in page for name in found["metrics"])
    assert run(main, [str(a), str(b), "metrics=auc"]) == 2
    assert "'metrics=auc' is not understood; did you mean 'metric'?" in capsys.readouterr().err
    assert run(main, [str(a), str(tmp_path / "none")]) == 2
    assert "no predictions.csv" in capsys.readouterr().err


@pytest.mark.parametrize("content", [b"", b"\xff\xfea\x00", b'a,b\n1,2,3\n"', b"recording_id\nr1\n"])
def test_a_damaged_table_is_named(write_run, content, capsys):
    a, b = write_run("a"), write_run("b")
    (b / "predictions.csv").write_bytes(content)
    assert run(main, [str(a), str(b)]) == 2
    assert re.search(r"b/predictions\.csv.*(Evaluate the run again|write it with)", capsys.readouterr().err)


def test_what_is_no_number_is_named(write_run, capsys):
    a = write_run("a")
    b = write_run("b", change=lambda t: t.assign(score_prediction=["x", *t["score_prediction"][1:]]))
    assert run(main, [str(a), str(b)]) == 2
    assert re.search(r"prediction' is 'x' in row 2, no number", capsys.readouterr().err)
    (a / "metrics.json").write_text('{"threshold": {"val')
    assert run(main, [str(a), str(write_run("c"))]) == 2
    assert re.search(r"a/metrics\.json: is damaged", capsys.readouterr().err)


@pytest.mark.parametrize("option", ["n_perm=-3", "n_perm=0", "n_perm=many", "seed=-1", "seed=1e3"])
def test_options_that_are_no_numbers_are_refused(write_run, option, capsys):
    assert run(main, [str(write_run("a")), str(write_run("b")), option]) == 2
    assert re.search(r"(n_perm|seed)=.*: give a whole number", capsys.readouterr().err)


def test_a_file_is_no_folder_for_results(write_run, tmp_path, capsys):
    (tmp_path / "out").write_text("mine")
    assert run(main, [str(write_run("a")), str(write_run("b")), f"out={tmp_path / 'out'}", "n_perm=99"]) == 2
    assert "out: File exists. Choose another folder" in capsys.readouterr().err
