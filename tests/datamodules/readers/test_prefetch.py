import threading
import time

import pytest

from datamodules.readers import Prefetch


def test_batches_keep_their_order_and_number():
    wrapped = Prefetch(range(20), lambda batch: batch * batch)
    assert list(wrapped) == [number**2 for number in range(20)]
    assert list(wrapped) == [number**2 for number in range(20)]  # a second epoch
    assert len(wrapped) == 20


def test_the_work_happens_beside_the_consumer():
    def slowly(batch):
        time.sleep(0.05)
        return batch, threading.current_thread().name

    start = time.perf_counter()
    names = set()
    for _, name in Prefetch(range(8), slowly):
        names.add(name)
        time.sleep(0.05)
    assert names == {"prefetch"}
    assert time.perf_counter() - start < 0.75  # 0.45 s; one after the other it would be 0.8 s


def test_an_error_reaches_the_consumer():
    wrapped = Prefetch([1, 0, 2], lambda batch: 6 // batch)
    received = []
    with pytest.raises(ZeroDivisionError):
        received.extend(wrapped)
    iterator = iter(Prefetch([3], lambda batch: 6 // batch))
    assert next(iterator) == 2


def test_leaving_early_ends_the_thread_and_bounds_the_work():
    done = []
    for batch in Prefetch(iter(range(1000)), lambda batch: done.append(batch) or batch, depth=2):
        if batch == 3:
            break
    time.sleep(0.15)
    assert not [thread for thread in threading.enumerate() if thread.name == "prefetch"]
    assert len(done) <= 8


def test_samplers_of_the_loader_stay_reachable():
    class Loader(list):
        batch_sampler = "sampler"

    assert Prefetch(Loader(), list).batch_sampler == "sampler"
    with pytest.raises(AttributeError):
        _ = Prefetch([], list).nothing
    with pytest.raises(ValueError, match="depth must be positive"):
        Prefetch([], list, depth=0)
