"""Safe reading of downloaded pickles: plain data only, without running what a pickle asks for.

A pickle is a program: it may name any function and call it. Tables of numbers need no function but the two by
which NumPy's scalars are stored, and for these stand replacements that can only make a number.
"""

import pickle
from pathlib import Path
from typing import Any

import numpy as np

from datamodules.sources.shared.draft import SourceError

_NUMBERS = ("f4", "f8", "i4", "i8")


class _NumberType:
    """Stands for `numpy.dtype`: the code of a number and its byte order."""

    def __init__(self, code: str, *_: object) -> None:
        if code not in _NUMBERS:
            raise pickle.UnpicklingError(f"numbers of type {code!r}, known are {', '.join(_NUMBERS)}")
        self.code = code

    def __setstate__(self, state: tuple[Any, ...]) -> None:
        self.code = f"{'>' if state[1] == '>' else '<'}{self.code[-2:]}"


def _scalar(kind: object, data: bytes | str) -> float:
    if not isinstance(kind, _NumberType):
        raise pickle.UnpicklingError(f"a number of type {kind!r}")
    content = data.encode("latin1") if isinstance(data, str) else data  # text is what Python 2 wrote
    return float(np.frombuffer(content, dtype=kind.code, count=1)[0])


_ALLOWED = {
    ("numpy", "dtype"): _NumberType,
    ("numpy.core.multiarray", "scalar"): _scalar,
    ("numpy._core.multiarray", "scalar"): _scalar,
}


class _PlainUnpickler(pickle.Unpickler):
    """Dicts, lists, text and numbers; any other name in the file ends the reading before it is looked up."""

    def find_class(self, module_name: str, global_name: str, /) -> Any:
        if (module_name, global_name) not in _ALLOWED:
            raise pickle.UnpicklingError(f"it asks for {module_name}.{global_name}, which tables do not need")
        return _ALLOWED[module_name, global_name]


def read_pickle(path: Path) -> Any:
    """Plain data of a pickle of Python 2 or 3; NumPy scalars become floats.

    Raises:
        SourceError: No such file, a damaged one, or one that asks for anything but plain data; nothing that
            it asks for is run.
    """
    if not path.is_file():
        raise SourceError(f"{path}: no such label file; unpack it there, or correct root")
    with path.open("rb") as stream:
        try:
            return _PlainUnpickler(stream, encoding="latin1").load()
        except Exception as fault:  # a damaged pickle can raise anything, and all of it means the same
            raise SourceError(f"{path}: not a pickle of plain data ({fault}); download it again") from fault
