"""A file is looked at before torch reads it."""

import collections
import pickle
import resource
import zipfile

import pytest
import torch

from engine.checkpoints.archive import BadArchive, read_archive

HUGE = 60 * 10**9  # numbers, 240 GB


class Calls:
    """Asks the unpickler for a call."""

    def __init__(self, function, *arguments):
        self.call = function, arguments

    def __reduce__(self):
        return self.call


def _claims(size, stride):
    storage = torch.zeros(1)._typed_storage()
    arguments = (storage, 0, size, stride, False, collections.OrderedDict())
    return Calls(torch._utils._rebuild_tensor_v2, *arguments)


def test_plain_weights_are_read(tmp_path):
    content = {"state_dict": {"a": torch.arange(6.0).view(2, 3)}, "epoch": 3, "done": {1, 2}}
    torch.save(content, tmp_path / "a.ckpt")
    found, size = read_archive(tmp_path / "a.ckpt")
    assert torch.equal(found["state_dict"]["a"], content["state_dict"]["a"])
    assert (found["epoch"], found["done"]) == (3, {1, 2})
    assert 0 < size < (tmp_path / "a.ckpt").stat().st_size


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ({"a": _claims((HUGE,), (1,))}, "claim"),
        ({"a": torch.zeros(1).expand(HUGE)}, "claim"),
        ({"deep": [{"a": (torch.zeros(1).expand(HUGE),)}]}, "claim"),
        ({"a": Calls(bytearray, HUGE)}, "holds code"),
        (
            {
                "a": torch.sparse_coo_tensor(
                    torch.tensor([[0]]), torch.ones(1), (HUGE,), check_invariants=True
                )
            },
            "holds code",
        ),
        ({"a": Calls(print, "x")}, "holds code"),
        ({"a": Calls(torch.load, "x")}, "holds code"),
    ],
    ids=["size", "stride", "deep", "bytearray", "sparse", "print", "load"],
)
def test_what_would_grow_or_call_is_refused_before_memory_is_taken(content, said, tmp_path):
    torch.save(content, tmp_path / "a.ckpt")
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with pytest.raises(BadArchive, match=said):
        read_archive(tmp_path / "a.ckpt")
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 200_000  # kB


def test_a_packed_archive_is_refused(tmp_path):
    torch.save({"a": torch.zeros(10**6)}, tmp_path / "a.ckpt")
    with (
        zipfile.ZipFile(tmp_path / "a.ckpt") as plain,
        zipfile.ZipFile(tmp_path / "b.ckpt", "w", zipfile.ZIP_DEFLATED) as packed,
    ):
        for name in plain.namelist():
            packed.writestr(name, plain.read(name))
    assert (tmp_path / "b.ckpt").stat().st_size < 10**5
    with pytest.raises(BadArchive, match="packed"):
        read_archive(tmp_path / "b.ckpt")


def test_other_files_are_refused(tmp_path):
    torch.save({"a": torch.zeros(3)}, tmp_path / "old.ckpt", _use_new_zipfile_serialization=False)
    (tmp_path / "pickle.ckpt").write_bytes(pickle.dumps({"a": 1}))
    (tmp_path / "empty.ckpt").write_bytes(b"")
    with zipfile.ZipFile(tmp_path / "other.ckpt", "w") as other:
        other.writestr("x/readme.txt", "text")
    for name in ("old", "pickle", "empty", "other"):
        with pytest.raises(BadArchive):
            read_archive(tmp_path / f"{name}.ckpt")
