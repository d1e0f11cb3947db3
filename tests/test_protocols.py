"""Protocols on their whole way: from the config to the record and the report of a run."""

import json

import numpy as np
import pandas as pd
import pytest

from engine.evaluate import evaluate
from engine.runs.provenance import read_manifest_json
from engine.train import train
from evaluation.tables.predictions import read_predictions
from tests.test_eval import ARGUMENTS


@pytest.fixture(scope="module")
def own_table(series_run, cohorts):
    """The small cohort as somebody's table, with paths that hold anywhere."""
    manifest = next(cohorts.glob("synthetic/*/manifest.csv"))
    table = pd.read_csv(manifest, dtype=str, keep_default_na=False)
    for column in ("path", "series_path", "landmark_path"):
        table[column] = [str(manifest.parent / name) if name else "" for name in table[column]]
    return table


@pytest.fixture
def compose_own(series_overrides, compose_run, tmp_path):
    """Compose a small training of one epoch on a table."""

    def run(table, *overrides):
        table.to_csv(tmp_path / "own.csv", index=False)
        kept = [o for o in series_overrides if not o.startswith(("data.cohort", "protocol."))]
        data = ["data=manifest", "data/clips=series", f"data.path={tmp_path / 'own.csv'}", "data.channels=17"]
        return compose_run(*kept, *data, "trainer.max_epochs=1", *overrides)

    return run


@pytest.mark.slow
def test_an_official_split_shows_whom_it_shares_and_what_a_look_up_reaches(
    own_table, compose_own, tmp_path, caplog
):
    late = own_table["session_id"] == own_table["session_id"].max()
    selects = own_table["subject_id"].isin(["P0001", "P0003", "P0004"])
    part = np.select([late, selects], ["test", "val"], "train")
    config = compose_own(own_table.assign(split=part), "protocol=official")
    run = tmp_path / "run"
    train(config, folder=run)
    record = read_manifest_json(run)
    shared = record["person_overlap"]["persons"]
    table = own_table.assign(split=part)
    persons = {name: set(rows["subject_id"]) for name, rows in table.groupby("split")}
    assert shared["train"]["test"] == len(persons["train"] & persons["test"]) > 0
    assert shared["test"]["test"] == 10
    assert record["subject_disjoint"] is False
    assert "are in several parts: P000" in caplog.text
    line = json.loads((run / "metrics.json").read_text())["reference"]["identity"]
    assert line["difference"]["mae"]["value"] is not None
    page = (run / "report.html").read_text()
    head = page[: page.index('id="metrics"')]
    assert 'id="overlap"' in head
    assert "Looking a person up reaches" in head
    assert "the model minus that is" in head
    again = {"ckpt_path": str(run / "checkpoints" / "best.ckpt"), "paths": {"data": str(tmp_path)}}
    evaluate(ARGUMENTS | again, folder=tmp_path / "again")
    assert read_manifest_json(tmp_path / "again")["person_overlap"] == record["person_overlap"]
    assert read_manifest_json(run)["looks"] == {f"{record['data_digest']}:test": 2}


@pytest.fixture
def corpora(tmp_path, write_series):
    """Two tables of series; the persons 4 to 7 of the first are in the second too."""
    places = []
    for name, persons in (("first", range(8)), ("second", range(4, 12))):
        folder = tmp_path / name
        folder.mkdir()
        rows = [
            {"recording_id": f"{p}", "subject_id": f"fam:{p}", "session_id": "1", "path": ""} for p in persons
        ]
        table = pd.DataFrame(rows).assign(series_path=lambda t: t["recording_id"] + ".npz", corpus=name)
        table = table.assign(scale="PHQ-8", score=[20 * (p % 2) for p in persons])
        for row, file in enumerate(table["series_path"]):
            write_series(folder / file, np.random.default_rng([row, len(name)]).normal(size=(40, 3)))
        table.to_csv(folder / "table.csv", index=False)
        places.append(folder / "table.csv")
    return places


@pytest.fixture
def write_series():
    """Write a series of three channels."""

    def write(path, values):
        np.savez(path, values=values.astype(np.float32), channels=["au04", "au12", "gaze_x"], fps=25.0)

    return write


@pytest.mark.slow
def test_one_corpus_tests_another_without_their_common_persons(
    corpora, compose_run, series_overrides, tmp_path
):
    kept = [o for o in series_overrides if not o.startswith(("data.cohort", "protocol."))]
    tables = ",".join(
        f"{{_target_:datamodules.manifests.manifest.read_manifest,path:{path}}}" for path in corpora
    )
    config = compose_run(
        *kept,
        "data=joined",
        "data/clips=series",
        "data/scale=phq_8",
        "data.channels=3",
        f"data.manifest.manifests=[{tables}]",
        "protocol=cross_corpus",
        "protocol.train=[first]",
        "protocol.test=[second]",
        "protocol.val=0.5",
        "trainer.max_epochs=1",
    )
    train(config, folder=tmp_path / "run")
    record = read_manifest_json(tmp_path / "run")
    (note,) = record["split_notes"]["first-to-second"]
    assert note.startswith("4 person(s) of first are also in second: their 4 recording(s)")
    assert "4 person(s) of first are also in second" in (tmp_path / "run" / "report.html").read_text()
    predictions = read_predictions(tmp_path / "run" / "predictions.csv").query("split == 'test'")
    assert set(predictions["subject_id"]) == {f"fam:{person}" for person in range(4, 12)}


@pytest.mark.slow
def test_repeats_lie_in_folders_of_their_own(small_run, cohorts, tmp_path):
    overrides = ["protocol=repeated", "protocol.folds=2", "protocol.repeats=2", "protocol.val=0.3"]
    run = small_run(tmp_path / "run", *overrides, "trainer.max_epochs=1")
    places = [f"repeat_{repeat}/fold_{fold}" for repeat in range(2) for fold in range(2)]
    assert run.record["folds"] == places
    assert all((run.folder / place / "predictions.csv").is_file() for place in places)
    assert run.record["test_looks"] == 1
    metrics = json.loads((run.folder / "metrics.json").read_text())
    assert len(metrics["repeats"]["mae"]["values"]) == 2
    assert "each of 2 repeats" in (run.folder / "report.html").read_text()
    third = str(run.folder / places[3] / "checkpoints" / "best.ckpt")
    evaluate(
        ARGUMENTS | {"ckpt_path": third, "paths": {"data": str(cohorts)}},
        folder=tmp_path / "again",
    )
    assert read_manifest_json(run.folder)["test_looks"] == 2
    assert read_manifest_json(run.folder / places[3])["test_looks"] == 2
    assert read_manifest_json(run.folder / places[0])["test_looks"] == 1
