import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from sklearn.linear_model import Ridge
from sklearn.metrics import roc_auc_score

from datamodules.synthetic.behavior import habit_statistics
from datamodules.synthetic.latent import LatentSettings, draw_cohort
from studies.claim import __main__ as claim
from studies.claim.habits_probe import habit_columns, habit_r2
from studies.claim.plan import ORACLE, VARIANTS, plan, start
from studies.claim.table import CONFOUNDED, FREE, differences, t_interval, tabulate, verdicts, write_claim

pytestmark = pytest.mark.xdist_group("claim")  # the study below is made once
NOWHERE = Path("nowhere")
TINY = (
    "data.cohort.n_visits=2",
    "data.cohort.fps=10",
    "data.cohort.duration_s=2",
    "data.module.train_clips.length=8",
    "data.module.eval_clips.length=8",
    "data.module.visits=2",
    "model.network.depression.trunk.blocks=1",
    "width=16",
)


def _study(folder, **changes):
    kind = {
        "seeds": range(2),
        "subjects": 16,
        "epochs": 1,
        "variants": ("depression_branch", "enrolment"),
        "settings": (CONFOUNDED,),
        "further": TINY,
    }
    return plan("series", out=folder / "study", data=folder / "data", **{**kind, **changes})


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    folder = tmp_path_factory.mktemp("claim")
    units = _study(folder)
    claim.run_units(units, workers=1, out=folder / "study")
    return folder, units


@pytest.mark.slow  # the study trains four networks
def test_every_unit_leaves_its_files_and_nothing_else(study):
    folder, units = study
    assert len(units) == 2 * 3
    for unit in units:
        names = {path.name for path in unit.folder.iterdir()}
        assert names == {"result.json"} | (set() if unit.variant == ORACLE else {"predictions.csv"})
    assert {path.name for path in (folder / "study").iterdir()} == {CONFOUNDED}
    assert not list((folder / "study").rglob("*.ckpt"))


@pytest.mark.slow  # the study trains four networks
def test_recorded_auc_is_that_of_the_predictions(study):
    _, units = study
    for unit in (unit for unit in units if unit.variant != ORACLE):
        table = pd.read_csv(unit.folder / "predictions.csv")
        test = table[table["split"] == "test"]
        found = json.loads(unit.result.read_text())
        assert found["test_auc"] == pytest.approx(
            roc_auc_score(test["binary_target"], test["binary_prediction"])
        )
        assert (found["habit_r2"] is None) == (unit.variant == "depression_branch")
        assert found["epochs"] == 1


@pytest.mark.slow  # the study trains four networks
def test_variants_of_a_seed_see_the_same_people(study):
    _, units = study
    for seed in range(2):
        ids = [
            pd.read_csv(u.folder / "predictions.csv")[["recording_id", "split", "target"]]
            for u in units
            if u.seed == seed and u.variant != ORACLE
        ]
        pd.testing.assert_frame_equal(*ids)


@pytest.mark.slow  # the study trains four networks
def test_started_again_only_what_is_missing_is_done(study):
    folder, units = study
    times = {unit.result: unit.result.stat().st_mtime_ns for unit in units}
    units[1].result.unlink()
    claim.run_units(units, workers=1, out=folder / "study")
    redone = [unit for unit in units if unit.result.stat().st_mtime_ns != times[unit.result]]
    assert redone == [units[1]]


@pytest.mark.slow  # the study trains four networks
def test_results_of_other_settings_are_not_mixed_in(study):
    folder, _ = study
    with pytest.raises(ValueError, match=r"max_epochs=1.*max_epochs=3.*out="):
        claim.run_units(_study(folder, epochs=3), workers=1, out=folder / "study")


@pytest.mark.slow  # the study trains four networks
def test_claim_is_written(study, tmp_path):
    _, units = study
    text = write_claim(claim.read_results(units), input="series", command="the command", out=tmp_path)
    content = json.loads((tmp_path / "claim.json").read_text())
    assert (tmp_path / "claim.md").read_text() == text
    assert (tmp_path / "claim.png").read_bytes().startswith(b"\x89PNG")
    assert {line["line"] for line in content["lines"]} >= {"enrolment", "oracle raw", "oracle relative"}
    assert content["command"] == "the command"
    assert len(content["verdicts"]) == 2
    assert ("FAILED" in text) == (not all(verdict["holds"] for verdict in content["verdicts"]))


