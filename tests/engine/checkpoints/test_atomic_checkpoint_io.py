"""A disk that is full while a checkpoint is written: the one before stays, file and remedy are named."""

import errno
import os

import pytest
import torch

from engine.checkpoints.atomic_checkpoint_io import LAST, PREVIOUS, STEP, WholeCheckpoints
from engine.runs.atomic_write import DiskError


def test_a_full_disk_leaves_the_checkpoint_before_and_names_what_is_lost(tmp_path, monkeypatch):
    files, last = WholeCheckpoints(), tmp_path / LAST
    files.save_checkpoint({"epoch": 0, "state_dict": {}}, last)
    before = last.read_bytes()

    def full(handle):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(DiskError, match=r"last\.ckpt cannot be written: No space left") as told:
        files.save_checkpoint({"epoch": 1, "state_dict": {"w": torch.zeros(9)}}, last)
    assert "the state after epoch 1; the one before it is whole" in str(told.value)
    assert "make room" in str(told.value)
    assert last.read_bytes() == before
    assert [path.name for path in tmp_path.iterdir()] == [LAST]


def test_the_end_of_an_epoch_takes_the_place_of_a_step(tmp_path):
    files = WholeCheckpoints()
    for number, name in enumerate([LAST, STEP]):
        files.save_checkpoint({"epoch": number}, tmp_path / name)
    assert sorted(path.name for path in tmp_path.iterdir()) == [LAST, STEP]
    files.save_checkpoint({"epoch": 1}, tmp_path / LAST)
    assert sorted(path.name for path in tmp_path.iterdir()) == [LAST, PREVIOUS]
    assert torch.load(tmp_path / PREVIOUS, weights_only=True) == {"epoch": 0}
