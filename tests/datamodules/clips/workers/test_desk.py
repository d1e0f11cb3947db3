"""Workers that die or hang are named with the recording that they were reading, and the loader ends."""

import os
import re
import signal
import time

import pytest
import torch
from torch.utils.data import Dataset
from torch.utils.data.dataloader import _MultiProcessingDataLoaderIter

from datamodules.clips.loader import EpochLoader
from datamodules.clips.workers.desk import Desk, WorkerDied, deaths_named


class Reading(Dataset):
    """Ten recordings; one kills its worker or hangs."""

    def __init__(self, *, how, workers=2):
        self.how, self.desk = how, Desk(workers, lambda row: f"recording 'r{row}' (r{row}.mp4)")

    def __len__(self):
        return 10

    def __getitem__(self, row):
        with self.desk.reading(row):
            if row == 7 and self.how == "dies":
                os.kill(os.getpid(), signal.SIGKILL)
            if row == 7 and self.how == "hangs":
                time.sleep(60)
            return torch.tensor(row)


@pytest.fixture(autouse=True)
def _often(monkeypatch):
    """The loader of torch looks every 5 seconds whether its workers live."""
    monkeypatch.setattr(_MultiProcessingDataLoaderIter._try_get_data, "__defaults__", (0.2,))


def loader(how, *, limit=None):
    made = EpochLoader(Reading(how=how), batch_size=1, num_workers=2)
    made.timeout_of_clip = limit
    return made


def test_without_a_fault_all_is_read():
    assert [int(one) for one in loader("reads", limit=30.0)] == list(range(10))


def test_a_worker_that_is_killed_is_told_with_its_recording_and_what_to_do():
    with pytest.raises(WorkerDied, match=re.escape("ended while it read recording 'r7' (r7.mp4)")) as told:
        list(loader("dies"))
    assert "use fewer workers" in str(told.value)


def test_a_worker_that_hangs_is_ended_after_the_limit_and_its_file_named():
    begun = time.monotonic()
    with pytest.raises(
        WorkerDied, match=r"without an end and was stopped: recording 'r7' \(r7.mp4\)"
    ) as told:
        list(loader("hangs", limit=1.0))
    assert "data.module.timeout=" in str(told.value)
    assert time.monotonic() - begun < 30


def test_other_errors_and_unknown_processes_pass():
    with pytest.raises(RuntimeError, match="out of memory"), deaths_named():
        raise RuntimeError("out of memory")
    with pytest.raises(WorkerDied, match=r"pid 1[)] is killed.*use fewer workers"), deaths_named():
        raise RuntimeError("DataLoader worker (pid 1) is killed by signal: Killed")
