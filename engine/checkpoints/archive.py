"""Safe reading of a checkpoint file: its archive is inspected before torch loads it.

Only plain tensors and containers are accepted, and never more memory than the file takes.
"""

import pickletools
import re
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

import torch
from torch import Tensor

_PICKLE = "data.pkl"
_KNOWN = re.compile(
    r"collections (OrderedDict|defaultdict|Counter)|_codecs encode|(builtins|__builtin__) (set|complex)"
    r"|torch\._utils _rebuild_(tensor_v2|parameter)|torch (Size|device)|torch\.storage UntypedStorage"
    r"|torch [A-Z]\w*Storage|torch (b?float|u?int|complex)\d+|torch bool"
)
_CALLS = ("GLOBAL", "STACK_GLOBAL", "INST", "OBJ", "NEWOBJ", "NEWOBJ_EX", "EXT1", "EXT2", "EXT4")
_SPARE = 4096  # bytes; a directory may list an empty file or two


class BadArchive(ValueError):
    """A file that is no archive of plain tensors, or that would grow when it is read."""


def read_archive(path: Path) -> tuple[Any, int]:
    """Load a checkpoint on the CPU; return it and the size of its pickle, a bound on how many values it has.

    Raises:
        BadArchive: The file is no archive of torch, unpacks to more than its size, names anything but plain
            tensors and containers, or holds tensors larger than itself.
    """
    size = path.stat().st_size
    plain = check_archive(path, size)
    try:
        # on `meta` nothing is allocated: how much the tensors claim is known before memory is asked for
        sketch = torch.load(path, map_location="meta", weights_only=True, mmap=True)
        claimed = sum(tensor.numel() * tensor.element_size() for tensor in _tensors(sketch, plain))
        if claimed > size:
            raise BadArchive(f"its tensors claim {claimed} bytes, and the file has {size}")
        return torch.load(path, map_location="cpu", weights_only=True), plain
    except BadArchive:
        raise
    except Exception as error:  # bytes that are no pickle make the unpickler stumble in any way there is
        raise BadArchive(f"it cannot be read as plain weights ({type(error).__name__})") from error


def check_archive(file: Path | IO[bytes], size: int) -> int:
    """Refuse an archive of torch that calls anything when it is loaded; return the size of its pickle.

    Args:
        file: It is not loaded.
        size: Its bytes.

    Raises:
        BadArchive: See `read_archive`.
    """
    return _check_pickle(_pickle(file, size))


def _pickle(file: Path | IO[bytes], size: int) -> bytes:
    try:
        with zipfile.ZipFile(file) as archive:
            entries = archive.infolist()
            # what is stored as it is cannot grow: a packed entry of a few kB could unpack to gigabytes
            if any(entry.compress_type != zipfile.ZIP_STORED for entry in entries):
                raise BadArchive("it is packed, and torch packs nothing")
            if sum(entry.file_size for entry in entries) > size + _SPARE:
                raise BadArchive("it unpacks to more than its size")
            names = [entry.filename for entry in entries if entry.filename.endswith(f"/{_PICKLE}")]
            if len(names) != 1:
                raise BadArchive(f"it holds {len(names)} files {_PICKLE}, not one")
            return archive.read(names[0])
    except (zipfile.BadZipFile, OSError, EOFError, NotImplementedError, RuntimeError, ValueError) as error:
        if isinstance(error, BadArchive):
            raise
        raise BadArchive(f"it is no archive that torch writes ({type(error).__name__})") from error


def _check_pickle(content: bytes) -> int:
    """Refuse a pickle that calls anything but what plain tensors and containers need; return its size."""
    try:
        for code, argument, _ in pickletools.genops(content):
            known = code.name == "GLOBAL" and _KNOWN.fullmatch(str(argument))
            if code.name in _CALLS and not known:
                raise BadArchive(f"it holds code ({str(argument or code.name)[:80]})")
    except BadArchive:
        raise
    except Exception as error:  # as above
        raise BadArchive(f"its pickle is damaged ({type(error).__name__})") from error
    return len(content)


def _tensors(node: Any, most: int) -> Iterator[Tensor]:
    """Every tensor of a tree of containers that has at most so many values, each met once."""
    seen: set[int] = set()
    queue = [node]
    while queue:
        found = queue.pop()
        if id(found) in seen:
            continue
        if isinstance(found, Tensor):
            seen.add(id(found))
            yield found
        elif isinstance(found, dict | list | tuple | set):
            seen.add(id(found))
            queue.extend(found.values() if isinstance(found, dict) else found)
        # a pickle may repeat one list in many places, which costs it a byte each time and us a walk
        if len(queue) > most:
            raise BadArchive("it holds more values than its pickle has bytes")
