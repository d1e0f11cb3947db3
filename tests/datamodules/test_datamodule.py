import dataclasses
from itertools import chain

import numpy as np
import pandas as pd
import pytest
import pytorch_lightning as pl
import torch
from torch import nn

from datamodules.clips.augmentation.series import SeriesAugment
from datamodules.clips.dataset import PixelClips, SeriesClips
from datamodules.clips.samplers import RandomClips, UniformClips
from datamodules.clips.transforms import ClipAugment, Normalize
from datamodules.datamodule import ClipDataModule
from datamodules.feature_leakage.channels import LeakageError
from datamodules.manifests.manifest import read_manifest
from datamodules.readers import UnreadableVideo, VideoSource
from datamodules.splits.longitudinal import Longitudinal
from datamodules.splits.partition import Split
from datamodules.splits.protocols import Given, Holdout


def make(manifest, split, **changes):
    arguments = {
        "source": SeriesClips(),
        "train_clips": RandomClips(length=8),
        "eval_clips": UniformClips(length=8, stride=2, clips=3),
        "subjects": 2,
        "num_workers": 0,
        "max_eval_clips": 12,
    }
    return ClipDataModule(manifest=manifest, split=split, **(arguments | changes))


def pixels(**arguments):
    return {
        "source": PixelClips(video=VideoSource(height=16, width=16, **arguments)),
        "augment": ClipAugment(),
        "normalize": Normalize(),
    }


class Recorder(pl.LightningModule):
    """Keeps what arrives; learns nothing of use."""

    def __init__(self):
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(()))
        self.seen = {"train": [], "val": [], "test": [], "predict": []}

    def _keep(self, stage, batch):
        kept = {name: batch[name] for name in ("recording_id", "clip", "seed", "scored", "mask")}
        kept["content"] = batch.get("frames", batch.get("series")).clone()
        self.seen[stage].append((self.current_epoch, kept))

    def training_step(self, batch, batch_idx):
        self._keep("train", batch)
        return self.weight**2

    def validation_step(self, batch, batch_idx):
        self._keep("val", batch)

    def test_step(self, batch, batch_idx):
        self._keep("test", batch)

    def predict_step(self, batch, batch_idx):
        self._keep("predict", batch)

    def configure_optimizers(self):
        return torch.optim.SGD(self.parameters(), lr=0.1)


def trainer(tmp_path, **arguments):
    return pl.Trainer(
        accelerator="cpu", logger=False, enable_progress_bar=False, enable_model_summary=False,
        default_root_dir=tmp_path, use_distributed_sampler=False, **arguments,
    )  # fmt: skip


def names(batches):
    return [name for _, batch in batches for name in batch["recording_id"]]


@pytest.fixture
def manifest(cohort):
    return read_manifest(cohort(8, 2, 100))


@pytest.fixture
def split(manifest):
    return Holdout(val=0.25, test=0.25).splits(manifest)[0]


def test_corpora_share_the_people_of_every_training_batch(cohort, tmp_path):
    path = cohort(12, 2, 100)
    table = pd.read_csv(path, dtype=str)
    table["corpus"] = [
        "small" if name in ("p00", "p01", "p02", "p03") else "large" for name in table["subject_id"]
    ]
    table["split"] = ["val" if name in ("p10", "p11") else "train" for name in table["subject_id"]]
    table.to_csv(path, index=False)
    manifest = read_manifest(path)
    data, model = make(manifest, Given().splits(manifest)[0], balance="corpus"), Recorder()
    trainer(tmp_path, max_epochs=1, enable_checkpointing=False).fit(model, datamodule=data)
    corpus = dict(zip(table["recording_id"], table["corpus"], strict=True))
    batches = [[corpus[name] for name in batch["recording_id"]] for _, batch in model.seen["train"]]
    assert len(batches) == 6  # six persons of the large corpus train, one in every batch
    assert all(sorted(batch) == ["large"] * 2 + ["small"] * 2 for batch in batches)


def test_an_unknown_column_to_balance_is_refused(manifest, split):
    with pytest.raises(ValueError, match="'site'"):
        make(manifest, split, balance="site").train_dataloader()


@pytest.mark.parametrize("num_workers", [0, 1])
def test_a_trainer_sees_every_part_as_it_should(manifest, split, tmp_path, num_workers):
    data, model = make(manifest, split, num_workers=num_workers), Recorder()
    fit = trainer(tmp_path, max_epochs=2, enable_checkpointing=False)
    fit.fit(model, datamodule=data)
    fit.test(model, datamodule=data, verbose=False)
    fit.predict(model, datamodule=data)
    for epoch in range(2):
        assert sorted(names([item for item in model.seen["train"] if item[0] == epoch])) == sorted(
            split.train
        )
    first, second = ([b["seed"].tolist() for e, b in model.seen["train"] if e == epoch] for epoch in range(2))
    assert not {*chain.from_iterable(first)} & {*chain.from_iterable(second)}
    for stage in ("test", "predict"):
        clips = [
            (name, int(clip))
            for _, batch in model.seen[stage]
            for name, clip in zip(batch["recording_id"], batch["clip"], strict=True)
        ]
        assert sorted(clips) == sorted((name, clip) for name in split.test for clip in range(3))
    assert set(names(model.seen["val"])) == set(split.val)


