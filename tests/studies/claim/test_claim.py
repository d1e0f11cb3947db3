import json
from collections import Counter
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from sklearn.metrics import roc_auc_score

from engine.training.prepare import compose_training
from studies.claim import __main__ as claim
from studies.claim.page import write_claim
from studies.claim.plan import CELLS, CONTRASTS, LINES, MAIN, ORACLE, VARIANTS, Study
from studies.claim.table import STABLE, Results, over_seeds
from studies.claim.verdicts import verdicts
from studies.claim.work import run_unit

pytestmark = pytest.mark.xdist_group("claim")  # the study below is made once
NOWHERE = Path("nowhere")
TINY = (
    "data.cohort.n_visits=3",
    "data.cohort.fps=10",
    "data.cohort.duration_s=4",
    "data.module.train_clips.length=16",
    "data.module.eval_clips.length=16",
    "data.module.visits=3",
    "model.network.depression.trunk.blocks=1",
    "evaluation.lines=[statistics]",
    "width=16",
)
CELL = "movement-0.8-on"


def _study(folder, **changes):
    kind = {
        "seeds": 2,
        "first_seed": 0,
        "subjects": 24,
        "epochs": 1,
        "variants": ("depression_branch", "calibrated"),
        "cells": (CELL,),
        "further": TINY,
    }
    return Study(input="series", out=folder / "study", data=folder / "data", **{**kind, **changes})


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    folder = tmp_path_factory.mktemp("claim")
    units = _study(folder).units()
    claim.run_units(units, workers=1, out=folder / "study")
    return folder, units


@pytest.mark.slow  # the study trains four networks
def test_every_unit_leaves_its_files_and_nothing_else(study):
    folder, units = study
    assert len(units) == 2 * 4
    for unit in units:
        names = {path.name for path in unit.folder.iterdir()} - {"result.json"}
        lines = {f"statistics, {reading}.csv" for reading in ("raw", "minus", "both")}
        if unit.variant == LINES:
            assert names >= {"constant.csv", "last_score.csv", "mean_score.csv"}
            assert len([name for name in names if name.startswith("statistics")]) == len(lines)
        else:
            assert names == (set() if unit.variant == ORACLE else {"predictions.csv"})
    assert {path.name for path in (folder / "study").iterdir()} == {CELL}
    assert not list((folder / "study").rglob("*.ckpt"))


@pytest.mark.slow  # the study trains four networks
def test_recorded_auc_is_that_of_the_predictions(study):
    _, units = study
    for unit in (unit for unit in units if unit.variant not in (ORACLE, LINES)):
        test = pd.read_csv(unit.folder / "predictions.csv")
        found = json.loads(unit.result.read_text())
        assert found["test_auc"] == pytest.approx(
            roc_auc_score(test["binary_target"], test["binary_prediction"])
        )
        assert (found["habit_r2"] is None) == (unit.variant == "depression_branch")
        assert found["epochs"] == 1


@pytest.mark.slow  # the study trains four networks
def test_networks_and_lines_of_a_seed_answer_for_the_same_recordings(study):
    _, units = study
    for seed in range(2):
        files = [
            path
            for unit in units
            if unit.seed == seed and unit.variant != ORACLE
            for path in unit.folder.glob("*.csv")
        ]
        ids = [
            pd.read_csv(path)[["recording_id", "binary_target"]].sort_values(
                "recording_id", ignore_index=True
            )
            for path in files
        ]
        assert len(ids) > 5
        for one in ids[1:]:
            pd.testing.assert_frame_equal(one, ids[0])
        assert not ids[0]["recording_id"].str.endswith("V1").any()  # known from the start


@pytest.mark.slow  # the study trains four networks
def test_started_again_only_what_is_missing_is_done(study):
    folder, units = study
    times = {unit.result: unit.result.stat().st_mtime_ns for unit in units}
    units[2].result.unlink()
    claim.run_units(units, workers=1, out=folder / "study")
    redone = [unit for unit in units if unit.result.stat().st_mtime_ns != times[unit.result]]
    assert redone == [units[2]]


