"""`protocol.known` from training to predictions, with a network that reads the scores of earlier visits."""

import json
import logging
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch

from datamodules.manifests.manifest import ManifestError
from datamodules.splits.partition import Split, SplitError
from engine.checkpoints.checkpoint import load_checkpoint
from engine.cohort.restored_data import own_manifest
from engine.config.compose import ConfigError
from engine.evaluate import evaluate
from engine.inference.clip_predictions import Predictor, part_of
from engine.inference.recorded_run import recorded_run
from engine.predict import predict
from engine.train import train
from evaluation.change.change_rule import ChangeRule
from evaluation.change.change_scores import Learned
from models.mpdrm.network import MPDRM
from tests.conftest import composed

COHORT = ["data.cohort.n_subjects=14", "data.cohort.n_visits=4", "trainer.max_epochs=1"]
KNOWN = ["protocol=longitudinal", "protocol.known=2", "protocol.persons.val=0.3", "protocol.persons.test=0.3"]
ARGUMENTS = {"num_workers": None, "trainer": None}


def reading(self, batch, forward=MPDRM.forward):
    """MPDRM whose scores follow the mean of the earlier ones: the simplest reader of a history."""
    output = forward(self, batch)
    if "history" not in batch:
        return output
    scores, earlier = batch["history"]["score"], batch["history"]["earlier"]
    assert scores.shape == earlier.shape == (len(batch["row"]),) * 2
    mean = torch.nan_to_num(scores.nanmean(1)) / 10
    logits = {name: raw + mean if raw.ndim == 1 else raw for name, raw in output.logits.items()}
    return output._replace(logits=logits)


@pytest.fixture(scope="module")
def reader(series_run):
    """While this module's tests run, networks read earlier scores and say so; others were trained before."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(MPDRM, "forward", reading)
        patch.setattr(MPDRM, "needs_history", True, raising=False)
        yield


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """Where the cohort of this module is made: other tests take the one that they find among theirs."""
    return tmp_path_factory.mktemp("cohort_of_four_visits")


@pytest.fixture(scope="module")
def compose_known(series_overrides, made, tmp_path_factory):
    """Compose a small run under the protocol, on a cohort of four visits."""
    kept = [one for one in series_overrides if not one.startswith(("protocol.", "data.module.num_workers"))]

    def compose(*overrides, words=KNOWN):
        given = [*kept, f"paths.data={made}", *COHORT, *words, *overrides]
        return composed(*given, output=tmp_path_factory.mktemp("known"))

    return compose


@pytest.fixture(scope="module")
def run(reader, compose_known):
    config = compose_known()
    folder = Path(config["paths"]["output"])
    train(config, folder=folder)
    return folder


@pytest.fixture(scope="module")
def best(run):
    return run / "checkpoints" / "best.ckpt"


@pytest.fixture
def cohort(run, made):
    """The recordings of the run as somebody's own table, with paths that hold anywhere."""
    (path,) = made.glob("synthetic/*/manifest.csv")
    table = pd.read_csv(path, dtype=str, keep_default_na=False)
    table["series_path"] = [str(path.parent / name) for name in table["series_path"]]
    columns = ["recording_id", "subject_id", "session_id", "series_path", "scale", "score"]
    return table[columns].assign(path="")


@pytest.fixture
def ask(best, tmp_path):
    """Predict visits of a table after others of it: `ask(table to predict, table of earlier visits)`."""

    def asked(rows, history=None, *, place="earlier.csv"):
        rows.to_csv(tmp_path / "asked.csv", index=False)
        given = ARGUMENTS | {"ckpt_path": str(best), "input": str(tmp_path / "asked.csv")}
        if history is not None:
            history.to_csv(tmp_path / "earlier.csv", index=False)
            given["history"] = str(tmp_path / place)
        return predict(given, folder=tmp_path / f"out{len(list(tmp_path.glob('out*')))}")

    return asked


def visits(table, *names):
    return table[table["session_id"].isin(names)]


def test_predictions_and_report_say_how_many_visits_stood_behind(run, best):
    table = pd.read_csv(run / "predictions.csv")
    assert set(table["session_id"]) == {"V3", "V4"}  # the first two are known, and predicted of nobody
    assert (table["known_visits"] == 2).all()
    (group,) = json.loads((run / "metrics.json").read_text())["known_visits"]["groups"]
    assert (group["group"], group["recordings"]) == ("2", (table["split"] == "test").sum())
    page = (run / "report.html").read_text()
    assert "By known earlier visits" in page
    assert "are known with the score when a later visit is predicted" in page
    assert load_checkpoint(best).split["known"] == 2


