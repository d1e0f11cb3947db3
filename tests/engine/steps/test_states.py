"""The steps of markers and of emotional states, on a cohort drawn in memory, and their leaves."""

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from hydra import compose, initialize_config_dir

from biomarkers.features.table import feature_table
from biomarkers.oculomotor.blinks import BlinkFeatures
from biomarkers.oculomotor.gaze import GazeDirection
from biomarkers.oculomotor.pupil import PupilRatio
from biomarkers.symptoms.profile_target import ProfileTarget
from biomarkers.symptoms.relations import DASS
from datamodules.partition import Split
from datamodules.questionnaires import ItemError, subscale
from datamodules.series import Series
from datamodules.synthetic.latent import CHANNELS, LatentSettings, behave, draw_cohort
from datamodules.synthetic.recording import CohortSettings, questionnaire, recording_id
from engine.build import build_all
from engine.compose import ANALYZE_KEYS, plain_config
from engine.material import Material
from engine.steps.markers import Markers
from engine.steps.states import EmotionalStates
from engine.targets import ROOT, check_targets

PERSONS = 90


@pytest.fixture(scope="module")
def material():
    latent = LatentSettings(PERSONS, 1, 15.0, 8.0, confound=0.3, habit_visibility=0.1, seed=0)
    settings = CohortSettings(latent=latent, size=0, heterogeneity=0.3)
    rows, series = [], []
    for visit in draw_cohort(latent):
        x = behave(visit, latent)
        ids = {"recording_id": recording_id(visit), "subject_id": visit.person.subject_id, "session_id": "V1"}
        rows.append(ids | questionnaire(visit, settings))
        series.append(
            Series(values=x, channels=CHANNELS, valid=np.ones(len(x), dtype=bool), fps=15.0, seconds=None)
        )
    table = pd.DataFrame(rows)
    recordings = [SimpleNamespace(**row) for row in rows]
    names = table["recording_id"].tolist()
    splits = [
        Split(name=f"fold{k}", train=tuple(names[k::2]), val=(), test=tuple(names[1 - k :: 2]))
        for k in (0, 1)
    ]
    features = feature_table(
        list(zip(recordings, series, strict=True)), [GazeDirection(), BlinkFeatures(), PupilRatio()]
    )
    return Material(SimpleNamespace(table=table), recordings, series, table, features, splits)


@pytest.fixture(scope="module")
def markers(material):
    step = Markers(scales=DASS, features=["gaze_", "blink_", "pupil_"], n_perm=1999)
    return step(material, n_boot=1000, seed=0)


@pytest.fixture(scope="module")
def states(material):
    step = EmotionalStates(scales=DASS, rounds=2, draws=5, target=ProfileTarget())
    return step(material, n_boot=1000, seed=0)


def test_lowered_gaze_goes_with_all_totals_and_the_pupil_with_none(markers):
    found = markers.tables["markers"].set_index(["feature", "score"])
    assert len(found) == 3 * (6 + 2 + 4)
    for scale in DASS:
        assert found.loc[("gaze_vertical", scale), "p_holm"] < 0.05
        assert found.loc[("gaze_vertical", scale), "high"] < 0
        assert found.loc[("pupil_ratio", scale), "p_holm"] > 0.05
    (section,) = markers.sections
    assert section.plot.startswith("data:image/svg")
    assert len(section.rows) == found["rho"].notna().sum()
    verdict = f"the ratio cannot be read as a pupil in {PERSONS} of {PERSONS} recordings"
    assert any(verdict in remark for remark in section.remarks)
    assert any("pupil eyes correlation" in remark for remark in section.remarks)  # not tested, and why


def test_features_or_items_that_are_not_there_stop_the_step(material):
    with pytest.raises(ValueError, match="no feature begins with one of ear_"):
        Markers(scales=DASS, features=["ear_"], n_perm=9)(material, n_boot=1000, seed=0)
    with pytest.raises(ItemError, match="HAMD-17 needs the columns"):
        Markers(scales=["HAMD-17"], features=["gaze_"], n_perm=9)(material, n_boot=1000, seed=0)


def test_states_are_described_and_told_from_a_continuum(states, material):
    related, clustered, _ = states.sections
    d, a, s = DASS
    assert [row[0] for row in related.rows] == [f"{d}, {a}", f"{d}, {s}", f"{a}, {s}"]
    totals = pd.DataFrame({name: subscale(name).total(material.manifest.table) for name in DASS})
    assert related.rows[0][1]["value"] == pytest.approx(totals.corr().loc[DASS[0], DASS[1]])
    assert len(clustered.rows) == 2 * 3
    assert len(clustered.figures) == 3
    assert set(states.tables["state_indices"]["null"]) == {"gaussian", "same margins"}
    assert states.tables["state_profiles"].groupby("k")["persons"].sum().tolist() == [3 * PERSONS] * 2


def test_targets_come_from_the_training_persons_of_their_fold(states, material):
    targets = states.tables["profile_targets"]
    table = material.manifest.table
    totals = pd.DataFrame({name: subscale(name).total(table) for name in DASS})
    for split in material.splits:
        own = targets[targets["fold"] == split.name].set_index("recording_id")
        assert sorted(own.index) == sorted(table["recording_id"])
        assert set(own.loc[list(split.test), "part"]) == {"test"}
        trained = table["recording_id"].isin(split.train)
        expected = ProfileTarget().fit(totals[trained]).transform(totals)
        np.testing.assert_array_equal(own.loc[table["recording_id"], "target"], expected)
    counts = states.sections[2].rows
    assert sum(int(count) for row in counts for count in row[2:]) == 2 * PERSONS


def test_a_recording_with_an_unanswered_item_is_left_out_and_counted(material):
    table = material.manifest.table.astype({"item_dass21_05": float})
    table.loc[:4, "item_dass21_05"] = np.nan
    gapped = Material(
        SimpleNamespace(table=table), material.recordings, material.series, material.labels,
        material.features, material.splits,
    )  # fmt: skip
    step = EmotionalStates(scales=DASS, rounds=1, draws=1, target=ProfileTarget(middle="keep"))
    found = step(gapped, n_boot=1000, seed=0)
    assert found.sections[0].remarks == ["5 recordings with an unanswered item are left out"]
    assert len(found.tables["profile_targets"]) == 2 * (PERSONS - 5)


def test_the_leaves_build(tmp_path):
    with initialize_config_dir(str(ROOT / "conf"), version_base="1.3"):
        config = compose(
            "analyze",
            overrides=[
                "analysis=sun2023",
                "analysis/features=oculomotor",
                "+analysis/steps/markers=oculomotor",
                "+analysis/steps/states=dass21",
                "+analysis.channels=[au01]",
                f"paths.output={tmp_path}",
                f"paths.data={tmp_path}",
            ],
        )
    config = plain_config(config, keys=ANALYZE_KEYS)
    check_targets(config)
    own = {name: config["analysis"]["steps"][name] for name in ("markers", "states")}
    markers, states = build_all(own, key="steps")
    assert states.target.get_params() == {"middle": "drop", "n_clusters": 3}
    extractors = build_all(config["analysis"]["extractors"], key="extractors")
    names = [name for extractor in extractors for name in extractor.names]
    assert len(names) == len(set(names)) == 18
    assert all(name.startswith(tuple(markers.features)) for name in names)