@pytest.mark.parametrize(
    ("kind", "variants"),
    [
        pytest.param("series", tuple(VARIANTS), marks=pytest.mark.slow),
        ("pixels", ("enrolment", "motion_only")),
    ],
)
def test_variants_compose_and_differ(kind, variants):
    units = plan(kind, seeds=[3], out=NOWHERE, data=NOWHERE, subjects=9, epochs=1, variants=variants)
    models = set()
    for unit in (unit for unit in units if unit.setting == CONFOUNDED and unit.variant != ORACLE):
        config = claim.compose_training(unit.overrides, output=NOWHERE)
        assert config["seed"] == config["protocol"]["seed"] == config["data"]["manifest"]["seed"] == 3
        models.add(json.dumps(config["model"]))
    assert len(models) == len(variants)


@pytest.mark.parametrize(("kind", "cohorts", "trainings"), [("series", 3, 8 + 4 + 3), ("pixels", 2, 6 + 2)])
def test_every_cohort_has_its_oracle_and_what_it_is_needed_for(kind, cohorts, trainings):
    units = plan(kind, seeds=range(5), out=NOWHERE, data=NOWHERE, subjects=9, epochs=1)
    assert len(units) == 5 * (cohorts + trainings)
    assert {(u.setting, u.seed) for u in units} == {
        (u.setting, u.seed) for u in units if u.variant == "depression_branch"
    }
    assert len({unit.result for unit in units}) == len(units)


@pytest.mark.slow  # makes two cohorts
def test_every_training_on_pixels_starts_from_one_trunk_of_other_people(tmp_path):
    faces = (
        "data.cohort.size=32",
        "data.module.source.video.height=32",
        "data.module.source.video.width=32",
        "model.network.depression.trunk.widths=[8,16]",
        "model.network.depression.trunk.mmp_stages=[1]",
    )
    few = ("data.cohort.fps=10", "data.cohort.duration_s=3", "data.cohort.n_visits=2", "width=16")
    study = {"out": tmp_path / "out", "data": tmp_path / "data", "subjects": 12, "epochs": 1}
    units = plan("pixels", seeds=range(2), variants=["depression_branch"], further=(*faces, *few), **study)
    first = start("pixels", further=(*faces, *few), **study)
    config = claim.compose_training(first.overrides, output=tmp_path)
    cohort = config["data"]["manifest"]
    assert (cohort["confound"], cohort["n_subjects"], config["model"]["network"]["personality"]) == (
        0,
        24,
        None,
    )
    assert cohort["seed"] not in range(100)
    assert all(f"init_from={first.checkpoint}" in unit.overrides for unit in units)
    chosen = [unit for unit in units if (unit.setting, unit.seed) == (CONFOUNDED, 0)]
    claim.run_units([first, *chosen], workers=1, out=tmp_path / "out")
    assert first.checkpoint.is_file()
    assert {r["variant"] for r in claim.read_results(chosen)} == {ORACLE, "depression_branch"}


def test_series_start_fresh():
    study = {"out": NOWHERE, "data": NOWHERE, "subjects": 9, "epochs": 1}
    assert start("series", **study) is None
    assert not any("init_from" in text for u in plan("series", seeds=[0], **study) for text in u.overrides)


def test_paired_interval_is_that_of_scipy():
    rng = np.random.default_rng(0)
    a, b = rng.normal(0.7, 0.05, 5), rng.normal(0.6, 0.05, 5)
    rows = [
        (CONFOUNDED, s, n, v)
        for n, x in (("enrolment", a), ("depression_branch", b))
        for s, v in enumerate(x)
    ]
    found = differences(_table(rows))[CONFOUNDED]["enrolment - depression_branch"]
    expected = stats.ttest_rel(a, b).confidence_interval(0.95)
    assert (found.low, found.high) == pytest.approx((expected.low, expected.high))
    assert found.mean == pytest.approx((a - b).mean())
    assert t_interval([0.5]).low is None


def _table(rows):
    return pd.DataFrame(rows, columns=["setting", "seed", "line", "auc"])