@pytest.mark.slow  # the study trains four networks
def test_results_of_other_settings_are_not_mixed_in(study):
    folder, _ = study
    with pytest.raises(ValueError, match=r"max_epochs=1.*max_epochs=3.*out="):
        claim.run_units(_study(folder, epochs=3).units(), workers=1, out=folder / "study")


@pytest.mark.slow  # the study trains four networks
def test_claim_is_written(study, tmp_path):
    _, units = study
    text = write_claim(claim.read_results(units), input="series", command="the command", out=tmp_path)
    content = json.loads((tmp_path / "claim.json").read_text())
    assert (tmp_path / "claim.md").read_text() == text
    assert (tmp_path / "claim.png").read_bytes().startswith(b"\x89PNG")
    assert "| calibrated |" in text
    assert "| oracle both + earlier scores |" in text
    assert "| calibrated - mean_score |" in text
    assert content["command"] == "the command"
    assert {run["variant"] for run in content["runs"]} == {"depression_branch", "calibrated", ORACLE, LINES}


@pytest.mark.parametrize(
    ("kind", "cell"),
    [
        pytest.param("series", "movement-0.8-on", marks=pytest.mark.slow),
        ("series", "levels-0.15-off"),
        ("pixels", STABLE),
    ],
)
def test_variants_compose_and_differ(kind, cell):
    study = Study(input=kind, out=NOWHERE, data=NOWHERE, first_seed=3, seeds=1, cells=(cell,))
    units = [unit for unit in study.units() if unit.variant not in (ORACLE, LINES)]
    models = set()
    for unit in units:
        config = compose_training(unit.overrides, output=NOWHERE)
        cohort = config["data"]["manifest"]
        assert config["seed"] == config["protocol"]["persons"]["seed"] == cohort["seed"] == 3
        assert (cohort["stability"], cohort["confound"]) == (CELLS[cell].stability, CELLS[cell].confound)
        assert cohort["movement"] == CELLS[cell].movement
        models.add(json.dumps(config["model"]))
    assert len(models) == len(units) >= len(MAIN)


def test_every_cohort_has_its_oracles_and_lines_and_what_it_is_needed_for():
    units = Study(input="series", out=NOWHERE, data=NOWHERE, first_seed=5).units()
    cohorts = {(unit.cell, unit.seed) for unit in units}
    for variant in (ORACLE, LINES, *MAIN):
        assert {(unit.cell, unit.seed) for unit in units if unit.variant == variant} == cohorts
    assert len({unit.result for unit in units}) == len(units)
    of = {name: {unit.seed for unit in units if unit.cell == name} for name in CELLS}
    assert of[STABLE] == of["movement-0.15-on"] == of["movement-0.8-on"] == set(range(5, 10))
    assert of["levels-0-off"] == {5, 6, 7}
    assert {unit.variant for unit in units if unit.cell == STABLE} >= set(CONTRASTS)
    filmed = Study(input="pixels", out=NOWHERE, data=NOWHERE, first_seed=5).units()
    assert {unit.cell for unit in filmed} == {"levels-0.15-on", STABLE}


@pytest.mark.slow  # makes two cohorts
def test_every_training_on_pixels_starts_from_one_trunk_of_other_people(tmp_path):
    faces = (
        "data.cohort.size=32",
        "data.module.source.video.height=32",
        "data.module.source.video.width=32",
        "model.network.depression.trunk.widths=[8,16]",
        "model.network.depression.trunk.mmp_stages=[1]",
    )
    few = ("data.cohort.fps=10", "data.cohort.duration_s=3", "data.cohort.n_visits=3", "width=16")
    study = Study(
        input="pixels",
        out=tmp_path / "out",
        data=tmp_path / "data",
        first_seed=0,
        seeds=1,
        subjects=16,
        epochs=1,
        cells=(STABLE,),
        variants=("depression_branch",),
        further=(*faces, *few),
    )
    first, units = study.start(), study.units()
    config = compose_training(first.overrides, output=tmp_path)
    cohort = config["data"]["manifest"]
    assert (cohort["confound"], cohort["n_subjects"], config["model"]["network"]["personality"]) == (
        0,
        32,
        None,
    )
    assert cohort["seed"] not in range(1000)
    trained = [unit for unit in units if unit.variant not in (ORACLE, LINES)]
    assert all(f"init_from={first.checkpoint}" in unit.overrides for unit in trained)
    claim.run_units([first, *units], workers=1, out=tmp_path / "out")
    assert first.checkpoint.is_file()
    assert {r["variant"] for r in claim.read_results(units)} == {ORACLE, LINES, "depression_branch"}


