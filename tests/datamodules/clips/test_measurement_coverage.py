import os
from pathlib import Path

import numpy as np
import pytest

from datamodules.clips.batches import ClipKey
from datamodules.clips.collate import EmptyBatch, collate
from datamodules.clips.dataset import ClipDataset, Entry, SeriesClips
from datamodules.clips.measurement_coverage import Coverage, NothingMeasured, coverage, unmeasured
from datamodules.clips.samplers import RandomClips, UniformClips
from datamodules.clips.statistics import training_statistics
from datamodules.datamodule import ClipDataModule
from datamodules.manifests.manifest import read_manifest
from datamodules.series import Series
from datamodules.splits.longitudinal import Longitudinal
from datamodules.splits.partition import Split

EVAL = UniformClips(length=8, stride=1, clips=3)


def series(valid, fps: float | None = 25.0) -> Series:
    valid = np.asarray(valid, dtype=bool)
    return Series(values=np.ones((len(valid), 1), np.float32), channels=("au04",), valid=valid, fps=fps)


@pytest.mark.parametrize(
    ("valid", "rows", "fps", "enough"),
    [
        (0, 100, 25.0, False),
        (24, 100, 25.0, False),
        (25, 100, 25.0, True),
        (5, 10, 25.0, True),  # half of less than a second
        (4, 10, 25.0, False),
        (1, 90, None, True),  # nobody knows how long a row is
        (1, 60, 1.0, True),
    ],
)
def test_a_second_of_measurements_is_needed(valid, rows, fps, enough):
    found = coverage(series(np.arange(rows) < valid, fps))
    assert (not found.fault) is enough
    assert found.share == valid / rows
    if not enough:
        assert f"{valid} of {rows} frames hold a measurement" in found.reason


def test_clips_of_evaluation_must_fall_on_measurements():
    valid = np.zeros(200, bool)
    valid[20:60] = True  # the clips see rows 0 to 7, 96 to 103 and 192 to 199
    assert not coverage(series(valid)).fault
    assert "no clip falls on a measurement" in coverage(series(valid), EVAL).reason
    valid[100] = True
    assert not coverage(series(valid), EVAL).fault


def blank(path: Path, *names: str) -> None:
    """Take every measurement from some files."""
    for name in names:
        file = path.parent / f"{name}.npz"
        with np.load(file) as held:
            arrays = {key: held[key] for key in held}
        np.savez(file, **arrays | {"valid": np.zeros(len(arrays["values"]), bool)})
        os.utime(file, ns=(1, 1))


def make(manifest, split, **changes):
    """The module with the number of workers that runs have."""
    sizes = {"subjects": 2, "max_eval_clips": 12} | changes
    clips = {"train_clips": RandomClips(length=8), "eval_clips": EVAL}
    return ClipDataModule(manifest=manifest, split=split, source=SeriesClips(), **clips, **sizes)


def ids(batches) -> set[str]:
    return {name for batch in batches for name in batch["recording_id"]}


def test_recordings_without_a_measurement_neither_train_nor_are_scored(cohort, caplog):
    path = cohort(6, 1, 60)
    blank(path, "p00_v0", "p04_v0")
    names = [f"p{person:02d}_v0" for person in range(6)]
    data = make(read_manifest(path), Split("s", tuple(names[:3]), (names[3],), tuple(names[4:])))
    assert ids(data.train_dataloader()) == {"p01_v0", "p02_v0"}
    assert list(data.skipped) == ["p00_v0"]
    assert "0 of 60 frames hold a measurement" in data.skipped["p00_v0"]
    assert ids(data.test_dataloader()) == {"p05_v0"}
    assert data.unmeasured == {"p04_v0": Coverage(valid=0, rows=60, fault="no measurement")}
    assert "p04_v0 is not predicted: no measurement" in caplog.text


def test_a_context_recording_without_a_measurement_feeds_no_context(cohort):
    path = cohort(4, 3, 100)
    split = Longitudinal().splits(read_manifest(path))[0]
    blank(path, "p00_v0", "p01_v2")
    data = make(read_manifest(path), split, num_workers=0)
    seen = ids(data.test_dataloader())
    assert "p00_v0" not in seen  # context of the tested visit p00_v2
    assert "p00_v2" in seen
    assert not {name for name in seen if name.startswith("p01")}  # context of nobody
    assert list(data.unmeasured) == ["p01_v2"]
    assert list(data.skipped) == ["p00_v0"]


def test_nothing_at_all_is_named(cohort):
    path = cohort(3, 1, 60)
    blank(path, "p00_v0", "p01_v0", "p02_v0")
    data = make(read_manifest(path), Split("s", ("p00_v0",), ("p01_v0",), ("p02_v0",)), num_workers=0)
    for part, name in (("train", "p00_v0"), ("val", "p01_v0"), ("test", "p02_v0")):
        with pytest.raises(NothingMeasured, match=rf"none of the 1 recordings .*{name} \(no measurement"):
            getattr(data, f"{part}_dataloader")()
    assert "series_mean" not in training_statistics(read_manifest(path).recordings(), SeriesClips())


def test_a_clip_in_a_gap_is_drawn_again_and_is_in_no_mean(cohort, write_series):
    path = cohort(1, 1, 200)
    valid = np.zeros(200, bool)
    valid[:100] = True
    values = np.random.default_rng(0).normal(size=(200, 3))
    write_series(path.parent / "p00_v0.npz", values, valid=valid)
    recording = read_manifest(path).recordings()[0]
    assert unmeasured(recording, SeriesClips(), EVAL) is None
    parts = {"entries": [Entry(recording=recording, row=0, subject=0, visit=0)], "source": SeriesClips()}
    judged = ClipDataset(**parts, sampler=EVAL, seed=0, training=False)
    batch = collate([judged[ClipKey(0, clip, 0)] for clip in range(3)])
    assert batch["clip"].tolist() == [0, 1]
    assert judged[ClipKey(0, 2, 0)] == {"unseen": "p00_v0"}
    with pytest.raises(EmptyBatch, match="p00_v0: no measurement in this clip"):
        collate([judged[ClipKey(0, 2, 0)]])
    trained = ClipDataset(**parts, sampler=RandomClips(length=8), seed=0, training=True)
    samples = [trained[ClipKey(0, 0, epoch)] for epoch in range(40)]
    assert all(sample["mask"].any() for sample in samples)