def _numbers(*, gain, noise, raw, relative, free):
    wobble = np.array([-1, 1, 0, -0.5, 0.5]) * noise
    rows = []
    for seed, w in enumerate(wobble):
        rows += [
            (CONFOUNDED, seed, "depression_branch", 0.6),
            (CONFOUNDED, seed, "enrolment", 0.6 + gain + w),
        ]
        rows += [(CONFOUNDED, seed, "oracle raw", raw), (CONFOUNDED, seed, "oracle relative", relative)]
        rows += [(FREE, seed, "depression_branch", 0.8), (FREE, seed, "enrolment", 0.8 + free + w)]
    return _table(rows)


GOOD = {"gain": 0.12, "noise": 0.02, "raw": 0.62, "relative": 0.8, "free": 0.001}


@pytest.mark.parametrize(
    ("change", "holds"),
    [
        ({}, [True, True, True]),
        ({"gain": 0.07}, [False, False, True]),
        ({"noise": 0.2}, [False, True, True]),  # large on average, but the interval holds 0
        ({"relative": 0.9}, [True, False, True]),
        ({"relative": 0.6}, [True, False, True]),  # no gap to close
        ({"free": 0.1}, [True, True, False]),
        ({"free": -0.1}, [True, True, False]),
    ],
)
def test_verdicts_follow_the_numbers(change, holds):
    assert [verdict.holds for verdict in verdicts(_numbers(**(GOOD | change)), input="series")] == holds


def test_pixels_ask_for_less():
    table = _numbers(**(GOOD | {"gain": 0.07}))
    assert [verdict.holds for verdict in verdicts(table, input="pixels")] == [True, True]


def test_one_seed_proves_nothing():
    table = _numbers(**(GOOD | {"noise": 0.0}))
    found = verdicts(table[table["seed"] == 0], input="series")
    assert [verdict.holds for verdict in found] == [False, True, False]


def test_undefined_auc_is_not_averaged_away():
    result = {
        "setting": FREE,
        "seed": 0,
        "variant": "clip",
        "test_auc": None,
        "habit_r2": None,
        "seconds": 1.0,
    }
    with pytest.raises(ValueError, match="subjects="):
        tabulate([result])


@pytest.fixture(scope="module")
def habits():
    settings = LatentSettings(60, 2, 10.0, 4.0, confound=1.0, habit_visibility=0.1, seed=0)
    visits = draw_cohort(settings)
    truth = pd.DataFrame(
        [
            {f"habit_{name}": value for name, value in habit_statistics(visit.person, settings).items()}
            for visit in visits
        ]
    )
    truth["recording_id"] = [f"{visit.person.subject_id}-{visit.session_id}" for visit in visits]
    subject = [visit.person.subject_id for visit in visits]
    split = ["train" if visit.person.index < 40 else "test" for visit in visits]
    return truth, pd.DataFrame({"recording_id": truth["recording_id"], "subject_id": subject, "split": split})


def test_probe_finds_habits_that_are_there_and_none_in_noise(habits):
    truth, ids = habits
    rng = np.random.default_rng(0)
    known = truth[habit_columns()].to_numpy()
    mixed = known @ rng.normal(size=(known.shape[1], 12)) + 0.01 * rng.normal(size=(len(ids), 12))
    noise = rng.normal(size=(len(ids), 12))
    columns = [f"f{index}" for index in range(12)]
    assert habit_r2(pd.concat([ids, pd.DataFrame(mixed, columns=columns)], axis=1), truth) > 0.95
    assert habit_r2(pd.concat([ids, pd.DataFrame(noise, columns=columns)], axis=1), truth) < 0.1


def test_probe_is_scored_on_unseen_persons(habits):
    truth, ids = habits
    rng = np.random.default_rng(1)
    features = rng.normal(size=(len(ids), 39))
    train = (ids["split"] == "train").to_numpy()
    known = truth[habit_columns()].to_numpy()
    assert (
        Ridge(1e-6)
        .fit(features[train][::2], known[train][::2])
        .score(features[train][::2], known[train][::2])
        > 0.9
    )
    table = pd.concat([ids, pd.DataFrame(features, columns=[f"f{i}" for i in range(39)])], axis=1)
    assert habit_r2(table, truth) < 0.1


def test_failed_unit_names_itself(tmp_path):
    unit = _study(tmp_path)[1]
    broken = replace(unit, overrides=(*unit.overrides, "protocol=kfold"))
    with pytest.raises(Exception) as caught:  # noqa: PT011 - what matters is the note
        claim.run_unit(broken, tmp_path)
    assert any(unit.name in note for note in caught.value.__notes__)
    assert not unit.result.exists()