def test_own_and_later_labels_change_no_prediction_and_earlier_ones_do(best, run, made, tmp_path):
    given = ARGUMENTS | {"ckpt_path": str(best), "paths": {"data": str(made)}}
    checkpoint, config = recorded_run(given, folder=tmp_path)
    manifest = own_manifest(checkpoint, data=made)
    split = Split(**{n: tuple(v) if isinstance(v, list) else v for n, v in checkpoint.split.items()})
    predicted = Predictor.of(checkpoint, config, one_device=True)

    def scores(changed):
        table = manifest.table.copy()
        table.loc[changed, "score"] = 63.0 - table.loc[changed, "score"]
        found = predicted(replace(manifest, table=table), part_of(split, "test")).table
        return found["score"].to_numpy()

    first = scores([False] * len(manifest.table))
    later = manifest.table["session_id"].isin(["V3", "V4"])
    np.testing.assert_array_equal(scores(later), first)
    assert (scores(manifest.table["session_id"] == "V2") != first).all()
    # as in training: what validation was measured on while the network was trained
    kept = pd.read_csv(run / "predictions.csv").query("split == 'test'").sort_values("recording_id")
    table = predicted(manifest, part_of(split, "test")).table
    means = table.groupby("recording_id")["score"].mean()
    np.testing.assert_allclose(means.loc[kept["recording_id"]], kept["score_prediction"], rtol=1e-5)
    # what changes between visits are told beyond: all known scores a point higher
    higher = replace(manifest, table=manifest.table.assign(score=manifest.table["score"] + 1))
    moved = predicted(higher, part_of(split, "test")).table["score"]
    np.testing.assert_allclose(table["score_moved"], moved, rtol=1e-6)
    assert not np.allclose(table["score_moved"], table["score"])


def test_validation_in_training_knows_what_it_knows_afterwards(run):
    logged = pd.read_csv(run / "history.csv")["val/mae"].iloc[0]
    table = pd.read_csv(run / "predictions.csv").query("split == 'val'")
    assert logged == pytest.approx((table["target"] - table["prediction"]).abs().mean(), rel=1e-4)


@pytest.mark.slow
def test_another_table_is_evaluated_after_its_own_known_visits(best, cohort, tmp_path, caplog):
    others = cohort.assign(subject_id="other_" + cohort["subject_id"])
    others["recording_id"] = "other_" + others["recording_id"]
    others = others[~((others["subject_id"] == "other_P0000") & (others["session_id"] > "V2"))]
    others.to_csv(tmp_path / "others.csv", index=False)
    given = ARGUMENTS | {"ckpt_path": str(best), "manifest": str(tmp_path / "others.csv")}
    found = evaluate(given, folder=tmp_path / "two")
    assert set(found.test["session_id"]) == {"V3", "V4"}
    assert (found.test["known_visits"] == 2).all()
    assert found.metrics["reference"]["last_score"]["auc"]["value"] is not None
    assert "Last earlier score" in (tmp_path / "two" / "report.html").read_text()
    assert "other_P0000" in caplog.text
    assert "2 visit(s) or fewer, none after known ones: not predicted" in (
        (tmp_path / "two" / "report.html").read_text()
    )
    found = evaluate(given | {"known": "all"}, folder=tmp_path / "all")
    assert sorted(set(found.test["known_visits"])) == [1, 2, 3]
    groups = found.metrics["known_visits"]["groups"]
    assert [group["group"] for group in groups] == ["1", "2", "3"]
    assert groups[0]["auc"]["value"] is not None
    with pytest.raises(SplitError, match=r"nobody has more than 4 visit\(s\).*smaller known="):
        evaluate(given | {"known": 4}, folder=tmp_path / "four")
    named = others["session_id"].map({"V1": "first", "V2": "second", "V3": "third", "V4": "fourth"})
    others.assign(session_id=named).to_csv(tmp_path / "others.csv", index=False)
    with pytest.raises(SplitError, match=r"is not known; number the visits"):
        evaluate(given, folder=tmp_path / "unordered")


def test_the_own_split_knows_what_it_did(best, made, tmp_path):
    given = ARGUMENTS | {"ckpt_path": str(best), "manifest": None, "paths": {"data": str(made)}}
    with pytest.raises(ConfigError, match=r"known=1: the run's own split has protocol\.known=2"):
        evaluate(given | {"known": 1}, folder=tmp_path)


