import pickle

import numpy as np
import pyarrow as pa

from datamodules.manifests.index.shared_columns import SharedColumns


def columns(count):
    return {
        "name": pa.array([f"r{row}" for row in range(count)], pa.large_string()),
        "value": np.arange(count) / 2,
        "known": np.arange(count) % 2 == 0,
    }


def test_small_and_large_columns_arrive_as_they_were():
    for count in (3, 50_000):
        made = columns(count)
        shared = SharedColumns(made)
        found = pickle.loads(pickle.dumps(shared))
        assert list(found) == list(made)
        assert found["name"].equals(made["name"])
        assert np.array_equal(found["value"], made["value"])
        assert np.array_equal(found["known"], made["known"])


def test_large_columns_travel_as_a_file_that_ends_with_them(tmp_path, monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    shared = SharedColumns(columns(50_000))
    assert [len(pickle.dumps(shared)) < 500 for _ in range(2)] == [True, True]
    assert len(list(tmp_path.iterdir())) == 1  # written once, however often it is sent
    found = pickle.loads(pickle.dumps(shared))
    del shared
    assert list(tmp_path.iterdir()) == []
    assert found["name"][49_999].as_py() == "r49999"  # what is mapped stays
