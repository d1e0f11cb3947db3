"""A database that several processes open at once for the first time, and addresses of none."""

import multiprocessing

import pytest

from engine.config.compose import ConfigError
from engine.sweeping.storage import open_study

TOGETHER = 6


def _open(url, together, opened):
    together.wait()
    open_study(url, name="one", directions=["maximize"], heartbeat=5)
    opened.put(True)


def test_the_first_workers_may_open_a_new_database_at_the_same_time(tmp_path):
    start = multiprocessing.get_context("fork")
    together, opened = start.Barrier(TOGETHER), start.Queue()
    url = f"sqlite:///{tmp_path / 'study.db'}"
    ranks = [start.Process(target=_open, args=(url, together, opened)) for _ in range(TOGETHER)]
    for one in ranks:
        one.start()
    for one in ranks:
        one.join(60)
    assert [one.exitcode for one in ranks] == [0] * TOGETHER


@pytest.mark.parametrize("url", ["study.db", "nosuch://me:secret@host/sweeps"])
def test_no_address_of_a_database_is_named_without_its_password(url):
    with pytest.raises(ConfigError, match="no address of a database") as raised:
        open_study(url, name="one", directions=["maximize"], heartbeat=5)
    assert "secret" not in str(raised.value)
