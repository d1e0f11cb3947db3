"""Of several processes, one works on a recording at a time, and a dead one holds nothing."""

import subprocess
import sys
import threading
import time

import pytest

from preprocessing.cache.claim import claim

pytest.importorskip("fcntl")

_HOLDER = """
import fcntl, os, sys, time
handle = os.open(sys.argv[1], os.O_RDWR | os.O_CREAT)
fcntl.flock(handle, fcntl.LOCK_EX)
print("held", flush=True)
time.sleep(100)
"""


def test_a_claim_is_held_by_one_process_and_ends_with_it(tmp_path):
    path = tmp_path / "claims" / "a.lock"
    path.parent.mkdir()
    other = subprocess.Popen([sys.executable, "-c", _HOLDER, str(path)], stdout=subprocess.PIPE, text=True)
    try:
        assert other.stdout.readline() == "held\n"
        with claim(path) as mine:
            assert not mine
        assert path.exists()
    finally:
        other.kill()
        other.wait()
    with claim(path) as mine:
        assert mine
    assert not path.exists()


def test_never_do_two_hold_it_although_its_file_comes_and_goes(tmp_path):
    holders, most, held = [], [0], [0]

    def compete():
        for _ in range(200):
            with claim(tmp_path / "a.lock") as mine:
                if mine:
                    holders.append(1)
                    most[0] = max(most[0], len(holders))
                    held[0] += 1
                    time.sleep(0.0005)
                    holders.pop()

    threads = [threading.Thread(target=compete) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert most == [1]
    assert held[0] > 50


def test_a_claim_is_given_back_where_the_work_fails(tmp_path):
    def fail():
        with claim(tmp_path / "a.lock") as mine:
            assert mine
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    with claim(tmp_path / "a.lock") as mine:
        assert mine
