"""How many processes read, and that it is said."""

import pytest
import torch

from datamodules.clips import loader
from datamodules.clips.dataset import SeriesClips
from datamodules.clips.loader import evaluation_workers, workers_of
from datamodules.clips.samplers import RandomClips, UniformClips
from datamodules.datamodule import ClipDataModule
from datamodules.manifests.manifest import read_manifest

CPU, CUDA = torch.device("cpu"), torch.device("cuda")


@pytest.mark.parametrize(
    ("given", "device", "ranks", "cores", "expected"),
    [
        (3, CUDA, 1, 8, 3),
        (0, CPU, 1, 8, 0),
        ("auto", None, 1, 8, 1),
        ("auto", CPU, 1, 8, 1),
        ("auto", CUDA, 1, 8, 7),
        ("auto", CUDA, 4, 8, 1),
        ("auto", CUDA, 1, 1, 1),
        ("auto", CUDA, 1, 128, 16),
    ],
)
def test_workers_are_those_given_or_what_the_machine_has_cores_for(
    monkeypatch, given, device, ranks, cores, expected
):
    monkeypatch.setattr(loader, "cores", lambda: cores)
    assert workers_of(given, device, ranks=ranks) == expected


def test_evaluation_gets_a_quarter_of_what_auto_found():
    assert [evaluation_workers("auto", count) for count in (1, 3, 7, 16)] == [1, 1, 1, 4]
    assert evaluation_workers(6, 6) == 6


def test_what_a_gpu_gets_is_said(cohort, monkeypatch, caplog):
    caplog.set_level("INFO", logger="datamodules")
    monkeypatch.setattr(loader, "cores", lambda: 8)
    caplog.clear()
    clips = {"train_clips": RandomClips(length=8), "eval_clips": UniformClips(length=8, stride=2, clips=3)}
    manifest = read_manifest(cohort(2, 1))
    data = ClipDataModule(manifest=manifest, split=None, source=SeriesClips(), num_workers="auto", **clips)
    assert data._workers(CPU, training=True) == 1
    assert "workers" not in caplog.text  # what it always was
    assert data._workers(CUDA, training=True) == 7
    assert "workers=auto: 7 process(es) read" in caplog.text
    assert data._workers(CUDA, training=False) == 1
