"""Analyses compose, build and run on a small cohort."""

import json

import pandas as pd
import pytest
from hydra import compose, initialize_config_dir

from analysis import run as analysis
from analysis.run import analyze
from engine.config.build import build, build_all
from engine.config.compose import ConfigError, plain_config, root_keys
from engine.config.source_code import ROOT
from engine.config.targets import ForbiddenTarget, check_targets

ANALYSES = sorted(path.stem for path in (ROOT / "conf" / "analysis").glob("*.yaml"))
SMALL = [
    "data.cohort.n_subjects=24",
    "data.cohort.workers=1",
    "protocol.folds=2",
    "evaluation.n_boot=1000",
    "analysis.epochs=1",
]


def composed(*overrides, output):
    with initialize_config_dir(str(ROOT / "conf"), version_base="1.3"):
        config = compose(
            "analyze", overrides=[*overrides, f"paths.output={output}", f"paths.data={output}/data"]
        )
    return plain_config(config, keys=root_keys("analyze"))


@pytest.mark.parametrize("name", ANALYSES)
def test_an_analysis_composes_and_builds(name, tmp_path):
    config = composed(f"analysis={name}", output=tmp_path)
    check_targets(config)
    assert config["analysis"]["name"] == name
    assert len(build_all(config["analysis"]["steps"], key="steps")) == len(config["analysis"]["steps"])
    assert build_all(config["analysis"]["extractors"], key="extractors")


def test_a_phase_is_chosen_on_the_command_line(tmp_path):
    whole = composed("analysis=sun2023", output=tmp_path)
    assert whole["analysis"]["phase"] is None
    seconds = ["analysis/phase=seconds", "analysis.phase.start_s=2", "analysis.phase.stop_s=6"]
    config = composed("analysis=sun2023", *seconds, output=tmp_path)
    phase = build(config["analysis"]["phase"], key="phase")("r1")
    assert (phase.start_s, phase.stop_s, phase.recording_id) == (2, 6, "r1")
    (tmp_path / "p.csv").write_text("recording_id,phase,start_s,stop_s\nr1,induction,1,3\n")
    table = [
        "analysis/phase=table",
        f"analysis.phase.path={tmp_path}/p.csv",
        "analysis.phase.phase=induction",
    ]
    config = composed("analysis=parikh2024", *table, output=tmp_path)
    assert build(config["analysis"]["phase"], key="phase")("r1").stop_s == 3


def test_a_foreign_target_is_refused(tmp_path):
    config = composed("analysis=sun2023", output=tmp_path)
    config["analysis"]["steps"]["groups"] = {"_target_": "os.system", "command": "true"}
    with pytest.raises(ForbiddenTarget, match=r"analysis\.steps\.groups"):
        analyze(config, folder=tmp_path / "run")


def test_a_missing_package_is_named_with_the_remedy_before_anything_is_made(tmp_path, monkeypatch):
    config = composed("analysis=sun2023", output=tmp_path)
    monkeypatch.setattr(analysis, "find_spec", lambda name: None if name == "aeon" else name)
    with pytest.raises(ConfigError, match=r"need aeon: pip install .*\[analysis\]"):
        analyze(config, folder=tmp_path / "run")
    assert not (tmp_path / "run").exists()


@pytest.mark.slow
def test_sun2023_shows_the_leak_and_tests_everybody_once(tmp_path):
    config = composed("analysis=sun2023", *SMALL, output=tmp_path)
    analyze(config, folder=tmp_path / "run")
    gap = pd.read_csv(tmp_path / "run/tables/frame_leak.csv").set_index(["estimator", "split"])["accuracy"]
    knn = gap["knn"]
    assert knn["frame-random (leaks: a demonstration)"] > knn["person-grouped"] + 0.2
    predictions = pd.read_csv(tmp_path / "run/tables/predictions.csv")
    for _, own in predictions.groupby("estimator"):
        assert sorted(own["recording_id"]) == sorted(set(own["recording_id"]))
        assert len(own) == 24
    page = (tmp_path / "run/analysis.html").read_text()
    for shown in ("Hedges", "AU4", "demonstration", "not a diagnosis"):
        assert shown in page
    assert json.loads((tmp_path / "run/manifest.json").read_text())["status"] == "finished"
