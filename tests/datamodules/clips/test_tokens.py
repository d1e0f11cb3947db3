"""Files of a store: what `encode.py` wrote is read, and what became of it otherwise is refused by name."""

import os
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from datamodules.clips.tokens import BFLOAT16, TokenClips, as_stored, as_tensor, is_valid
from datamodules.series import UnreadableSeries

SHAPE = (4, 3, 5)  # windows, tokens, width


def made(kind=np.float16):
    """Tokens of which one is unreal."""
    values = torch.from_numpy(np.random.default_rng(0).normal(size=SHAPE).astype(np.float32))
    values[1, 2] = torch.nan
    return as_stored(values.bfloat16()) if kind == BFLOAT16 else values.numpy().astype(kind)


@pytest.fixture
def stored(tmp_path):
    """A recording whose file holds these tokens, and the file."""

    def write(tokens):
        np.save(tmp_path / "r.npy", tokens)
        return SimpleNamespace(recording_id="r", tokens_path=tmp_path / "r.npy"), tmp_path / "r.npy"

    return write


def read(recording):
    """All that a training reads of a recording."""
    source = TokenClips()
    source.measured(recording)
    return [source.clip(recording, [window]) for window in range(source.length(recording))]


@pytest.mark.parametrize("kind", [np.float32, np.float16, BFLOAT16])
def test_what_was_stored_is_read_with_its_unreal_token(stored, kind):
    tokens = made(kind)
    recording, _ = stored(tokens)
    for clip, window in zip(read(recording), tokens, strict=True):
        wanted = as_tensor(window.copy()).float()
        torch.testing.assert_close(clip["tokens"].float(), wanted, equal_nan=True)
        assert clip["valid"].tolist() == (~wanted.isnan().any(dim=1)).tolist()
    assert TokenClips().measured(recording).valid.all()


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -float("inf")])
@pytest.mark.parametrize("column", [0, 4])
@pytest.mark.parametrize("kind", [np.float32, np.float16, BFLOAT16])
def test_a_token_that_is_unreal_in_part_is_damage(stored, kind, column, value):
    tokens = made(kind)
    tokens[2, 1, column] = as_stored(torch.tensor([value]).bfloat16())[0] if kind == BFLOAT16 else value
    recording, file = stored(tokens)
    for ask in (TokenClips().measured, lambda one: TokenClips().clip(one, [2])):
        with pytest.raises(UnreadableSeries, match=rf"{file}: is damaged, in window 2 1 token.*Delete this"):
            ask(recording)


def test_all_values_of_an_unreal_token_are_nan_and_not_infinite():
    assert is_valid(made()).sum() == 11
    with pytest.raises(ValueError, match="1 token"):
        is_valid(np.full((1, 5), np.inf, np.float16))


BAD = {
    "Fortran order": (np.asfortranarray(made()), "Fortran order"),
    "two dimensions": (made()[0], r"no tokens \(windows, N, D\)"),
    "integers": (np.ones(SHAPE, np.int16), "holds int16"),
    "another byte order": (made().astype(">f2"), "holds >f2"),
    "empty": (made()[:0], "no tokens"),
}


@pytest.mark.parametrize("case", BAD)
def test_an_array_that_encode_never_writes_is_refused(stored, case):
    tokens, said = BAD[case]
    with pytest.raises(UnreadableSeries, match=rf"r\.npy: .*{said}.*Delete this file"):
        read(stored(tokens)[0])


@pytest.mark.parametrize("change", [lambda data: data + b"\0\0", lambda data: data[:-2], lambda data: b""])
def test_a_file_with_more_or_less_than_its_header_says_is_refused(stored, change):
    recording, file = stored(made())
    file.write_bytes(change(file.read_bytes()))
    with pytest.raises(UnreadableSeries, match=r"r\.npy: .*Delete this file"):
        read(recording)


def test_no_flipped_bit_of_a_header_ends_in_another_error(stored):
    recording, file = stored(made())
    data = file.read_bytes()
    ended = {"read": 0, "refused": 0}
    for place in range(data.index(b"}") + 1):  # blanks follow
        for bit in range(8):
            file.write_bytes(data[:place] + bytes([data[place] ^ 1 << bit]) + data[place + 1 :])
            os.utime(file, ns=(place, place * 8 + bit))
            try:
                read(recording)
                ended["read"] += 1
            except UnreadableSeries:
                ended["refused"] += 1
    assert ended["refused"] > 5 * ended["read"] > 0  # one blank may be another, and float16 bfloat16


def test_a_file_that_was_replaced_is_not_the_one_that_was_mapped(stored):
    recording, _ = stored(made())
    read(recording)
    other = made()
    other[0, 0] = 7
    file = recording.tokens_path
    file.unlink()
    with pytest.raises(UnreadableSeries, match=r"r\.npy: cannot be read \(No such file"):
        read(recording)
    np.save(file, other)
    os.utime(file, ns=(1, 1))
    assert read(recording)[0]["tokens"][0].tolist() == [7.0] * 5
