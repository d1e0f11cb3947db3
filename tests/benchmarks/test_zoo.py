"""Networks on one protocol: what is planned, and what the page says of finished units."""

import json

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import roc_auc_score

from benchmarks.zoo.__main__ import _stages, main
from benchmarks.zoo.page import write_zoo
from benchmarks.zoo.plan import ENTRIES, LINES, RATES, Zoo
from benchmarks.zoo.sixteen import ENOUGH, sixteen
from benchmarks.zoo.table import rows, unfit
from benchmarks.zoo.work import PREDICTIONS, run_unit
from datamodules.command_line import help_text
from datamodules.manifests.manifest import read_manifest
from datamodules.splits.partition import Split
from engine.training.prepare import compose_training
from evaluation.baselines.line_names import FAMILIES

IDS = {"pixels": [one.name for one in ENTRIES["pixels"]], "series": [one.name for one in ENTRIES["series"]]}
SMALL = (
    "data.cohort.n_subjects=20",
    "data.cohort.fps=10",
    "data.cohort.duration_s=4",
    "data.module.train_clips.length=16",
    "data.module.eval_clips.length=16",
    "evaluation.lines=[statistics]",
    "trainer.max_epochs=1",
    "width=16",
)


def _zoo(input, folder, **changes):
    return Zoo(input=input, out=folder / "out", data=folder / "data", **changes)


@pytest.mark.slow  # every entry of both inputs
@pytest.mark.parametrize("input", ["pixels", "series"])
def test_entries_compose_on_the_same_persons_and_differ(input, tmp_path):
    assert len(IDS["pixels"]) >= 12
    assert len(IDS["series"]) >= 6
    seen, models = set(), set()
    for unit in [one for one in _zoo(input, tmp_path, seeds=1).units() if one.kind != "fit"]:
        config = compose_training(unit.overrides, output=tmp_path)
        assert set(config["evaluation"]["lines"]) == set(FAMILIES)  # rows of the table, as the entries are
        cohort = config["data"]["manifest"]
        seen.add(json.dumps([cohort["seed"], cohort["n_subjects"], config["protocol"]]))
        models.add(json.dumps([config["model"], config["data"]["module"]["source"]]))
    assert len(seen) == 1
    assert len(models) == len(IDS[input])  # the lines read what the first one reads


def test_an_unknown_entry_is_refused(tmp_path):
    with pytest.raises(ValueError, match="entries=nothing: choose among mpdrm, depression_branch"):
        _zoo("pixels", tmp_path, entries=["nothing"]).units()


@pytest.mark.slow  # makes a cohort and trains three networks
def test_the_first_seed_tries_every_rate_and_validation_chooses_for_all_seeds(tmp_path):
    units = _zoo("series", tmp_path, seeds=2, entries=["depression_branch"], further=SMALL).units()
    for unit in units:
        run_unit(unit, tmp_path)
    fit, found, second = (json.loads(one.result.read_text()) for one in units[1:])
    assert fit["fits"]
    assert fit["auc"] >= ENOUGH
    assert fit["steps"] > 0
    assert fit["seconds"] > 0
    assert list(found["trials"]) == [f"{rate:g}" for rate in RATES]
    assert found["val_auc"] == max(found["trials"].values()) == found["trials"][f"{found['rate']:g}"]
    assert second["rate"] == found["rate"]
    assert "trials" not in second
    first, other = (pd.read_csv(one.folder / PREDICTIONS)["binary_prediction"] for one in units[2:])
    assert not np.allclose(first, other)  # of other weights
    assert found["parameters_m"] > 0
    assert found["gflops"] > 0
    text = write_zoo(units, command="the command", out=tmp_path / "out")
    assert "| depression_branch |" in text
    assert f"| {fit['auc']:.3g} | {fit['steps']} | {fit['seconds']:.3g} |" in text
    assert "| statistics, raw |" in text


FIT = {"fits": True, "auc": 0.97, "rate": 4e-4, "steps": 30, "seconds": 2.5}


def _made(folder, strengths, *, seeds=2, persons=50, unfitted=()):
    """Units whose predictions see the label through noise: name -> strength."""
    units = _zoo("series", folder, seeds=seeds, entries=["mpdrm_series", "depression_branch"]).units()
    label = np.random.default_rng(0).integers(0, 2, persons * 2).astype(float)
    ids = [f"r{row}" for row in range(len(label))]
    who = [f"p{row // 2}" for row in range(len(label))]
    base = pd.DataFrame({"recording_id": ids, "subject_id": who, "session_id": "v", "binary_target": label})
    for unit in units:
        unit.folder.mkdir(parents=True)
        if unit.kind == "fit":
            unit.result.write_text(json.dumps(FIT | {"fits": unit.entry.name not in unfitted}))
            continue
        names = {LINES: ["statistics, raw", "statistics, both"]}.get(unit.entry.name, [PREDICTIONS[:-4]])
        for place, name in enumerate(names):
            rng = np.random.default_rng(7 + unit.seed + 10 * place)
            strength = strengths[name if unit.entry.name == LINES else unit.entry.name]
            seen = strength * label + rng.normal(size=len(label))
            table = base.assign(binary_prediction=1 / (1 + np.exp(-seen)))
            table.to_csv(unit.folder / f"{name}.csv", index=False)
        about = {"entry": unit.entry.name, "seed": unit.seed, "parameters_m": 2.0, "cpu_seconds": 3.0}
        unit.result.write_text(json.dumps(about))
    return units


