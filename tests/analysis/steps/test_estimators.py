"""One table for all estimators, in which decisions are those of the folds' own thresholds."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
import pytest
from hydra import compose, initialize_config_dir
from omegaconf import OmegaConf
from sklearn.dummy import DummyClassifier, DummyRegressor
from sklearn.metrics import accuracy_score, roc_auc_score

from analysis.out_of_fold import Inputs, out_of_fold
from analysis.steps.estimators import Estimator, EstimatorTable
from engine.config.build import build
from engine.config.source_code import ROOT
from evaluation.uncertainty.bootstrap import Resampling
from evaluation.uncertainty.threshold import best_cut


@dataclass(frozen=True)
class Fixed:
    """Predicts noise, one training a fold in real life."""

    seed: int
    remark: str = ""

    def out_of_fold(self, material, *, name):
        table = material.manifest.table
        noise = np.random.default_rng(self.seed).random(len(table))
        parts = [np.flatnonzero(table["recording_id"].isin(set(split.test))) for split in material.splits]
        fold = np.zeros(len(table))
        for number, rows in enumerate(parts):
            fold[rows] = number
        return table[["recording_id", "subject_id", "session_id"]].assign(
            split="test",
            binary_target=table["binary"],
            binary_prediction=noise,
            score_target=table["score"],
            score_prediction=63 * noise,
            fold=fold,
            threshold=0.5,
            decision=(noise >= 0.5).astype(float),
        )


class Dummy(DummyClassifier):
    """The class prior, told persons like every estimator here."""

    def fit(self, X, y, groups):
        return super().fit(X, y)


class Mean(DummyRegressor):
    """The training mean, told persons like every estimator here."""

    def fit(self, X, y, groups):
        return super().fit(X, y)


def test_one_table_holds_estimators_and_networks(material):
    step = EstimatorTable(
        estimators={"prior": Estimator(reads="features", model=Dummy()), "off": None},
        networks={"MPDRM": Fixed(0, remark="context is the clip"), "LSTM": Fixed(1), "none": None},
        published={"LSTM": 0.51},
    )
    found = step(material, Resampling(1000))
    (section,) = found.sections
    rows = {row[0]: row[1:] for row in section.rows}
    assert list(rows) == ["prior", "MPDRM", "LSTM"]
    assert rows["LSTM"][2] == "0.51"
    assert rows["prior"][2] == rows["MPDRM"][2] == "none"
    assert "MPDRM: context is the clip" in section.remarks
    table = found.tables["predictions"]
    assert table.groupby("estimator")["recording_id"].nunique().to_dict() == dict.fromkeys(rows, 16)
    for name, own in table.groupby("estimator"):
        auc, accuracy = rows[name][:2]
        assert auc["value"] == pytest.approx(roc_auc_score(own["binary_target"], own["binary_prediction"]))
        assert accuracy["value"] == pytest.approx(accuracy_score(own["binary_target"], own["decision"]))
        assert accuracy["low"] <= accuracy["value"] <= accuracy["high"]


class Order(Dummy):
    """The probability is what the row says: nothing is learned, the threshold is."""

    def predict_proba(self, X):
        p = X["p"].to_numpy()
        return np.stack([1 - p, p], axis=1)


def test_thresholds_are_those_of_validation(material):
    table = material.manifest.table
    keys = table[["recording_id", "subject_id", "session_id"]]
    p = np.random.default_rng(0).random(len(table))
    found = out_of_fold(
        Order(), "features", Inputs([None] * len(table), keys.assign(p=p)), table, material.splits
    )
    for number, split in enumerate(material.splits):
        val = table["recording_id"].isin(set(split.val)).to_numpy()
        cut, _ = best_cut(table["binary"][val], p[val])
        own = found[found["fold"] == number]
        assert own["threshold"].unique().tolist() == [cut]
        assert own["decision"].tolist() == (own["binary_prediction"] >= cut).astype(float).tolist()


def test_a_regressor_learns_from_training_scores_alone(material):
    table = material.manifest.table
    found = Estimator(reads="features", model=Mean(), head="score").out_of_fold(material, name="mean")
    assert "decision" not in found
    for number, split in enumerate(material.splits):
        own = found[found["fold"] == number]
        mean = table.loc[table["recording_id"].isin(set(split.train)), "score"].mean()
        assert set(own["recording_id"]) == set(split.test)
        assert own["score_prediction"].to_numpy() == pytest.approx(mean)
        expected = table.set_index("recording_id")["score"][own["recording_id"]]
        pd.testing.assert_series_equal(own["score_target"], expected, check_names=False, check_index=False)


@pytest.mark.slow
def test_every_estimator_tells_unseen_persons_apart_and_tests_everybody_once(planted):
    with initialize_config_dir(str(ROOT / "conf"), version_base="1.3"):
        config = compose(
            "analyze",
            overrides=[
                "analysis=faces_of_the_mind",
                "paths.output=x",
                "paths.data=x",
            ],
        )
    leaf = OmegaConf.to_container(config.analysis.steps.estimators)
    step = build(leaf, key="estimators")
    finding = step(planted, Resampling(1000))
    predictions = finding.tables["predictions"]
    assert len(predictions.groupby("estimator")) == 10
    for _, own in predictions.groupby("estimator"):
        assert sorted(own["recording_id"]) == sorted(planted.manifest.table["recording_id"])
    (section,) = finding.sections
    auc = {row[0]: row[1]["value"] for row in section.rows if row[0] != "tabular transformer"}
    assert min(auc.values()) > 0.75, auc  # eighty persons are too few for the transformer
