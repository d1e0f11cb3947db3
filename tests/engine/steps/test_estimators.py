"""Every estimator of Faces of the Mind on a small material."""

import pytest
from hydra import compose, initialize_config_dir
from omegaconf import OmegaConf

from engine.build import build
from engine.targets import ROOT


@pytest.mark.slow
def test_every_estimator_tells_unseen_persons_apart_and_tests_everybody_once(material):
    with initialize_config_dir(str(ROOT / "conf"), version_base="1.3"):
        config = compose(
            "analyze",
            overrides=[
                "analysis=sun2023",
                "analysis/steps/estimators=faces_of_the_mind",
                "paths.output=x",
                "paths.data=x",
            ],
        )
    leaf = OmegaConf.to_container(config.analysis.steps.estimators)
    step = build(leaf, key="estimators")
    finding = step(material, n_boot=1000, seed=0)
    predictions = finding.tables["predictions"]
    assert len(predictions.groupby("estimator")) == 10
    for _, own in predictions.groupby("estimator"):
        assert sorted(own["recording_id"]) == sorted(material.manifest.table["recording_id"])
    (section,) = finding.sections
    auc = {row[0]: row[1]["value"] for row in section.rows if row[0] != "tabular transformer"}
    assert min(auc.values()) > 0.75, auc  # eighty persons are too few for the transformer
