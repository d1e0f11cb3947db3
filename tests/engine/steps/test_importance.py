"""The step on a small material, and the leaf it comes from."""

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from hydra import compose, initialize_config_dir

from biomarkers.estimators.boosting import BoostingClassifier
from datamodules.splits import Split
from engine.build import build
from engine.compose import ANALYZE_KEYS, plain_config
from engine.steps.importance import Importance
from engine.targets import ROOT, check_targets

PERSONS = 240
NAMES = [f"{channel}_{name}" for channel in ("au04", "gaze_x", "p_3") for name in ("mean", "std")]


@pytest.fixture(scope="module")
def material():
    """`au04` carries the label; one label is unknown, one feature is missing here and there."""
    rng = np.random.default_rng(0)
    y = (rng.random(PERSONS) < 0.4).astype(float)
    x = pd.DataFrame(rng.standard_normal((PERSONS, 6)), columns=NAMES)
    x["au04_std"] += 2 * y
    x.loc[::9, "gaze_x_mean"] = np.nan
    ids = pd.DataFrame(
        {
            "recording_id": [f"r{i}" for i in range(PERSONS)],
            "subject_id": [f"s{i}" for i in range(PERSONS)],
            "session_id": "1",
        }
    )
    y[5] = np.nan
    parts = [tuple(ids["recording_id"][k::3]) for k in range(3)]
    splits = [Split(f"fold{k}", parts[k - 2] + parts[k - 1], (), parts[k]) for k in range(3)]
    return SimpleNamespace(
        manifest=SimpleNamespace(table=ids.assign(binary=y)),
        series=[],
        features=SimpleNamespace(table=pd.concat([ids, x], axis=1)),
        splits=splits,
    )


def test_channels_regions_and_statistics_are_ranked_and_identity_is_flagged(material):
    step = Importance(
        model=BoostingClassifier(trees=30, learning_rate=0.1, patience=None), repeats=2, shap_persons=50
    )
    finding = step(material, n_boot=1000, seed=0)
    table = finding.tables["importance"]
    assert table["by"].value_counts().to_dict() == {"channel": 3, "region": 3, "statistic": 2, "all": 1}
    own = table[table["by"] == "channel"].set_index("family")
    assert own["auc_lost"].idxmax() == own["shap"].idxmax() == "au04"
    (section,) = finding.sections
    assert [row[1] for row in section.rows][:2] == ["all features", "AU4"]
    assert len(section.figures) == 3
    assert any("1 channels are shape parameters" in remark for remark in section.remarks)


def test_the_leaves_compose_into_allowed_targets(tmp_path):
    with initialize_config_dir(str(ROOT / "conf"), version_base="1.3"):
        config = compose(
            "analyze",
            overrides=[
                "analysis=sun2023",
                "analysis/steps/estimators=faces_of_the_mind",
                "+analysis/steps/importance=faces_of_the_mind",
                f"paths.output={tmp_path}",
                f"paths.data={tmp_path}",
            ],
        )
    plain = plain_config(config, keys=ANALYZE_KEYS)
    check_targets(plain)
    steps = plain["analysis"]["steps"]
    assert isinstance(build(steps["importance"], key="importance"), Importance)
    estimators = build(steps["estimators"], key="estimators").estimators
    names = ["bagged extra trees", "bagged random forest", "bagged xgboost", "extra trees", "linear svm"]
    names += ["random forest", "random forest on components, down-sampled", "rbf svm"]
    assert sorted(estimators) == [*names, "tabular transformer", "xgboost"]
    assert all(estimator.reads == "features" for estimator in estimators.values())