def test_series_are_augmented_in_training_only_and_by_the_seeds_of_their_clips(manifest, split, tmp_path):
    seen = []
    amounts = {"noise": 0.5, "channel_mask": 0.3, "time_mask": 0.3, "shift": 0.5}
    for augment in (None, SeriesAugment(**amounts)):
        data, model = make(manifest, split, augment=augment, num_workers=1), Recorder()
        fit = trainer(tmp_path, max_epochs=2, enable_checkpointing=False)
        fit.fit(model, datamodule=data)
        fit.predict(model, datamodule=data)
        seen.append(model.seen)
    plain, changed = seen
    alone = SeriesAugment(**amounts)
    alone.set_statistics(make(manifest, split).train_statistics())
    for (_, before), (_, after) in zip(plain["train"], changed["train"], strict=True):
        content, mask = alone(before["content"], before["mask"], before["seed"])
        assert torch.equal(content, after["content"])
        assert torch.equal(mask, after["mask"])
        assert not torch.equal(content, before["content"])
    for stage in ("val", "predict"):
        for (_, before), (_, after) in zip(plain[stage], changed[stage], strict=True):
            assert torch.equal(before["content"], after["content"])
            assert torch.equal(before["mask"], after["mask"])


def test_an_augmentation_of_another_kind_of_content_is_refused(manifest, split):
    with pytest.raises(
        ValueError, match="augment=ClipAugment changes frames, SeriesClips reads series: use Ser"
    ):
        make(manifest, split, augment=ClipAugment())
    with pytest.raises(ValueError, match="augment=SeriesAugment changes series, PixelClips reads frames"):
        make(manifest, split, **(pixels() | {"augment": SeriesAugment()}))


def test_resuming_continues_the_epochs(manifest, split, tmp_path):
    straight = Recorder()
    trainer(tmp_path, max_epochs=3, enable_checkpointing=False).fit(
        straight, datamodule=make(manifest, split)
    )
    half = trainer(tmp_path, max_epochs=2)
    half.fit(Recorder(), datamodule=make(manifest, split))
    half.save_checkpoint(tmp_path / "half.ckpt")
    resumed = Recorder()
    trainer(tmp_path, max_epochs=3).fit(
        resumed, datamodule=make(manifest, split), ckpt_path=str(tmp_path / "half.ckpt")
    )
    expected = [batch for epoch, batch in straight.seen["train"] if epoch == 2]
    found = [batch for _, batch in resumed.seen["train"]]
    assert [batch["seed"].tolist() for batch in found] == [batch["seed"].tolist() for batch in expected]
    for one, other in zip(found, expected, strict=True):
        assert torch.equal(one["content"], other["content"])


def test_overfitting_repeats_the_same_batch(manifest, split, tmp_path):
    model = Recorder()
    trainer(tmp_path, max_epochs=3, overfit_batches=1, enable_checkpointing=False).fit(
        model, datamodule=make(manifest, split)
    )
    assert len({tuple(batch["seed"].tolist()) for _, batch in model.seen["train"]}) == 1


@pytest.mark.parametrize("decode", ["worker", "device", "auto"])
def test_pixels_reach_the_network_normalized_whoever_decodes(videos, tmp_path, decode):
    manifest = read_manifest(videos(6, 2))
    split = Holdout(val=0.3, test=0.3).splits(manifest)[0]
    data, model = make(manifest, split, **pixels(decode=decode)), Recorder()
    fit = trainer(tmp_path, max_epochs=1, enable_checkpointing=False)
    fit.fit(model, datamodule=data)
    fit.test(model, datamodule=data, verbose=False)
    frames = [batch["content"] for _, batch in model.seen["test"]]
    assert {frame.dtype for frame in frames} == {torch.float32}
    assert frames[0].shape[1:] == (8, 3, 16, 16)
    # Undo the normalization: the levels are those of the frames that the sampler asks for.
    counts = manifest.table.set_index("recording_id")["n_frames"]
    mean, std = (
        torch.tensor(value).view(3, 1, 1) for value in ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225))
    )
    for _, batch in model.seen["test"]:
        levels = ((batch["content"] * std + mean) * 255).mean((2, 3, 4)) / 12
        for name, clip, level in zip(batch["recording_id"], batch["clip"], levels, strict=True):
            indices, _ = UniformClips(length=8, stride=2, clips=3)(int(counts[name]), int(clip), None)
            np.testing.assert_allclose(level, indices % (256 / 12), atol=0.5)
    assert model.seen["train"]