def test_entries_stand_in_order_beside_what_they_have_to_beat(tmp_path):
    strengths = {
        "mpdrm_series": 3.0,
        "depression_branch": 1.0,
        "statistics, raw": 0.3,
        "statistics, both": 2.0,
    }
    units = _made(tmp_path, strengths)
    found = rows(units)
    assert [row.name for row in found] == sorted(strengths, key=lambda name: -strengths[name])
    first = found[0]
    ours = [one for one in units if one.kind in ("trials", "training") and one.entry.name == "mpdrm_series"]
    tables = [pd.read_csv(one.folder / PREDICTIONS) for one in ours]
    aucs = [roc_auc_score(one["binary_target"], one["binary_prediction"]) for one in tables]
    assert first.auc["value"] == pytest.approx(np.mean(aucs))
    # of the lines the stronger reading is the rival, and a network is none of its own
    assert set(first.against) == {"depression_branch", "statistics"}
    assert first.against["statistics"]["value"] == pytest.approx(first.auc["value"] - found[1].auc["value"])
    assert set(found[1].against) == {"mpdrm_series", "depression_branch"}
    assert first.costs == {"parameters_m": 2.0, "cpu_seconds": 3.0}
    assert found[1].costs == {}
    text = write_zoo(units, command="the command", out=tmp_path / "out")
    assert text.index("| mpdrm_series |") < text.index("| statistics, both |")
    assert (tmp_path / "out" / "series.png").read_bytes().startswith(b"\x89PNG")
    assert "| 0.97 | 30 | 2.5 |" in text
    assert "Not trained" not in text


def test_an_entry_that_does_not_fit_16_recordings_is_listed_and_not_trained(tmp_path):
    strengths = {
        "mpdrm_series": 3.0,
        "depression_branch": 1.0,
        "statistics, raw": 0.3,
        "statistics, both": 2.0,
    }
    units = _made(tmp_path, strengths, unfitted={"depression_branch"})
    assert list(unfit(units)) == ["depression_branch"]
    lines, fits, trials, trainings = _stages(units, units)
    assert [one.name for one in lines] == ["lines/lines"]
    assert [one.name for one in fits] == ["mpdrm_series/fit", "depression_branch/fit"]
    assert [one.name for one in trials] == ["mpdrm_series/0"]
    assert [one.name for one in trainings] == ["mpdrm_series/1"]
    text = write_zoo(units, command="the command", out=tmp_path / "out")
    assert "| depression_branch |" not in text
    assert "does not fit 16 recordings: depression_branch (training AUC 0.97 in 30 steps" in text
    assert list(json.loads((tmp_path / "out" / "series.json").read_text())["unfit"]) == ["depression_branch"]


def _table(folder, persons):
    """A manifest of persons of 4 visits, the first half of them positive, and a split in which all train."""
    rows = [
        {"recording_id": f"p{who:02}_{visit}", "subject_id": f"p{who:02}", "session_id": f"v{visit}",
         "path": "none.mp4", "score": 30 if visit < 2 else 3, "scale": "BDI-II"}
        for who in range(persons) for visit in range(4)
    ]  # fmt: skip
    pd.DataFrame(rows).to_csv(folder / "table.csv", index=False)
    (folder / "none.mp4").touch()
    manifest = read_manifest(folder / "table.csv", probe=False)
    return manifest, Split(name="all", train=tuple(manifest.table["recording_id"]), val=(), test=())


def test_the_sixteen_are_eight_of_a_class_and_of_several_persons(tmp_path):
    manifest, split = _table(tmp_path, persons=12)
    chosen = manifest.table[manifest.table["recording_id"].isin(sixteen(manifest, split))]
    assert len(chosen) == 16
    for _, own in chosen.groupby("binary"):
        assert len(own) == 8
        assert own["subject_id"].value_counts().tolist() == [2, 2, 2, 2]


def test_too_few_persons_are_told(tmp_path):
    manifest, split = _table(tmp_path, persons=3)
    with pytest.raises(ValueError, match="8 of each are fitted before an entry is trained"):
        sixteen(manifest, split)


def test_help_names_inputs_and_the_entries_of_each():
    told = " ".join(help_text(main).split())
    assert "What the networks read: series, pixels." in told
    for kind in ("series", "pixels"):
        assert f"f {kind}: {', '.join(IDS[kind])}." in told
