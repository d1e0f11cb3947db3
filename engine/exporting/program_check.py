"""A saved program (`.pt2`) is looked at before torch loads it, as to load one can run code that lies in it.

`torch.export.load` of torch 2.14 opens weights and constants marked so, and examples of inputs, with pickle;
reads sizes with an `eval` of sympy; looks operators up by any name below `torch`; and runs guards as Python.
Here only what our own exports hold is let through: operators of ATen, sums of sizes, plain tensors.
"""

import io
import json
import re
import zipfile
from collections.abc import Iterator, Mapping
from typing import Any

from engine.checkpoints.archive import BadArchive, check_archive
from engine.exporting.bundle import ExportError

_OPERATOR = re.compile(
    r"torch\.ops\.aten\.(?!from_file\b)\w+\.\w+"  # from_file maps, and may write, any file
    r"|_operator\.(add|sub|mul|floordiv|truediv|mod|pow|neg|eq|ne|lt|le|gt|ge|getitem)"
    r"|torch\.sym_(int|float|max|min|not|ite)"
)
_SIZE = re.compile(  # as sympy writes its expressions
    r"(?:Symbol\('[su]\d{1,4}'(?:, (?:integer|positive|nonnegative)=True)*\)|Integer\(-?\d{1,18}\)"
    r"|(?:Add|Mul|Pow|Max|Min|Mod|PythonMod|FloorDiv|CeilDiv)\(|, |\))*"
)
_SYMBOL = re.compile(r"[su]\d{1,4}")
_MEMBERS = re.compile(  # of torch 2.14
    r"\w+/(?:models/model\.json|data/(?:weights/(?:model_weights_config\.json|weight_\d+)"
    r"|constants/(?:model_constants_config\.json|tensor_\d+)|sample_inputs/model\.pt)"
    r"|archive_format|archive_version|byteorder|version|\.data/(?:serialization_id|version)|\.format_version)"
)
_SPECS = (None, "builtins.tuple", "builtins.list", "builtins.dict")
_DEEPEST = 200  # levels of its description, which has a dozen


def checked_program(content: bytes) -> bytes:
    """A saved program that holds operators of torch, sizes and plain tensors alone.

    Returns:
        The same members in a new archive: what torch reads of it is what was looked at.

    Raises:
        ExportError: Says what it holds.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            files = _files(archive, len(content))
    except ExportError:
        raise
    except (zipfile.BadZipFile, OSError, EOFError, NotImplementedError, RuntimeError, ValueError) as error:
        raise ExportError(f"its program is no archive of torch ({type(error).__name__})") from error
    _check_files(files)
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as archive:
        for name, file in files.items():
            archive.writestr(name, file)
    return buffer.getvalue()


def _files(archive: zipfile.ZipFile, size: int) -> dict[str, bytes]:
    """The members of an archive by name."""
    entries = archive.infolist()
    if any(one.compress_type != zipfile.ZIP_STORED for one in entries) or len(
        {one.filename for one in entries}
    ) < len(entries):
        raise ExportError("its program is packed, or holds a file twice, and torch does neither")
    if sum(one.file_size for one in entries) > size:
        raise ExportError("its program unpacks to more than its size")
    if odd := [one.filename for one in entries if not _MEMBERS.fullmatch(one.filename)]:
        raise ExportError(f"its program holds {odd[0]!r:.80}, which no export of this project does")
    return {one.filename: archive.read(one) for one in entries}


def _check_files(files: Mapping[str, bytes]) -> None:
    """Look at descriptions and examples; weights and constants are bytes of tensors."""
    if sum(name.endswith("/models/model.json") for name in files) != 1:
        raise ExportError("its program has no graph, or several")
    try:
        for name, file in files.items():
            if name.endswith(".json"):
                _check_plain(json.loads(file))
            elif name.endswith(".pt"):
                check_archive(io.BytesIO(file), len(file))
    except ExportError:
        raise
    except BadArchive as error:
        raise ExportError(f"the example of its inputs: {error}. It is not loaded") from error
    except (ValueError, RecursionError) as error:
        raise ExportError(f"its program cannot be read ({type(error).__name__})") from error


def _check_plain(content: Any) -> None:
    """Refuse entries by which torch would call, import, evaluate or unpickle something."""
    for name, value in _entries(content, 0):
        if name in ("target", "as_operator") and not (isinstance(value, str) and _OPERATOR.fullmatch(value)):
            raise ExportError(f"its program calls {value!r:.80}, which is no operator of ATen")
        if name == "expr_str" and not (isinstance(value, str) and _SIZE.fullmatch(value)):
            raise ExportError(f"its program has a size {value!r:.80}, which is no sum of sizes")
        if name == "range_constraints" and not all(map(_SYMBOL.fullmatch, value)):
            raise ExportError("its program bounds what is no size")
        if name in ("use_pickle", "guards_code", "treespec_namedtuple_fields") and value:
            raise ExportError(f"its program holds code: {name} is {value!r:.80}")
        if name in ("as_custom_obj", "custom_obj"):
            raise ExportError(f"its program holds an object of a class: {value!r:.80}")
        if name in ("in_spec", "out_spec") and value:
            _check_spec(value)


def _check_spec(text: str) -> None:
    """The form of inputs and outputs: tuples, lists and dicts, and no class that would be imported."""
    if "__" in text:
        raise ExportError("its program takes or gives objects of a class, and ours are of tensors in tuples")
    for name, value in _entries(json.loads(text), 0):
        if name == "type" and value not in _SPECS:
            raise ExportError(f"its program takes or gives {value!r:.80}, and ours are of tensors in tuples")


def _entries(node: Any, depth: int) -> Iterator[tuple[str, Any]]:
    """All names and values of all dicts in a tree."""
    if depth > _DEEPEST:
        raise ExportError("its program nests without end")
    for name, child in node.items() if isinstance(node, dict) else ():
        yield name, child
        yield from _entries(child, depth + 1)
    for child in node if isinstance(node, list) else ():
        yield from _entries(child, depth + 1)
