"""The tensors of a file of weights: nothing in the file is run, and its digest is known before it is read."""

import hashlib
import re
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor

from models.weights.record import WeightsError

SUFFIXES = (".safetensors", ".pt", ".pth", ".bin")
"""Endings of files that can be read without running what is in them."""

# as torch.hub names its files: the digest begins so
_IN_NAME = re.compile(r"-([0-9a-f]{8,64})\.(pth?|bin|safetensors)$")
_INSIDE = ("state_dict", "model", "module", "ema_encoder", "target_encoder", "encoder")


def read_tensors(path: Path) -> dict[str, Tensor]:
    """The tensors of a file by name, on the CPU.

    A `.safetensors` holds tensors alone. The others are pickles, read with `weights_only=True`; of several
    dicts of tensors in one, that of the network is taken: `state_dict`, `model`, `module`, then the encoders
    that were averaged over training (`ema_encoder`, `target_encoder`). A leading `module.`, which DDP puts
    before every name, is taken off.

    Raises:
        WeightsError: The file is empty or damaged, holds no tensors, two networks, or something that
            needs code to be read.
    """
    if not path.stat().st_size:
        raise WeightsError(f"{path.name}: is empty, as a download that was cut leaves it. Get it again")
    try:
        if path.suffix == ".safetensors":
            content: Any = load_file(path)
        else:
            _check_sums(path)
            content = torch.load(path, map_location="cpu", weights_only=True)
    except SafetensorError as error:
        raise WeightsError(f"{path.name}: is damaged, or no safetensors ({error}). Get it again") from error
    except Exception as error:  # whatever unpickling stumbles over
        why = str(error).partition("\n")[0][:120] or type(error).__name__
        raise WeightsError(
            f"{path.name}: cannot be read as plain tensors ({why}). It is "
            "damaged, or needs code to be opened, which is never run. Where you trust it, open it yourself "
            "and write its tensors with safetensors.torch.save_file"
        ) from error
    tensors = _tensors(content)
    if tensors is None:
        raise WeightsError(f"{path.name}: holds no tensors by name, and none below {', '.join(_INSIDE)}")
    plain = {name.removeprefix("module."): tensor for name, tensor in tensors.items()}
    if twice := sorted(name for name in plain if name in tensors and f"module.{name}" in tensors):
        raise WeightsError(
            f"{path.name}: holds two networks: {twice[0]} with and without a leading 'module.'. Save the one "
            "that you mean"
        )
    return plain


def _check_sums(path: Path) -> None:
    """Hold the parts of a zip archive, as torch writes them, against their checksums, which torch does not.

    Raises:
        BadZipFile: One is wrong.
    """
    if zipfile.is_zipfile(path):  # before torch 1.6 it was a pickle alone
        with zipfile.ZipFile(path) as archive:
            if wrong := archive.testzip():
                raise zipfile.BadZipFile(f"the checksum of {wrong} is wrong")


def sha256_of(path: Path) -> str:
    """SHA-256 of a file, in hexadecimal digits."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def checked_digest(path: Path, expected: str | None) -> str:
    """SHA-256 of a file, held against what it should be.

    Args:
        path: The file. One that torch names, `resnet18-f37072fd.pth`, says itself how its digest begins.
        expected: The digest or its beginning, at least 8 digits; None where nobody knows more than the name.

    Raises:
        WeightsError: It has another one, or what is expected is no digest.
    """
    if expected is not None and not re.fullmatch(r"[0-9a-f]{8,64}", expected.lower()):
        raise WeightsError(f"weights_sha256={expected!r}: give 8 to 64 hexadecimal digits, as sha256sum does")
    found, named = sha256_of(path), _IN_NAME.search(path.name)
    for known in (expected, named[1] if named else None):
        if known is not None and not found.startswith(known.lower()):
            raise WeightsError(
                f"{path.name}: its SHA-256 is {found}, and it should begin with {known}: the file is "
                "damaged, cut, or another one. Get it again"
            )
    return found


def _tensors(content: Any) -> Mapping[str, Tensor] | None:
    """The dict of tensors in what a file holds, or one level below."""
    if not isinstance(content, Mapping):
        return None
    below = [content.get(name) for name in _INSIDE]
    for one in (content, *below):
        if isinstance(one, Mapping) and one and all(isinstance(value, Tensor) for value in one.values()):
            return one
    return None
