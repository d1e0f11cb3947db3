"""`probe.py`: many heads at once on a store of tokens; validation chooses, and nobody tested does."""

import json

import numpy as np
import pandas as pd
import pytest
from hydra import compose, initialize_config_dir
from sklearn.metrics import roc_auc_score

from datamodules.splits.partition import SplitError
from engine.config.compose import ConfigError, plain_config, root_keys
from engine.config.source_code import ROOT
from engine.probe import probe

SMALL = ["seeds=[0,1]", "rates=[0.003,0.03]", "steps=40", "checks=4"]
THREE = "protocol.folds=3"
PERSONS, WIDTH = 36, 8


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    """A store whose tokens tell the score through noise; a window of each recording shows nothing."""
    folder, rng = tmp_path_factory.mktemp("store"), np.random.default_rng(0)
    rows = []
    for place in range(PERSONS * 2):
        score = int(rng.integers(0, 40))
        tokens = rng.normal(size=(4, 3, WIDTH)).astype(np.float16) * 0.5
        tokens[..., 0] += score / 10
        tokens[3] = np.nan
        np.save(folder / f"r{place}.npy", tokens)
        rows.append((f"r{place}", f"p{place // 2}", f"v{place % 2}", "", f"r{place}.npy", "BDI-II", score))
    columns = ["recording_id", "subject_id", "session_id", "path", "tokens_path", "scale", "score"]
    pd.DataFrame(rows, columns=columns).to_csv(folder / "manifest.csv", index=False)
    return folder / "manifest.csv"


@pytest.fixture(scope="module")
def command(store, tmp_path_factory):
    def run(*words):
        folder = tmp_path_factory.mktemp("probe")
        with initialize_config_dir(str(ROOT / "conf"), version_base="1.3"):
            own = [f"data.path={store}", f"data.channels={WIDTH}", f"paths.output={folder}"]
            config = compose("probe", [*own, *SMALL, *words])
        return probe(plain_config(config, keys=root_keys("probe")), folder=folder), folder

    return run


@pytest.fixture(scope="module")
def found(command):
    return command(THREE)


def test_everybody_is_tested_once_a_seed_by_heads_that_read_the_tokens(found, store):
    tables, folder = found
    labels = pd.read_csv(store)
    assert len(tables) == 2
    for table in tables:
        assert sorted(table["recording_id"]) == sorted(labels["recording_id"])
        assert roc_auc_score(table["binary_target"], table["binary_prediction"]) > 0.9
    metrics = json.loads((folder / "metrics.json").read_text())
    aucs = [roc_auc_score(table["binary_target"], table["binary_prediction"]) for table in tables]
    assert metrics["test"]["auc"]["value"] == pytest.approx(np.mean(aucs))
    page = (folder / "report.html").read_text()
    assert page.count("<img") == 2
    assert metrics["constant"]["auc"]["value"] == 0.5
    guesses = []
    for _, own in tables[0].groupby("fold"):
        others = labels[~labels["recording_id"].isin(own["recording_id"])]
        guesses.append((own["score_target"] - others["score"].mean()).abs().mean())
    # about: of the others some select and do not train
    assert metrics["constant"]["mae"]["value"] == pytest.approx(np.mean(guesses), rel=0.1)
    assert metrics["test"]["mae"]["value"] < metrics["constant"]["mae"]["value"]
    assert f"{metrics['test']['auc']['value']:.2f}" in page


def test_the_lowest_loss_of_validation_chooses_in_each_fold_and_for_each_seed(found):
    trials = pd.read_csv(found[1] / "trials.csv")
    assert len(trials) == 3 * 2 * 2 * 4
    for _, own in trials.groupby(["fold", "seed"]):
        assert own["chosen"].sum() == 1
        assert own.loc[own["chosen"], "loss"].item() == own["loss"].min()