def test_series_start_fresh():
    study = Study(input="series", out=NOWHERE, data=NOWHERE, first_seed=0, seeds=1)
    assert study.start() is None
    assert not any("init_from" in text for unit in study.units() for text in unit.overrides)


def test_interval_over_seeds_is_that_of_scipy():
    rng = np.random.default_rng(0)
    a, b = rng.normal(0.7, 0.05, 5), rng.normal(0.6, 0.05, 5)
    found = over_seeds((a - b).tolist(), limits=(-1.0, 1.0))
    expected = stats.ttest_rel(a, b).confidence_interval(0.95)
    assert (found.low, found.high) == pytest.approx((expected.low, expected.high))
    assert found.mean == pytest.approx((a - b).mean())
    assert over_seeds([0.5], limits=(0.0, 1.0)).low is None


def test_two_seeds_give_no_auc_above_1_and_no_difference_below_its_least(tmp_path):
    results = Results(_made(tmp_path, {"calibrated": 3.0, "depression_branch": 0.2}, seeds=2, persons=12))
    shown = results.interval(STABLE, "calibrated"), results.interval(STABLE, "depression_branch")
    for one in shown:
        assert 0 <= one.low < one.mean < one.high <= 1
    seeds, persons = results.difference(STABLE, "calibrated", "depression_branch")
    for one in (seeds, persons):
        assert -1 <= one.low < one.mean < one.high <= 1


def _made(folder, strengths, *, cell=STABLE, seeds=3, persons=60, visits=5):
    """Records of a study whose lines see the label through noise: name -> strength of what they see."""
    records = []
    for seed in range(seeds):
        rng = np.random.default_rng(seed)
        label = rng.integers(0, 2, (persons, visits)).ravel()
        ids = pd.DataFrame(
            {
                "recording_id": [f"P{p}-V{v}" for p in range(persons) for v in range(visits)],
                "subject_id": [f"P{p}" for p in range(persons) for v in range(visits)],
                "binary_target": label.astype(float),
            }
        )
        shared = rng.normal(size=len(label))
        aucs = {}
        for name, strength in strengths.items():
            seen = strength * label + shared + 0.3 * rng.normal(size=len(label))
            answers = ids.assign(binary_prediction=1 / (1 + np.exp(-seen)))
            line = name not in VARIANTS
            own = folder / cell / str(seed) / (LINES if line else name)
            own.mkdir(parents=True, exist_ok=True)
            answers.to_csv(own / (f"{name}.csv" if line else "predictions.csv"), index=False)
            auc = roc_auc_score(label, seen)
            if line:
                aucs[name] = auc
            else:
                records.append(_record(cell, seed, name, own) | {"test_auc": auc, "habit_r2": 0.4})
        records.append(_record(cell, seed, LINES, folder / cell / str(seed) / LINES) | {"auc": aucs})
        records.append(_record(cell, seed, ORACLE, folder) | {"auc": {"both": 0.97}})
    return records


def _record(cell, seed, variant, folder):
    return {"cell": cell, "seed": seed, "variant": variant, "folder": folder, "seconds": 1.0}


STRENGTHS = {
    "depression_branch": 0.5,
    "enrolment": 0.6,
    "calibrated": 2.5,
    "statistics, raw": 0.3,
    "statistics, both": 0.5,
    "last_score": 0.8,
    "mean_score": 1.0,
}


def _auc(table, times):
    """AUC of rows that stand so many times in a table: by all pairs of a positive and a negative one."""
    positive = table["binary_target"].to_numpy() == 1
    said, times = table["binary_prediction"].to_numpy(), times.fillna(0).to_numpy()
    above, weight = said[positive, None] - said[~positive], times[positive, None] * times[~positive]
    return np.average((np.sign(above) + 1) / 2, weights=weight)