def test_who_decodes_is_said_once(videos, tmp_path, caplog):
    caplog.set_level("INFO", logger="datamodules")
    manifest = read_manifest(videos(6, 2))
    split = Holdout(val=0.3, test=0.3).splits(manifest)[0]
    given = make(manifest, split, **pixels(decode="auto"))
    for _ in range(2):
        trainer(tmp_path, max_epochs=1, enable_checkpointing=False).fit(Recorder(), datamodule=given)
    said = [one.getMessage() for one in caplog.records]
    assert sum("decode=auto: by the worker" in line for line in said) == 1


def test_decoding_beside_the_network_changes_no_bit(videos, tmp_path):
    manifest = read_manifest(videos(6, 2))
    split = Holdout(val=0.3, test=0.3).splits(manifest)[0]
    seen = []
    for decode in ("worker", "device"):
        model = Recorder()
        trainer(tmp_path, max_epochs=1, enable_checkpointing=False).fit(
            model, datamodule=make(manifest, split, **pixels(decode=decode))
        )
        seen.append([batch["content"] for _, batch in model.seen["train"] + model.seen["val"]])
    for one, other in zip(*seen, strict=True):
        assert torch.equal(one, other)


def test_augmentation_is_for_training_and_padding_is_zero(videos, tmp_path):
    manifest = read_manifest(videos(6, 1, 3))
    split = Split("s", ("p00_v0", "p01_v0"), ("p02_v0", "p03_v0"), ("p04_v0", "p05_v0"))
    model, plain = Recorder(), Recorder()
    for module, augment in ((model, ClipAugment(brightness=0.5)), (plain, None)):
        data = make(manifest, split, **(pixels() | {"augment": augment}))
        trainer(tmp_path, max_epochs=1, enable_checkpointing=False).fit(module, datamodule=data)
    for stage, equal in (("train", False), ("val", True)):
        one, other = model.seen[stage][0][1], plain.seen[stage][0][1]
        assert torch.equal(one["seed"], other["seed"])
        assert torch.equal(one["content"], other["content"]) is equal
        assert not one["mask"].all()
        assert (one["content"][~one["mask"]] == 0).all()


@pytest.mark.parametrize("decode", ["worker", "device"])
def test_an_unreadable_training_video_is_skipped_counted_and_named(videos, tmp_path, caplog, decode):
    path = videos(6, 2)
    manifest = read_manifest(path)  # damaged after it was probed: only reading shows it
    split = Holdout(val=0.3, test=0.3).splits(manifest)[0]
    file = path.parent / f"{split.train[0]}.mp4"
    file.write_bytes(file.read_bytes()[:150])
    data, model = make(manifest, split, **pixels(decode=decode)), Recorder()
    trainer(tmp_path, max_epochs=2, enable_checkpointing=False).fit(model, datamodule=data)
    assert list(data.skipped) == [split.train[0]]
    assert file.name in data.skipped[split.train[0]]
    assert caplog.text.count(f"skipped {split.train[0]}") == 1
    assert set(names(model.seen["train"])) == set(split.train[1:])


@pytest.mark.parametrize("decode", ["worker", "device"])
def test_damage_inside_a_coded_clip_is_skipped_in_training_only(videos, tmp_path, decode):
    path = videos(6, 2, 60)
    manifest = read_manifest(path)
    split = Holdout(val=0.3, test=0.3).splits(manifest)[0]
    for name in (split.train[0], split.test[0]):
        file = path.parent / f"{name}.mp4"
        content = bytearray(file.read_bytes())
        middle = (content.index(b"mdat") + content.index(b"moov")) // 2
        content[middle : middle + 300] = bytes(300)
        file.write_bytes(content)
    whole = UniformClips(length=60, stride=1, clips=1)
    data = make(manifest, split, **pixels(decode=decode), train_clips=whole, eval_clips=whole)
    fit = trainer(tmp_path, max_epochs=1, enable_checkpointing=False)
    fit.fit(Recorder(), datamodule=data)
    assert list(data.skipped) == [split.train[0]]
    with pytest.raises(UnreadableVideo, match=split.test[0]):
        fit.test(Recorder(), datamodule=data, verbose=False)


@pytest.mark.parametrize("part", ["val", "test"])
def test_an_unreadable_evaluation_video_stops_the_run(videos, tmp_path, part):
    path = videos(6, 2)
    split = Holdout(val=0.3, test=0.3).splits(read_manifest(path, probe=False))[0]
    broken = getattr(split, part)[0]
    (path.parent / f"{broken}.mp4").write_bytes(b"")
    data = make(read_manifest(path), split, **pixels())
    data.setup()
    with pytest.raises(UnreadableVideo, match=rf"{broken}\.mp4"):
        list(getattr(data, f"{part}_dataloader")())