def test_a_network_that_reads_earlier_scores_is_refused_without_them(
    reader, compose_known, series_run, cohort, tmp_path
):
    for words in (["protocol=holdout"], ["protocol=kfold"], ["protocol=longitudinal", "protocol.known=null"]):
        config = compose_known(words=words)
        with pytest.raises(ConfigError, match=r"reads the scores of earlier visits.*protocol\.known=1"):
            train(config, folder=Path(config["paths"]["output"]))
    with pytest.raises(ConfigError, match=r"data\.module\.visits=1: this network learns from a person's"):
        train(compose_known("data.module.visits=1", "model/contrast=none"), folder=tmp_path / "run")
    # trained by itself under a protocol without known visits, as an older checkpoint may be
    cohort.to_csv(tmp_path / "any.csv", index=False)
    given = ARGUMENTS | {"ckpt_path": str(series_run.best)}
    with pytest.raises(ConfigError, match=r"best\.ckpt: this network reads the scores"):
        evaluate(given | {"manifest": str(tmp_path / "any.csv")}, folder=tmp_path / "eval")
    with pytest.raises(ConfigError, match=r"best\.ckpt: this network reads the scores"):
        predict(given | {"input": str(tmp_path / "any.csv")}, folder=tmp_path / "predict")


@pytest.mark.slow
def test_a_protocol_that_knows_visits_can_be_given_for_another_table(reader, series_run, cohort, tmp_path):
    cohort.to_csv(tmp_path / "any.csv", index=False)
    given = ARGUMENTS | {"ckpt_path": str(series_run.best), "manifest": str(tmp_path / "any.csv"), "known": 1}
    found = evaluate(given, folder=tmp_path / "one")
    assert (found.test["known_visits"] == 1).all()


@pytest.mark.slow
def test_a_history_stands_behind_predictions(ask, cohort, caplog):
    later, history = visits(cohort, "V3", "V4"), visits(cohort, "V1", "V2")
    with caplog.at_level(logging.INFO):
        alone = ask(later)
    assert (alone["known_visits"] == 0).all()
    assert "no earlier visit is known: all is predicted without scores" in caplog.text
    assert "none of 28 predictions knows an earlier visit" in caplog.text
    short = history[history["subject_id"] != "P0001"]
    short = short[~((short["subject_id"] == "P0002") & (short["session_id"] == "V2"))]
    with caplog.at_level(logging.INFO):
        found = ask(later, short).set_index("recording_id")
    counts = found["known_visits"].groupby(found["subject_id"]).first()
    assert (counts["P0001"], counts["P0002"], counts["P0003"]) == (0, 1, 2)
    assert "26 of 28 predictions know 1 to 2 earlier visits" in caplog.text
    assert set(found.index) == set(later["recording_id"])
    moved = (found["prediction"] - alone.set_index("recording_id")["prediction"]).abs() > 1e-3
    assert moved[found["known_visits"] > 0].all()
    again = ask(later.assign(score=""), short).set_index("recording_id")  # nothing is read of their labels
    np.testing.assert_array_equal(again["prediction"], found["prediction"])


@pytest.mark.slow
def test_a_history_predicts_what_the_protocol_does(ask, cohort, run):
    found = ask(visits(cohort, "V3", "V4"), visits(cohort, "V1", "V2")).set_index("recording_id")
    trained = pd.read_csv(run / "predictions.csv").set_index("recording_id")
    np.testing.assert_allclose(found.loc[trained.index, "prediction"], trained["prediction"], rtol=1e-5)
    assert (found.loc[trained.index, "known_visits"] == trained["known_visits"]).all()


