"""The step of emotional states on a cohort drawn in memory, and the leaves beside it."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from hydra import compose, initialize_config_dir

from analysis.steps.states import EmotionalStates
from biomarkers.symptoms.profile_target import ProfileTarget
from datamodules.manifests.questionnaires import subscale
from engine.config.build import build_all
from engine.config.compose import plain_config, root_keys
from engine.config.source_code import ROOT
from engine.config.targets import check_targets
from evaluation.uncertainty.bootstrap import Resampling

DASS = ("DASS-21-D", "DASS-21-A", "DASS-21-S")


@pytest.fixture(scope="module")
def states(drawn):
    step = EmotionalStates(scales=DASS, rounds=2, draws=5, target=ProfileTarget())
    return step(drawn, Resampling(1000))


@pytest.mark.slow
def test_states_are_described_and_told_from_a_continuum(states, drawn):
    persons = len(drawn.recordings)
    related, clustered, _ = states.sections
    d, a, s = DASS
    assert [row[0] for row in related.rows] == [f"{d}, {a}", f"{d}, {s}", f"{a}, {s}"]
    totals = pd.DataFrame({name: subscale(name).total(drawn.manifest.table) for name in DASS})
    assert related.rows[0][1]["value"] == pytest.approx(totals.corr().loc[DASS[0], DASS[1]])
    assert len(clustered.rows) == 2 * 3
    assert len(clustered.figures) == 3
    assert set(states.tables["state_indices"]["null"]) == {"gaussian", "same margins"}
    assert states.tables["state_profiles"].groupby("k")["persons"].sum().tolist() == [3 * persons] * 2


@pytest.mark.slow
def test_targets_come_from_the_training_persons_of_their_fold(states, drawn):
    targets = states.tables["profile_targets"]
    table = drawn.manifest.table
    totals = pd.DataFrame({name: subscale(name).total(table) for name in DASS})
    for split in drawn.splits:
        own = targets[targets["fold"] == split.name].set_index("recording_id")
        assert sorted(own.index) == sorted(table["recording_id"])
        assert set(own.loc[list(split.test), "part"]) == {"test"}
        trained = table["recording_id"].isin(split.train)
        expected = ProfileTarget().fit(totals[trained]).transform(totals)
        np.testing.assert_array_equal(own.loc[table["recording_id"], "target"], expected)
    counts = states.sections[2].rows
    assert sum(int(count) for row in counts for count in row[2:]) == 2 * len(drawn.recordings)


@pytest.mark.slow
def test_a_recording_with_an_unanswered_item_is_left_out_and_counted(drawn):
    table = drawn.manifest.table.astype({"item_dass21_05": float})
    table.loc[:4, "item_dass21_05"] = np.nan
    gapped = replace(drawn, manifest=SimpleNamespace(table=table))
    step = EmotionalStates(scales=DASS, rounds=1, draws=1, target=ProfileTarget(middle="keep"))
    found = step(gapped, Resampling(1000))
    assert found.sections[0].remarks == ["5 recordings with an unanswered item are left out"]
    assert len(found.tables["profile_targets"]) == 2 * (len(table) - 5)


@pytest.mark.slow
def test_the_leaves_build(tmp_path):
    with initialize_config_dir(str(ROOT / "conf"), version_base="1.3"):
        config = compose(
            "analyze",
            overrides=[
                "analysis=faces_of_the_mind",
                "~analysis.extractors.statistics",
                f"paths.output={tmp_path}",
                f"paths.data={tmp_path}",
            ],
        )
    config = plain_config(config, keys=root_keys("analyze"))
    check_targets(config)
    own = {name: config["analysis"]["steps"][name] for name in ("markers", "states")}
    markers, states = build_all(own, key="steps")
    assert states.target.get_params() == {"middle": "drop", "n_clusters": 3}
    extractors = build_all(config["analysis"]["extractors"], key="extractors")
    names = [name for extractor in extractors for name in extractor.names]
    assert len(names) == len(set(names)) == 18
    assert all(name.startswith(tuple(markers.features)) for name in names)
