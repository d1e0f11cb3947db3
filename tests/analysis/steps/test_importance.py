"""The step on a small material, and the leaf it comes from."""

from hydra import compose, initialize_config_dir

from analysis.steps.importance import Importance
from biomarkers.estimators.boosting import BoostingClassifier
from engine.config.build import build
from engine.config.compose import plain_config, root_keys
from engine.config.source_code import ROOT
from engine.config.targets import check_targets
from evaluation.uncertainty.bootstrap import Resampling


def test_channels_regions_and_statistics_are_ranked_and_identity_is_flagged(planted):
    step = Importance(
        model=BoostingClassifier(trees=30, learning_rate=0.1, patience=None), repeats=2, shap_persons=50
    )
    finding = step(planted, Resampling(1000))
    table = finding.tables["importance"]
    assert table["by"].value_counts().to_dict() == {"channel": 3, "region": 3, "statistic": 2, "all": 1}
    own = table[table["by"] == "channel"].set_index("family")
    assert own["auc_lost"].idxmax() == own["shap"].idxmax() == "au04"
    (section,) = finding.sections
    assert [row[1] for row in section.rows][:2] == ["all features", "AU4"]
    assert len(section.figures) == 3
    assert any(remark.startswith("p_3 is a parameter of the shape") for remark in section.remarks)


def test_the_leaves_compose_into_allowed_targets(tmp_path):
    with initialize_config_dir(str(ROOT / "conf"), version_base="1.3"):
        config = compose(
            "analyze",
            overrides=[
                "analysis=faces_of_the_mind",
                f"paths.output={tmp_path}",
                f"paths.data={tmp_path}",
            ],
        )
    plain = plain_config(config, keys=root_keys("analyze"))
    check_targets(plain)
    steps = plain["analysis"]["steps"]
    assert isinstance(build(steps["importance"], key="importance"), Importance)
    estimators = build(steps["estimators"], key="estimators").estimators
    names = ["bagged extra trees", "bagged random forest", "bagged xgboost", "extra trees", "linear svm"]
    names += ["random forest", "random forest on components, down-sampled", "rbf svm"]
    assert sorted(estimators) == [*names, "tabular transformer", "xgboost"]
    assert all(estimator.reads == "features" for estimator in estimators.values())