def test_the_interval_over_persons_is_that_of_a_bootstrap(tmp_path):
    found = Results(_made(tmp_path, STRENGTHS)).difference(STABLE, "calibrated", "mean_score")
    assert found is not None
    rng, drawn = np.random.default_rng(0), []
    files = [
        [
            pd.read_csv(tmp_path / STABLE / str(s) / name)
            for name in ("calibrated/predictions.csv", "lines/mean_score.csv")
        ]
        for s in range(3)
    ]
    for _ in range(300):
        values = []
        for pair in files:
            people = pair[0]["subject_id"].unique()
            times = Counter(rng.choice(people, len(people)))  # whom the resample holds, and how often
            values.append(np.subtract(*(_auc(one, one["subject_id"].map(times)) for one in pair)))
        drawn.append(np.mean(values))
    low, high = np.quantile(drawn, [0.025, 0.975])
    assert found[1].mean == pytest.approx(found[0].mean)
    assert (found[1].low, found[1].high) == pytest.approx((low, high), abs=0.01)


def test_the_strongest_reading_of_a_family_is_what_has_to_be_beaten(tmp_path):
    results = Results(_made(tmp_path, STRENGTHS))
    assert results.strongest(STABLE, "statistics") == "statistics, both"
    assert results.strongest(STABLE, "rocket") is None


def test_the_share_of_the_way_to_the_ceiling_is_told_where_all_three_were_run(tmp_path):
    results = Results(_made(tmp_path, STRENGTHS))
    means = results.means(STABLE)
    found = results.share(STABLE, "calibrated", floor="depression_branch", ceiling="oracle both")
    left = means["oracle both"] - means["calibrated"]
    assert found == pytest.approx(1 - left / (means["oracle both"] - means["depression_branch"]))
    assert 0 < found < 1
    assert results.share(STABLE, "calibrated", floor="mmp_off", ceiling="oracle both") is None
    assert results.share(STABLE, "calibrated", floor="oracle both", ceiling="depression_branch") is None


@pytest.mark.parametrize(
    ("change", "holds"),
    [
        ({}, [True, True, True, True]),
        ({"calibrated": 0.7}, [False, False, True, True]),
        ({"mean_score": 3.0}, [True, False, True, True]),
        ({"enrolment": 0.3}, [True, True, False, False]),
        ({"statistics, raw": 1.2}, [True, True, True, False]),
    ],
)
def test_verdicts_follow_the_numbers(change, holds, tmp_path):
    results = Results(_made(tmp_path, STRENGTHS | change))
    assert [verdict.holds for verdict in verdicts(results)] == holds


@pytest.mark.parametrize(
    ("change", "failed"),
    [
        ({}, set()),
        ({"statistics, both": 2.3}, {"enrolment beats statistics, both"}),
        ({"rocket, both": 2.5}, {"enrolment is not below rocket, both by more than 0.01 AUC on average"}),
        ({"mmp_off": 2.3}, {"enrolment beats mmp_off"}),
        ({"motion_only": 0.2}, {"motion_only beats depression_branch"}),
    ],
)
def test_verdicts_of_movement(change, failed, tmp_path):
    made = {"enrolment": 2.0, "depression_branch": 0.5, "statistics, both": 0.5, "rocket, both": 1.5}
    made |= {"mmp_off": 1.0, "motion_only": 1.5}
    results = Results(_made(tmp_path, made | change, cell=CELL))
    found = verdicts(results)
    assert {v.claim.removeprefix(f"{CELL}: ") for v in found if not v.holds} == failed
    assert len(found) == 5


def test_undefined_auc_is_not_averaged_away(tmp_path):
    record = _record(STABLE, 0, "abstract", tmp_path) | {"test_auc": None, "habit_r2": None}
    with pytest.raises(ValueError, match="subjects="):
        Results([record])


def test_failed_unit_names_itself(tmp_path):
    unit = _study(tmp_path).units()[2]
    broken = replace(unit, overrides=(*unit.overrides, "protocol=kfold"))
    with pytest.raises(Exception) as caught:  # noqa: PT011 - what matters is the note
        run_unit(broken, tmp_path)
    assert any(unit.name in note for note in caught.value.__notes__)
    assert not unit.result.exists()
