import json

import numpy as np
import pandas as pd
import pytest
import yaml
from hydra import compose, initialize_config_dir
from scipy import stats

from engine.config.source_code import ROOT
from engine.runs.results_table import run_row, write_results
from engine.runs.sweep_results import finished_jobs, job_count, sweep_summary

AUCS = [0.7, 0.9, 0.75]


@pytest.fixture
def sweep(tmp_path):
    """Write the folders of a sweep's jobs: `sweep(overrides of each)`; the last one was interrupted."""

    def write(*overrides):
        for number, given in enumerate([*overrides, ["seed=99"]]):
            place = tmp_path / str(number)
            (place / ".hydra" / "now").mkdir(parents=True)
            (place / ".hydra" / "now" / "overrides.yaml").write_text(yaml.safe_dump(given))
            done = number < len(overrides)
            record = {"status": "finished" if done else "interrupted"}
            if done:
                record["chosen"] = {
                    "epoch": number,
                    "monitor": "val/auc",
                    "value": 0.6 + number / 10,
                    "of": 4,
                    "last": 0.6,
                }
                test = {"auc": {"value": AUCS[number]}, "mae": {"value": 8.0 + number}, "f1": {"value": None}}
                (place / "metrics.json").write_text(json.dumps({"test": test}))
            (place / "manifest.json").write_text(json.dumps(record))
        return finished_jobs(tmp_path)

    return write


def test_seeds_end_in_mean_spread_and_students_interval_and_name_no_best(sweep, tmp_path):
    jobs = sweep(*(["width=16", f"seed={seed}"] for seed in range(3)))
    text = sweep_summary(tmp_path, jobs)
    table = pd.read_csv(tmp_path / "seeds.csv", index_col=0)
    assert list(table.index) == ["0: seed=0", "1: seed=1", "2: seed=2", "mean", "sd", "low", "high"]
    low, high = stats.t.interval(0.95, 2, loc=np.mean(AUCS), scale=stats.sem(AUCS))
    assert high > 1  # no AUC is
    expected = [np.mean(AUCS), np.std(AUCS, ddof=1), low, 1]
    assert table["test/auc"].iloc[-4:].tolist() == pytest.approx(expected)
    assert table["test/f1"].isna().all()
    assert table["chosen at"].iloc[:4].tolist() == pytest.approx([0.25, 0.5, 0.75, 0.5])  # and their mean
    assert table["val/auc at the end"].iloc[:3].tolist() == [0.6] * 3
    assert table[["epoch", "of"]].iloc[3:].isna().all(axis=None)  # a mean of them would say nothing
    assert "test/auc" in text
    assert "test/f1" not in text
    assert "best" not in text
    assert text.rstrip().endswith(f"python -m evaluation.comparison {tmp_path} <another run or sweep>")


def test_the_interval_of_two_seeds_stays_within_the_range_of_the_metric(sweep, tmp_path):
    sweep_summary(tmp_path, sweep(["seed=0"], ["seed=1"]))
    ends = pd.read_csv(tmp_path / "seeds.csv", index_col=0).loc[["low", "high"]]
    assert ends["test/auc"].tolist() == [0.0, 1.0]
    assert ends["val/auc"].tolist()[1] == 1.0
    assert ends["chosen at"].tolist() == [0.0, 1.0]
    half = stats.t.ppf(0.975, 1) * 0.5
    assert ends["test/mae"].tolist() == pytest.approx([8.5 - half, 8.5 + half])


def test_no_error_of_two_seeds_is_beyond_the_questionnaire(sweep, tmp_path):
    jobs = sweep(["seed=0"], ["seed=1"])
    record = json.loads((jobs[0][0] / "manifest.json").read_text())
    scale = {"name": "PHQ-2", "low": 0, "high": 6, "cut_off": 3}
    for place, _ in jobs:
        for name, content in (
            ("manifest.json", record | {"questionnaires": [scale]}),
            ("metrics.json", {"test": {"mae": {"value": 2.0 + len(jobs) * int(place.name)}}}),
        ):
            (place / name).write_text(json.dumps(content))
    sweep_summary(tmp_path, jobs)
    ends = pd.read_csv(tmp_path / "seeds.csv", index_col=0).loc[["low", "high"]]
    assert ends["test/mae"].tolist() == [0.0, 6.0]


def test_jobs_of_other_settings_are_compared_by_validation_and_show_no_test_value(sweep, tmp_path):
    text = sweep_summary(tmp_path, sweep(["lr=1"], ["lr=2"], ["lr=3"]))
    assert "test/" not in text + (tmp_path / "jobs.csv").read_text()
    assert "best" not in text.replace("best.ckpt", "")
    assert "2: lr=3" in text


def test_folds_have_no_interval(sweep, tmp_path):
    jobs = sweep([], [], [])
    rows = [(place.name, run_row(place)) for place, _ in jobs]
    text = write_results(tmp_path / "folds.csv", rows, name="fold", summary=("mean", "sd"))
    assert [line.split()[0] for line in text.splitlines()] == ["fold", "0", "1", "2", "mean", "sd"]


@pytest.mark.parametrize(
    ("given", "count"),
    [
        (["sweep=seeds"], 5),
        (["sweep=seeds", "hydra.sweeper.params.seed='1,2'"], 2),
        (["sweep=seeds", "+hydra.sweeper.params.width='16,32'"], 10),
    ],
)
def test_the_jobs_of_a_sweep_are_counted(given, count):
    with initialize_config_dir(str(ROOT / "conf"), version_base="1.3"):
        config = compose("train", given, return_hydra_config=True)
    assert job_count(config.hydra) == count
    if count == 5:
        config.hydra.overrides.task = ["seed=1,2,3", "width=16"]  # what is typed counts, not what is set
        assert job_count(config.hydra) == 3
