"""Units of work in processes: stage by stage, one thread each, ended with the command."""

import os
import time

import pytest
import torch

from engine.training.pool import in_pool


def _about(unit):
    return unit, os.getpid(), torch.get_num_threads(), time.monotonic()


def _failing(unit):
    if unit == "bad":
        raise ValueError("this unit is bad")
    time.sleep(60)


def test_stages_follow_each_other_in_processes_of_one_thread():
    found = list(in_pool(_about, [["a", "b"], ["c"]], workers=2))
    assert {unit for unit, *_ in found[:2]} == {"a", "b"}
    assert found[2][0] == "c"
    assert os.getpid() not in {process for _, process, *_ in found}
    assert {threads for *_, threads, _ in found} == {1}
    assert found[2][3] > max(at for *_, at in found[:2])


def test_with_one_worker_the_work_is_done_here():
    assert [process for _, process, *_ in in_pool(_about, [["a"], ["b"]], workers=1)] == [os.getpid()] * 2


def test_a_fault_ends_the_others_at_once():
    begun = time.monotonic()
    with pytest.raises(ValueError, match="this unit is bad"):
        list(in_pool(_failing, [["slow", "bad"]], workers=2))
    assert time.monotonic() - begun < 55