@pytest.mark.slow
def test_changes_are_told_from_the_scores_of_a_history(ask, cohort, tmp_path, monkeypatch):
    rule = ChangeRule(
        visits=(1, 2), noise=(9.0, 6.0), df=(40.0, 40.0), slope=0.8, slope_variance=0.01, known=True,
        intercept=1.0, level=0.2, persons=40, middle=20.0, steepness=0.0,
    )  # fmt: skip
    monkeypatch.setattr("engine.predict.restored", lambda _: Learned(rule))
    later, history = visits(cohort, "V3", "V4"), visits(cohort, "V1", "V2")
    found = ask(later, history).set_index("session_id")
    changes = pd.read_csv(tmp_path / "out0" / "changes.csv").set_index(["subject_id", "to"])
    assert len(changes) == len(later)
    assert (changes["from"] == "V1, V2").all()
    assert (changes["baseline_of"] == "known scores").all()
    own = history["score"].astype(float).groupby(history["subject_id"]).mean()["P0003"]
    score = found.loc["V4"].set_index("subject_id").loc["P0003", "score_prediction"]
    assert changes.loc[("P0003", "V4"), "baseline"] == pytest.approx(own)
    assert changes.loc[("P0003", "V4"), "change"] == pytest.approx((score - 1.0 - 0.2 * own) / 0.8)
    ask(later.assign(score=""), history)  # nothing is read of their own labels
    again = pd.read_csv(tmp_path / "out1" / "changes.csv").set_index(["subject_id", "to"])
    pd.testing.assert_frame_equal(again, changes)
    # what stands behind a change is what was read: of P0003 the first visit shows nobody
    with np.load(history["series_path"].iloc[0]) as held:
        arrays = {name: held[name] for name in held}
    np.savez(tmp_path / "nobody.npz", **arrays | {"valid": np.zeros(len(arrays["values"]), bool)})
    dead = (history["subject_id"] == "P0003") & (history["session_id"] == "V1")
    ask(later, history.assign(series_path=history["series_path"].mask(dead, str(tmp_path / "nobody.npz"))))
    told = pd.read_csv(tmp_path / "out2" / "changes.csv").set_index(["subject_id", "to"])["from"]
    assert (told["P0003"].unique(), told["P0004"].unique()) == (["V2"], ["V1, V2"])
    short = ask(later, history[history["session_id"] == "V1"].query("subject_id == 'P0003'"))
    assert len(short) == len(later)


@pytest.mark.slow
def test_persons_of_a_history_who_are_not_predicted_are_named(ask, cohort, caplog):
    asked = visits(cohort, "V4").query("subject_id == 'P0003'")
    assert ask(asked, visits(cohort, "V1")).loc[0, "known_visits"] == 1
    assert "not predicted, so left out: P0000, P0001" in caplog.text
    with pytest.raises(ConfigError, match=r"none of its persons \(P0000\) is in"):
        ask(asked, visits(cohort, "V1").query("subject_id == 'P0000'"))


@pytest.mark.slow
def test_a_history_that_is_none_is_refused(ask, cohort):
    asked, first = visits(cohort, "V2", "V4"), visits(cohort, "V1")
    copied = visits(cohort, "V2").assign(recording_id=lambda t: "x" + t["recording_id"], session_id="V1")
    for history, fault, said in (
        (visits(cohort, "V1", "V3"), ConfigError, r"'V3' of person 'P0000' is not earlier than visit 'V2'"),
        (visits(cohort, "V1", "V2"), ConfigError, r"recordings in both input=asked\.csv and history=earlier"),
        (copied, ConfigError, r"files in both input=asked\.csv and history=earlier"),
        (first.assign(score="90"), ManifestError, r"(?s)'score' .*90"),
        (
            first.assign(content_hash="0" * 64),
            ManifestError,
            r"'content_hash' of P0000_V1.* is not the SHA-256",
        ),
        (
            first.assign(scale="PHQ-9", score="3"),
            ConfigError,
            "scores are on PHQ-9, and this network was trained on BDI-II",
        ),
        (first.assign(score=""), ConfigError, "no recording has a score"),
        (first.assign(session_id="before"), ConfigError, "the order of the visits V2, V4, before of person"),
    ):
        with pytest.raises(fault, match=said):
            ask(asked, history)
    with pytest.raises(ConfigError, match="no such table"):
        ask(asked, visits(cohort, "V1"), place="x.csv")


def test_a_network_that_reads_none_takes_no_history(series_run, cohort, tmp_path, monkeypatch):
    monkeypatch.setattr(MPDRM, "needs_history", False, raising=False)
    cohort.to_csv(tmp_path / "any.csv", index=False)
    given = {"ckpt_path": str(series_run.best), "input": str(tmp_path / "any.csv")}
    with pytest.raises(ConfigError, match=r"reads no scores of earlier visits\. Leave it out"):
        predict(ARGUMENTS | given | {"history": str(tmp_path / "any.csv")}, folder=tmp_path / "out")


@pytest.mark.slow
def test_folds_after_known_visits_are_pooled(reader, compose_known, tmp_path):
    config = compose_known(words=["protocol=longitudinal", "protocol.known=all", "protocol/persons=kfold",
                                  "protocol.persons.folds=2"])  # fmt: skip
    folder = Path(config["paths"]["output"])
    train(config, folder=folder)
    table = pd.read_csv(folder / "predictions.csv")
    assert sorted(table["known_visits"]) == sorted([1, 2, 3] * 14)
    groups = json.loads((folder / "metrics.json").read_text())["known_visits"]["groups"]
    assert [(group["group"], group["recordings"]) for group in groups] == [("1", 14), ("2", 14), ("3", 14)]
