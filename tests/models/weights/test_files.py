"""Files of weights: tensors come out, code does not run, and a flipped byte is noticed."""

import hashlib
import pickle

import pytest
import torch
from safetensors.torch import save_file

from models.weights.files import SUFFIXES, checked_digest, read_tensors, sha256_of
from models.weights.record import WeightsError

TENSORS = {"a.weight": torch.arange(6.0).view(2, 3), "a.bias": torch.ones(2)}


def same(found, expected):
    return found.keys() == expected.keys() and all(torch.equal(found[n], expected[n]) for n in expected)


@pytest.mark.parametrize("suffix", [".pt", ".pth", ".bin", ".safetensors"])
def test_tensors_come_back_from_every_kind_of_file(suffix, tmp_path):
    path = tmp_path / f"weights{suffix}"
    save_file(TENSORS, path) if suffix == ".safetensors" else torch.save(TENSORS, path)
    assert same(read_tensors(path), TENSORS)


@pytest.mark.parametrize("key", ["state_dict", "model", "module", "ema_encoder"])
def test_the_network_is_found_inside_a_training_state(key, tmp_path):
    path = tmp_path / "last.pth"
    wrapped = {f"module.{name}": value for name, value in TENSORS.items()}
    torch.save({"epoch": 3, "optimizer": {"lr": 0.1}, "lr": 1.0, key: wrapped}, path)
    assert same(read_tensors(path), TENSORS)


def test_the_averaged_encoder_comes_before_the_trained_one(tmp_path):
    other = {name: value + 1 for name, value in TENSORS.items()}
    torch.save({"encoder": other, "target_encoder": TENSORS}, tmp_path / "jepa.pt")
    assert same(read_tensors(tmp_path / "jepa.pt"), TENSORS)


class Evil:
    """What a pickle calls when it is opened."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return (open, (str(self.path), "w"))


@pytest.mark.parametrize(
    "write", [torch.save, lambda one, path: path.write_bytes(pickle.dumps(one, protocol=2))]
)
def test_a_file_that_needs_code_is_refused_and_nothing_of_it_runs(write, tmp_path):
    path = tmp_path / "evil.pth"
    write({"a.weight": torch.ones(2), "hook": Evil(tmp_path / "ran")}, path)
    with pytest.raises(WeightsError, match=r"evil\.pth: cannot be read as plain tensors.*never run"):
        read_tensors(path)
    assert not (tmp_path / "ran").exists()


def test_a_cut_file_and_one_without_tensors_are_refused(tmp_path):
    save_file(TENSORS, tmp_path / "cut.safetensors")
    content = (tmp_path / "cut.safetensors").read_bytes()
    (tmp_path / "cut.safetensors").write_bytes(content[:-5])
    with pytest.raises(WeightsError, match=r"cut\.safetensors: is damaged"):
        read_tensors(tmp_path / "cut.safetensors")
    torch.save({"epoch": 3, "lr": 0.1}, tmp_path / "none.pt")
    with pytest.raises(WeightsError, match="holds no tensors by name"):
        read_tensors(tmp_path / "none.pt")


@pytest.mark.parametrize("suffix", SUFFIXES)
@pytest.mark.parametrize("share", [0.0, 0.01, 0.5, 0.95])
def test_a_file_that_ends_too_early_is_told_by_name(suffix, share, tmp_path):
    path = tmp_path / f"w{suffix}"
    save_file(TENSORS, path) if suffix == ".safetensors" else torch.save(TENSORS, path)
    content = path.read_bytes()
    path.write_bytes(content[: int(share * len(content))])
    with pytest.raises(WeightsError, match=rf"w{suffix}: .*(Get it again|It is damaged)"):
        read_tensors(path)


def test_an_error_without_words_is_named_by_its_kind(tmp_path):
    (tmp_path / "w.pth").write_bytes(b"(")  # a pickle that ends at once: EOFError without a text
    with pytest.raises(WeightsError, match=r"w\.pth: cannot be read as plain tensors \(.+\)"):
        read_tensors(tmp_path / "w.pth")


def test_the_digest_is_that_of_hashlib_and_a_flipped_byte_is_caught(tmp_path):
    path = tmp_path / "w.safetensors"
    save_file(TENSORS, path)
    content = bytearray(path.read_bytes())
    digest = hashlib.sha256(content).hexdigest()
    assert (
        checked_digest(path, digest) == checked_digest(path, digest[:8].upper()) == sha256_of(path) == digest
    )
    content[-1] ^= 1
    path.write_bytes(content)
    assert read_tensors(path)  # the file alone cannot tell
    with pytest.raises(WeightsError, match=f"should begin with {digest}"):
        checked_digest(path, digest)
    with pytest.raises(WeightsError, match="give 8 to 64 hexadecimal digits"):
        checked_digest(path, "abc")


@pytest.mark.parametrize("name", list(TENSORS))
def test_a_flipped_byte_in_a_file_of_torch_is_noticed_without_a_digest(name, tmp_path):
    path = tmp_path / "w.pth"
    torch.save(TENSORS, path)
    content = bytearray(path.read_bytes())
    content[content.index(TENSORS[name].numpy().tobytes())] ^= 1
    path.write_bytes(content)
    with pytest.raises(WeightsError, match=r"w\.pth: .*the checksum of w/data/\d is wrong.*It is damaged"):
        read_tensors(path)


def test_a_name_as_torch_gives_it_says_how_the_digest_begins(tmp_path):
    torch.save(TENSORS, tmp_path / "w.pth")
    digest = sha256_of(tmp_path / "w.pth")
    named = (tmp_path / "w.pth").rename(tmp_path / f"net-{digest[:8]}.pth")
    assert checked_digest(named, None) == digest
    wrong = named.rename(tmp_path / "net-00000000.pth")
    with pytest.raises(WeightsError, match="should begin with 00000000"):
        checked_digest(wrong, None)


def test_a_file_of_two_networks_is_refused(tmp_path):
    torch.save({"a": torch.ones(2), "module.a": torch.zeros(2)}, tmp_path / "two.pth")
    with pytest.raises(WeightsError, match=r"two\.pth: holds two networks: a with and without"):
        read_tensors(tmp_path / "two.pth")
