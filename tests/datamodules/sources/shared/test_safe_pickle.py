import os
import pickle
from pathlib import Path

import numpy as np
import pytest

from datamodules.sources.shared.draft import SourceError
from datamodules.sources.shared.safe_pickle import read_pickle

# What Python 2 with NumPy 1 writes for {"a": numpy.float64(0.25)}: by hand, opcode by opcode.
PYTHON_2 = (
    b"\x80\x02}U\x01acnumpy.core.multiarray\nscalar\ncnumpy\ndtype\nU\x02f8K\x00K\x01\x87R"
    b"(K\x03U\x01<NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00tb"
    b"U\x08\x00\x00\x00\x00\x00\x00\xd0?\x86Rs."
)


class Malicious:
    """Makes a file as soon as somebody unpickles it."""

    def __init__(self, target: Path) -> None:
        self.target = target

    def __reduce__(self):
        return os.mkdir, (str(self.target),)


def stored(tmp_path, content):
    path = tmp_path / "a.pkl"
    path.write_bytes(content)
    return path


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_plain_data_is_read_whatever_the_protocol(tmp_path, protocol):
    data = {"a": {"b": 0.5, "c": 1}, "d": ["x", None, True]}
    assert read_pickle(stored(tmp_path, pickle.dumps(data, protocol=protocol))) == data


def test_scalars_of_numpy_become_numbers(tmp_path):
    assert read_pickle(stored(tmp_path, PYTHON_2)) == {"a": 0.25}
    for number in (np.float64(0.1), np.float32(0.5), np.int64(-3), np.array(0.1, dtype=">f8")[()]):
        assert read_pickle(stored(tmp_path, pickle.dumps(number, protocol=4))) == number


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_a_malicious_pickle_is_refused_by_name_and_not_run(tmp_path, protocol):
    target = tmp_path / "proof"
    content = pickle.dumps({"openness": Malicious(target)}, protocol=protocol)
    with pytest.raises(SourceError, match=rf"a\.pkl: .*it asks for {os.mkdir.__module__}\.mkdir"):
        read_pickle(stored(tmp_path, content))
    assert not target.exists()
    pickle.loads(content)  # the proof that it was dangerous
    assert target.is_dir()


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"cbuiltins\neval\n(S'1'\ntR.", r"builtins\.eval"),
        (b"c__builtin__\neval\n(S'1'\ntR.", r"__builtin__\.eval"),
        (b"\x80\x04\x8c\x05numpy\x8c\x0adtype.name\x93.", r"numpy\.dtype\.name"),
        (b"cnumpy\ndtype\n(S'O'\ntR.", "numbers of type 'O'"),
        (b"cnumpy.core.multiarray\nscalar\n(S'O'\nS'12345678'\ntR.", "a number of type 'O'"),
        (pickle.dumps(np.zeros(2)), "_reconstruct"),
        (b"", "Ran out of input"),
        (b"openness,0.5\n", "download it again"),
        (pickle.dumps({"a": 0.5})[:-4], "download it again"),
    ],
)
def test_all_else_is_refused(tmp_path, content, message):
    with pytest.raises(SourceError, match=message):
        read_pickle(stored(tmp_path, content))


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(SourceError, match=r"b\.pkl: no such label file"):
        read_pickle(tmp_path / "b.pkl")
