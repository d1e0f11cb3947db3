"""Recordings of unknown persons on their whole way: manifest, batches, contrast, context."""

import logging

import numpy as np
import pandas as pd
import pytest
import torch
from torch.nn import functional as F

from datamodules.clips.dataset import SeriesClips
from datamodules.clips.samplers import RandomClips, UniformClips
from datamodules.datamodule import ClipDataModule
from datamodules.manifests.manifest import read_manifest
from datamodules.splits.partition import Split
from models.losses.supcon import SupCon
from models.mpdrm.context import EnrolmentContext
from models.types import Output


@pytest.fixture
def data(tmp_path):
    """Two known persons of two visits, and four recordings that may show anybody; they share a session id."""
    rows = [("a1", "a", "1"), ("a2", "a", "2"), ("b1", "b", "1"), ("b2", "b", "2")]
    rows += [(f"u{number}", "unknown", "1") for number in range(4)]
    rng = np.random.default_rng(0)
    for name, _, _ in rows:
        values = rng.normal(size=(30, 3)).astype(np.float32)
        np.savez(tmp_path / f"{name}.npz", values=values, channels=["au04", "au12", "gaze_x"])
    table = pd.DataFrame(rows, columns=["recording_id", "subject_id", "session_id"])
    table = table.assign(path="", series_path=table["recording_id"] + ".npz", scale="BDI-II", score=20)
    table.to_csv(tmp_path / "some.csv", index=False)
    ids = tuple(name for name, _, _ in rows)
    return ClipDataModule(
        manifest=read_manifest(tmp_path / "some.csv"),
        split=Split("some", ids, (), (), subject_disjoint=False),
        source=SeriesClips(),
        train_clips=RandomClips(length=8),
        eval_clips=UniformClips(length=8, stride=1, clips=2),
        subjects=6,
        num_workers=0,
    )


def _unknown(batch):
    return torch.tensor([name == "unknown" for name in batch["subject_id"]])


@pytest.mark.parametrize("positives", ["cross_visit", "same_visit"])
def test_the_contrast_neither_attracts_nor_repels_them(data, positives):
    batch = next(iter(data.train_dataloader()))
    unknown = _unknown(batch)
    assert unknown.sum() == 8  # two clips of each, as of everybody with one visit
    assert len(unknown) == 12
    loss = SupCon(positives=positives)
    z = F.normalize(torch.randn(len(unknown), 5), dim=-1).requires_grad_()
    value = loss(Output(logits={}, embedding=z, personality=z), batch)
    (gradient,) = torch.autograd.grad(value, z)
    assert not gradient[unknown].any()
    if positives == "cross_visit":
        assert gradient[~unknown].any(1).all()
    moved = torch.where(unknown[:, None], F.normalize(torch.randn_like(z), dim=-1), z)
    assert loss(Output(logits={}, embedding=moved, personality=moved), batch) == value


def test_the_enrolment_context_knows_nothing_of_them(data):
    training = next(iter(data.train_dataloader()))
    evaluated = ClipDataModule(
        manifest=data.manifest,
        split=None,
        source=SeriesClips(),
        train_clips=RandomClips(length=8),
        eval_clips=UniformClips(length=8, stride=1, clips=2),
        num_workers=0,
    )
    for batch in (training, *evaluated.predict_dataloader()):
        feature = torch.randn(len(batch["row"]), 5)
        context = EnrolmentContext()(feature, batch)
        available = context.available
        assert torch.equal(available, ~_unknown(batch))
        assert not context.feature[~available].any()
        known = {name[0] for name, kept in zip(batch["recording_id"], available, strict=True) if kept}
        assert known == {"a", "b"}


def test_every_one_of_them_is_used_once_an_epoch(data, caplog):
    with caplog.at_level(logging.WARNING):
        rows = [name for batch in data.train_dataloader() for name in batch["recording_id"]]
    assert {name: rows.count(name) for name in set(rows) if name.startswith("u")} == {
        f"u{number}": 2 for number in range(4)
    }
    assert "unauditable" in caplog.text
