import json

import numpy as np
import pandas as pd
import pytest

from datamodules.manifests.manifest import Manifest
from engine.checkpoints.record_checks import CHECKS, BadRecord
from engine.inference.person_changes import UNTAUGHT, changes_of, learned_change, plain, restored

ITEMS = [f"item_bdi2_{j:02d}" for j in range(1, 22)]


@pytest.fixture
def study(tmp_path):
    """A manifest of 30 persons x 3 visits with items, and their recording table."""
    rng = np.random.default_rng(0)
    severity = rng.uniform(0.2, 0.8, 90)
    items = rng.binomial(3, severity[:, None], (90, 21))
    ids = {
        "recording_id": [f"r{row}" for row in range(90)],
        "subject_id": np.repeat([f"p{one}" for one in range(30)], 3),
        "session_id": np.tile(["V1", "V2", "V3"], 30),
    }
    table = pd.DataFrame(ids | {"scale": "BDI-II", "score": items.sum(axis=1).astype(float)})
    table[ITEMS] = items
    manifest = Manifest(table=table, root=tmp_path, name="made", truth=None)
    predicted = 30 + 20 * (severity - 0.5) + rng.normal(0, 2, 90)
    recordings = pd.DataFrame(ids | {"score_target": table["score"], "score_prediction": predicted})
    return manifest, recordings


def test_validation_teaches_and_its_items_say_what_the_questionnaire_adds(study):
    manifest, recordings = study
    learned = learned_change(recordings, manifest)
    assert learned.noise == pytest.approx(21 * 3 * 0.22, rel=0.25)  # binomial: 3 q (1 - q) an item
    changes, entry = changes_of(recordings, manifest, learned)
    assert len(changes) == 60
    assert entry["changed"] == changes["changed"].sum()
    without = Manifest(table=manifest.table.drop(columns=ITEMS), root=manifest.root, name="made", truth=None)
    assert learned_change(recordings, without).noise == pytest.approx(0.08 * recordings["score_target"].var())


def test_a_checkpoint_keeps_the_rule_as_numbers(study):
    manifest, recordings = study
    learned = learned_change(recordings, manifest)
    kept = json.loads(json.dumps(plain(learned)))
    CHECKS["change"](kept)
    assert restored(kept) == learned
    assert "p0" not in json.dumps(kept)


def test_without_a_rule_nothing_is_kept_and_the_reason_is_said(study):
    manifest, recordings = study
    learned = learned_change(recordings.head(9), manifest)
    assert plain(learned) == {}
    CHECKS["change"]({})
    assert restored({}).reason == UNTAUGHT
    assert "needed" in changes_of(recordings, manifest, learned)[1]["reason"]


@pytest.mark.parametrize(
    "wrong",
    [
        {"slope": 0.0}, {"slope": "1"}, {"noise": [1.0]}, {"noise": [1.0, -1.0]}, {"visits": [2, 1]},
        {"visits": [1.0, 2.0]}, {"known": 1}, {"extra": 1.0}, {"slope_variance": -1.0},
        {"steepness": float("nan")}, {"questionnaire_noise": -1.0}, {"persons": 1},
    ],
)  # fmt: skip
def test_a_rule_that_no_training_writes_is_refused(study, wrong):
    kept = plain(learned_change(study[1], study[0]))
    with pytest.raises(BadRecord):
        CHECKS["change"](kept | wrong)
