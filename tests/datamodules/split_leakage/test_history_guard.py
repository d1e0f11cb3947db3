"""Scores that a prediction must not know are planted into the batches, and each is caught."""

import dataclasses

import numpy as np
import pytest
import pytorch_lightning as pl
import torch

from datamodules.clips import collate
from datamodules.clips.dataset import SeriesClips
from datamodules.clips.history import history
from datamodules.clips.samplers import RandomClips, UniformClips
from datamodules.datamodule import ClipDataModule
from datamodules.feature_leakage.channels import LeakageError
from datamodules.manifests.known_visits import known_visits
from datamodules.manifests.manifest import read_manifest
from datamodules.splits.longitudinal import Longitudinal
from datamodules.splits.protocols import Holdout


class Listener(pl.LightningModule):
    """Keeps what it hears of other visits."""

    def __init__(self):
        super().__init__()
        self.heard = []

    def predict_step(self, batch, batch_idx):
        self.heard.append(batch)
        return batch["row"]


@pytest.fixture
def manifest(cohort):
    return read_manifest(cohort(8, 4, 40))


def split_of(manifest, known):
    protocol = Holdout(val=0.25, test=0.25) if known is None else Longitudinal(
        known=known, persons=Holdout(val=0.25, test=0.25)
    )  # fmt: skip
    return protocol.splits(manifest)[0]


def data_of(manifest, split, **given):
    return ClipDataModule(
        manifest=manifest, split=split, source=SeriesClips(), train_clips=RandomClips(length=8),
        eval_clips=UniformClips(length=8, stride=2, clips=2), **given,
    )  # fmt: skip


def predict(manifest, split, **given):
    trainer = pl.Trainer(
        accelerator="cpu", logger=False, enable_progress_bar=False, enable_model_summary=False,
        enable_checkpointing=False,
    )  # fmt: skip
    model = Listener()
    trainer.predict(model, datamodule=data_of(manifest, split, **given), return_predictions=False)
    (batch,) = model.heard
    return batch


@pytest.mark.parametrize("known", [2, "all"])
def test_a_row_hears_of_the_earlier_known_visits_and_of_nothing_else(manifest, known):
    split = split_of(manifest, known)
    batch = predict(manifest, split)
    heard = batch["history"]
    names = batch["recording_id"]
    scores = manifest.table.set_index("recording_id")["score"]
    for i, mine in enumerate(names):
        for j, other in enumerate(names):
            fair = (
                mine[:3] == other[:3] and other[-1] < mine[-1] and (known == "all" or int(other[-1]) < known)
            )
            assert bool(heard["earlier"][i, j]) == fair
            assert float(heard["score"][i, j]) == (
                scores[other] if fair else pytest.approx(np.nan, nan_ok=True)
            )
    assert {name for name, own in zip(names, batch["scored"].tolist(), strict=True) if own} == set(split.test)


@pytest.mark.parametrize("stage", ["train", "val"])
def test_training_and_validation_hear_by_the_same_rule(manifest, stage):
    data = data_of(manifest, split_of(manifest, 2))
    for batch in getattr(data, f"{stage}_dataloader")():
        place = torch.tensor([int(name[-1]) for name in batch["recording_id"]])
        same = batch["subject"][:, None] == batch["subject"][None, :]
        fair = same & (place[None, :] < place[:, None]) & (place < 2)[None, :]
        assert torch.equal(batch["history"]["earlier"], fair)
        assert torch.equal(batch["history"]["score"].isfinite(), fair)


def test_no_other_protocol_tells_anything(manifest):
    assert "history" not in predict(manifest, split_of(manifest, None))


def _own(heard, names):
    rows = torch.arange(len(names))
    heard["earlier"][rows, rows], heard["score"][rows, rows] = True, 9.0


def _later(heard, names):
    heard["score"] = torch.where(heard["earlier"].T, 9.0, heard["score"])


def _others(heard, names):
    apart = torch.tensor([[one[:3] != other[:3] for other in names] for one in names])
    heard["score"] = torch.where(apart, 9.0, heard["score"])


def _unknown(heard, names):
    place = torch.tensor([int(name[-1]) for name in names])
    same = torch.tensor([[one[:3] == other[:3] for other in names] for one in names])
    heard["earlier"] |= same & (place[None, :] == 2) & (place[:, None] == 3)


def _own_as_earlier(heard, names):
    heard["score"] = torch.where(heard["earlier"], 25.0, heard["score"])


PLANTS = [
    (_own, "its own visit"),
    (_later, "a later visit"),
    (_others, "another person"),
    (_unknown, "which the protocol does not make known"),
    (_own_as_earlier, "is told 25 of"),
]


@pytest.mark.parametrize("blind", [False, True], ids=["labels", "blind"])
@pytest.mark.parametrize(("plant", "said"), PLANTS, ids=lambda one: getattr(one, "__name__", ""))
def test_a_planted_label_is_caught_with_and_without_labels(manifest, monkeypatch, plant, said, blind):
    def leaking(subject, facts):
        heard = history(subject, facts)
        plant(heard, names)
        return heard

    kept = collate.collate

    def named(samples):
        names[:] = [sample["recording_id"] for sample in samples]
        return kept(samples)

    names: list[str] = []
    monkeypatch.setattr(collate, "history", leaking)
    monkeypatch.setattr("datamodules.clips.loader.collate", named)
    split, visits = split_of(manifest, 2), known_visits(manifest.table, 2)
    with pytest.raises(LeakageError, match=said):
        predict(manifest.without_labels() if blind else manifest, split, history=visits)


def test_a_history_under_another_protocol_is_caught(manifest, monkeypatch):
    visits = known_visits(manifest.table, 2)
    data = data_of(manifest, split_of(manifest, None))
    batch = next(iter(data_of(manifest, split_of(manifest, 2), history=visits).test_dataloader()))
    with pytest.raises(LeakageError, match=r"makes none known; use protocol=longitudinal protocol\.known"):
        data.on_before_batch_transfer(batch, 0)
    with pytest.raises(LeakageError, match="split 'holdout' makes no earlier visit known"):
        data_of(manifest, split_of(manifest, None), history=visits)


def test_scores_that_are_not_those_of_the_table_are_caught(manifest):
    visits = known_visits(manifest.table, 2)
    moved = dataclasses.replace(visits, score=np.roll(visits.score, 4))  # those of the next person
    with pytest.raises(LeakageError, match="scores told of visits that do not have them: p00_v0"):
        data_of(manifest, split_of(manifest, 2), history=moved)


@pytest.mark.parametrize("drop", [[], ["score"]], ids=["labels", "no scores"])
def test_a_score_told_of_a_visit_that_is_not_known_is_caught(manifest, drop):
    visits = known_visits(manifest.table, 2)
    scores = manifest.table["score"].to_numpy()  # of those to predict as well
    bare = dataclasses.replace(manifest, table=manifest.table.drop(columns=drop))
    with pytest.raises(LeakageError, match="scores told of visits that are not known: p00_v2, p00_v3"):
        data_of(bare, split_of(manifest, 2), history=dataclasses.replace(visits, score=scores))