def test_the_guard_stops_the_run(manifest, split, tmp_path):
    leaking = Split("bad", split.train, split.val, (*split.test[:-1], split.train[0]))
    with pytest.raises(LeakageError, match="same recording twice"):
        make(manifest, leaking).setup()
    person = split.train[0][:-1]
    moved = Split(
        "bad", tuple(i for i in split.train if i != f"{person}1"), split.val, (*split.test, f"{person}1")
    )
    with pytest.raises(LeakageError, match=f"subject in two parts: {person[:-2]}"):
        trainer(tmp_path, max_epochs=1).fit(Recorder(), datamodule=make(manifest, moved))
    copied = dataclasses.replace(manifest, table=manifest.table.copy())
    rows = copied.rows([split.train[0], split.test[0]])
    copied.table.loc[rows, "content_hash"] = "same"
    with pytest.raises(LeakageError, match="same file content under two ids"):
        make(copied, split).train_statistics()


def test_statistics_come_from_training_recordings_only(manifest, split, write_series):
    before = make(manifest, split).train_statistics()
    for name in split.val + split.test:
        write_series(manifest.root / f"{name}.npz", np.full((100, 3), 1e6))
    manifest.table.loc[manifest.rows(split.val + split.test), "score"] = 63.0
    manifest.table.loc[manifest.rows(split.val + split.test), "binary"] = 1.0
    after = make(manifest, split).train_statistics()
    assert torch.equal(before["series_mean"], after["series_mean"])
    assert torch.equal(before["series_std"], after["series_std"])
    assert {k: v for k, v in before.items() if k[0] != "s" or k[1] == "c"} == {
        k: v for k, v in after.items() if k[0] != "s" or k[1] == "c"
    }
    assert before["score_mean"] == np.mean([r.score for r in manifest.recordings(split.train)])


def test_known_people_bring_context_without_targets(cohort):
    manifest = read_manifest(cohort(4, 4, 100))
    split = Longitudinal().splits(manifest)[0]
    for part in ("val", "test"):
        scored, context = set(), set()
        for batch in getattr(make(manifest, split), f"{part}_dataloader")():
            assert len(set(batch["subject_id"])) == len(set(batch["recording_id"])) / 4  # whole persons
            for name, flag in zip(batch["recording_id"], batch["scored"], strict=True):
                (scored if flag else context).add(name)
            for name in ("score", "binary", "band"):
                assert torch.equal(batch["target_mask"][name], batch["scored"])
                assert (batch["targets"][name][~batch["scored"]] == 0).all()
        assert scored == set(getattr(split, part))
        assert context == set(manifest.table["recording_id"]) - scored


def test_unknown_people_are_nobodys_context(cohort):
    manifest = read_manifest(cohort(4, 2, 100, subject_id="unknown"))
    split = Split("s", ("p00_v0", "p01_v0"), ("p02_v0",), ("p03_v0",))
    batch = next(iter(make(manifest, split).test_dataloader()))
    assert set(batch["recording_id"]) == {"p03_v0"}
    everyone = [batch["subject"] for batch in make(manifest, None).predict_dataloader()]
    assert len(torch.cat(everyone).unique()) == 8


def test_an_unreadable_context_recording_is_skipped_and_named(cohort):
    path = cohort(4, 3, 100)
    manifest = read_manifest(path)
    split = Longitudinal().splits(manifest)[0]
    (path.parent / "p00_v0.npz").write_bytes(b"")
    data = make(manifest, split)
    rows = [name for batch in data.test_dataloader() for name in batch["recording_id"]]
    assert "p00_v0" not in rows
    assert "p00_v2" in rows
    assert "p00_v0.npz" in data.skipped["p00_v0"]


def test_without_a_split_everything_is_predicted(manifest, tmp_path):
    model, data = Recorder(), make(manifest, None)
    trainer(tmp_path).predict(model, datamodule=data)
    assert set(names(model.seen["predict"])) == set(manifest.table["recording_id"])
    with pytest.raises(ValueError, match="there is no split, hence no train part"):
        data.train_dataloader()


def test_codes_are_unique_over_the_manifest(manifest, split):
    batches = list(make(manifest, split).train_dataloader()) + list(make(manifest, split).test_dataloader())
    persons, visits = {}, {}
    for batch in batches:
        for subject, session, person, visit in zip(
            batch["subject_id"],
            batch["session_id"],
            batch["subject"].tolist(),
            batch["visit"].tolist(),
            strict=True,
        ):
            assert persons.setdefault(person, subject) == subject
            assert visits.setdefault(visit, (subject, session)) == (subject, session)
    assert len(visits) == 2 * len(persons)
