"""Answers as targets: their order, what is masked, and that blanked labels reach no batch."""

import numpy as np
import pandas as pd
import pytest

from datamodules.clips.dataset import SeriesClips
from datamodules.clips.samplers import RandomClips, UniformClips
from datamodules.datamodule import ClipDataModule
from datamodules.feature_leakage.channels import LeakageError, check_channels
from datamodules.feature_leakage.repeated_answers import check_features
from datamodules.manifests.item_answers import item_answers, item_columns, item_statistics
from datamodules.manifests.manifest import read_manifest
from datamodules.splits.partition import Split

PHQ = {"PHQ-2": {"columns": ["item_phq9_2", "item_phq9_1"], "highest": [3, 3], "factor": 1, "threshold": 3}}
ANSWERS = {"item_phq9_1": [0, 1, 2, 3, np.nan, 1, 0, 2], "item_phq9_2": [3, 3, np.nan, 0, np.nan, 2, 1, 1]}


@pytest.fixture
def module(cohort):
    """A data module over 8 recordings of 4 persons: the first two train, one validates, one tests."""
    read = read_manifest(cohort(4, 2, **ANSWERS))
    ids = read.table["recording_id"].tolist()

    def build(manifest=read, items=PHQ):
        clips = {
            "train_clips": RandomClips(length=8),
            "eval_clips": UniformClips(length=8, stride=2, clips=1),
        }
        split = Split("one", tuple(ids[:4]), tuple(ids[4:6]), tuple(ids[6:]))
        given = {"source": SeriesClips(), "num_workers": 0, "subjects": 2, "visits": 2}
        return ClipDataModule(manifest=manifest, split=split, items=items, **clips, **given)

    build.manifest = read
    return build


def test_answers_come_in_the_order_that_was_written_down(module):
    (batch,) = module().train_dataloader()
    order = np.argsort(batch["row"])
    assert batch["targets"]["items"][order].tolist() == [[3, 0], [3, 1], [0, 2], [0, 3]]
    assert batch["target_mask"]["items"][order].tolist() == [
        [True, True],
        [True, True],
        [False, True],
        [True, True],
    ]
    assert batch["targets"]["items"].dtype.is_signed


def test_blanked_labels_reach_no_batch(module):
    hidden = module.manifest.without_labels(module.manifest.table["recording_id"].tolist()[4:])
    blind = module(hidden)
    for loader in (blind.val_dataloader(), blind.test_dataloader()):
        (batch,) = loader
        assert batch["target_mask"]["items"].shape == (2, 2)
        for name in ("score", "binary", "band", "items"):
            assert not batch["target_mask"][name].any()
            assert not batch["targets"][name].any()
    (seen,) = module().test_dataloader()
    assert seen["targets"]["items"].tolist() == [[1, 0], [1, 2]]
    (trained,) = blind.train_dataloader()
    assert trained["target_mask"]["items"].any()


def test_statistics_are_of_the_training_answers_alone(module):
    found = module().train_statistics()
    np.testing.assert_allclose(found["item_shares"], [2 / 3, 2 / 3, 2 / 3, 3 / 4, 2 / 4, 1 / 4], rtol=1e-6)
    hidden = module.manifest.without_labels(module.manifest.table["recording_id"].tolist()[4:])
    again = module(hidden).train_statistics()
    assert again["item_shares"].equal(found["item_shares"])
    assert again["item_correlations"].equal(found["item_correlations"])


def test_without_questionnaires_batches_are_as_ever(module):
    (batch,) = module(items=None).val_dataloader()
    assert set(batch["targets"]) == set(batch["target_mask"]) == {"score", "binary", "band"}
    assert "item_shares" not in module(items={}).train_statistics()


def test_a_table_without_the_columns_has_no_answers(cohort, module):
    bare = module(read_manifest(cohort(4, 2)))
    (batch,) = bare.val_dataloader()
    assert not batch["target_mask"]["items"].any()
    assert "item_shares" not in bare.train_statistics()


def test_correlations_are_those_of_pandas_and_name_nobody():
    rng = np.random.default_rng(0)
    table = pd.DataFrame(
        rng.integers(0, 4, (40, 3)).astype(float), columns=[f"item_phq9_{n}" for n in (1, 2, 3)]
    )
    table.loc[:30, "item_phq9_1"] = np.nan
    table["item_phq9_3"] = 1.0
    found = item_statistics(item_answers(table, list(table)))
    correlations = found["item_correlations"].reshape(3, 3)
    assert correlations[0, 1].item() == pytest.approx(table.corr().iloc[0, 1], rel=1e-5)
    assert correlations[2].tolist() == [0.0, 0.0, 0.0]  # never changed
    assert found["item_shares"].reshape(3, 3)[2].tolist() == [1.0, 0.0, 0.0]
    assert {name: value.ndim for name, value in found.items()} == {"item_shares": 1, "item_correlations": 1}


def test_a_column_that_is_no_item_is_named():
    with pytest.raises(ValueError, match="'item_phq9_10' is no item column"):
        item_columns({"PHQ": {"columns": ["item_phq9_10"]}})
    assert item_columns(None) == ()


def test_items_stay_forbidden_as_features(module):
    with pytest.raises(LeakageError, match="item_phq9_1"):
        check_channels(["au12", "item_phq9_1"])
    rng = np.random.default_rng(0)
    table = pd.DataFrame({"item_phq9_1": rng.integers(0, 4, 60), "item_phq9_2": rng.integers(0, 4, 60)})
    copied = pd.DataFrame({"mean of au12": table["item_phq9_2"] * 2.0})
    with pytest.raises(LeakageError, match="orders persons as item_phq9_2"):
        check_features(copied, table)