def test_labels_of_the_tested_change_nothing_but_what_they_are_compared_with(command, store):
    labels = pd.read_csv(store)
    part = labels.assign(
        split=np.resize(["train", "train", "train", "train", "val", "val", "test", "test"], 72)
    )
    tested = part["split"] == "test"
    found = []
    for name, score in (("as", labels["score"]), ("turned", 40 - labels["score"])):
        file = store.parent / f"{name}.csv"
        part.assign(score=labels["score"].where(~tested, score)).to_csv(file, index=False)
        found.append(command("protocol=given", f"data.path={file}"))
    (before, folder), (after, again) = found
    names = ["recording_id", "binary_prediction", "score_prediction"]
    pd.testing.assert_frame_equal(before[0][names], after[0][names])
    assert not before[0]["score_target"].equals(after[0]["score_target"])
    pd.testing.assert_frame_equal(pd.read_csv(folder / "trials.csv"), pd.read_csv(again / "trials.csv"))


def test_a_head_of_scores_alone_is_chosen_by_its_error(command):
    tables, folder = command(THREE, "model/heads=score", "model/rarm=attentive")
    assert "binary_prediction" not in tables[0]
    assert np.corrcoef(tables[0]["score_target"], tables[0]["score_prediction"])[0, 1] > 0.5
    assert "auc" not in json.loads((folder / "metrics.json").read_text())["test"]


def test_heads_that_diverge_are_never_chosen_and_leave_the_others_as_they_are(command, caplog):
    caplog.set_level("INFO")
    alone, _ = command(THREE, "rates=[0.03]")
    beside, folder = command(THREE, "rates=[0.03,1e30]")
    for one, other in zip(alone, beside, strict=True):
        pd.testing.assert_frame_equal(one, other, rtol=1e-4, atol=1e-4)
    trials = pd.read_csv(folder / "trials.csv")
    assert np.isinf(trials.loc[trials["rate"] == 1e30, "loss"]).any()
    assert "validation chose the lowest, 0.03, in 6 of 6: try rates beyond" in caplog.text
    with pytest.raises(ConfigError, match="give lower rates="):
        command(THREE, "rates=[1e30]")


@pytest.mark.parametrize("words", ["seeds=[0,0]", "seeds=[]", "rates=[]", "rates=[0.01,0.01]"])
def test_seeds_and_rates_are_given_once_each(command, words):
    with pytest.raises(ConfigError, match="give one or more, each once"):
        command(words)


def test_a_protocol_that_tests_twice_and_a_head_of_bands_are_refused(command):
    with pytest.raises(ConfigError, match=r"more than once.*kfold"):
        command("protocol=repeated")
    with pytest.raises(ConfigError, match="band"):
        command("model/heads=bands")


def part_without(store, name, lacks):
    """A table of the store in which a part lacks a class, or its labels."""
    labels = pd.read_csv(store)
    part = np.resize(["train", "train", "train", "train", "val", "val", "test", "test"], len(labels))
    mine = part == lacks[0]
    ill = labels["score"] > 13
    score = labels["score"].mask(mine, np.nan) if lacks[1] is None else labels["score"]
    part = np.where(mine & (ill == lacks[1]), "", part)
    file = store.parent / f"{name}.csv"
    labels.assign(split=part, score=score).to_csv(file, index=False)
    return file


@pytest.mark.parametrize(
    ("lacks", "told"),
    [
        (("train", 1), r"part 'train' of 'given' has no recording with binary = 1.*protocol=kfold"),
        (("val", 0), r"part 'val' of 'given' has no recording with binary = 0.*model/heads=score"),
        (("val", None), r"split 'given': nobody of validation has a 'binary'.*fill the column"),
    ],
)
def test_a_fold_that_lacks_a_class_is_told_before_a_token_is_read(command, store, monkeypatch, lacks, told):
    monkeypatch.setattr("engine.cohort.splits.check_files", None)
    monkeypatch.setattr("engine.cohort.splits.duplicates", None)
    monkeypatch.setattr("engine.probe.TokenClips", None)
    file = part_without(store, "lacks", lacks)
    with pytest.raises(ConfigError, match=told):
        command("protocol=given", f"data.path={file}")


def test_folds_that_the_persons_do_not_suffice_for_are_told_before_a_token_is_read(
    command, store, monkeypatch
):
    monkeypatch.setattr("engine.cohort.splits.check_files", None)
    file = store.parent / "few.csv"
    labels = pd.read_csv(store)
    labels.assign(score=np.where(labels["subject_id"] == "p0", 30, 1)).to_csv(file, index=False)
    with pytest.raises(SplitError, match=r"'fold0' has no recording with binary = 1; add persons"):
        command(f"data.path={file}")
