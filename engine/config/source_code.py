"""What a module defines and which arguments it takes, read from its source: nothing is imported.

Importing torch and Lightning to find a misspelt key would take seconds, and importing a file runs it.
"""

import ast
from functools import lru_cache
from importlib.util import resolve_name
from pathlib import Path

from engine.config.installed import places_of

ROOT = Path(__file__).resolve().parents[2]


def defined(module: str) -> dict[str, ast.ClassDef | ast.FunctionDef]:
    """Top-level classes and functions that the file of a module defines; none where it has no file."""
    return {node.name: node for node in _body(module) if isinstance(node, ast.ClassDef | ast.FunctionDef)}


@lru_cache(maxsize=512)
def arguments(target: str) -> tuple[str, ...] | None:
    """Names of the arguments that a class or function takes; None where it takes any, or does not tell.

    Examples:
        >>> arguments("engine.config.build.build_all")
        ('nodes', 'key')
    """
    module, _, name = target.rpartition(".")
    found = defined(module).get(name)
    if found is None:
        origin = _origin(module, name)
        return None if origin in (None, target) else arguments(str(origin))
    if isinstance(found, ast.FunctionDef):
        return _names(found)
    for node in found.body:
        if isinstance(node, ast.FunctionDef) and node.name == "__init__":
            return names[1:] if (names := _names(node)) is not None else None
    bases = [ast.unparse(base) for base in found.bases]
    inherited = arguments(f"{module}.{bases[0]}") if len(bases) == 1 and bases[0].isidentifier() else None
    if not any(ast.unparse(line).startswith("dataclass") for line in found.decorator_list):
        return inherited
    fields = [
        str(ast.unparse(node.target))
        for node in found.body
        if isinstance(node, ast.AnnAssign) and "ClassVar" not in ast.unparse(node.annotation)
    ]
    return (*(inherited or ()), *fields) if inherited is not None or not bases else None


def _names(function: ast.FunctionDef) -> tuple[str, ...] | None:
    taken = function.args
    every = (*taken.posonlyargs, *taken.args, *taken.kwonlyargs)
    return None if taken.kwarg else tuple(one.arg for one in every)


def _origin(module: str, name: str) -> str | None:
    """Where a name comes from that a module imports, as packages do with what their files define."""
    for node in _body(module):
        if not isinstance(node, ast.ImportFrom):
            continue
        for alias in node.names:
            if name == (alias.asname or alias.name):
                package = module if _file(module).name == "__init__.py" else module.rpartition(".")[0]
                return f"{resolve_name('.' * node.level + (node.module or ''), package)}.{alias.name}"
    return None


@lru_cache(maxsize=512)
def _body(module: str) -> list[ast.stmt]:
    file = _file(module)
    return [] if file == ROOT else ast.parse(file.read_text(encoding="utf-8"), filename=str(file)).body


def _file(module: str) -> Path:
    """The file of a module, this checkout's first; `ROOT` where there is none."""
    parts = module.split(".")
    if not all(part.isidentifier() for part in parts):
        return ROOT
    base = ROOT
    if not (ROOT / parts[0]).is_dir():  # what this checkout has is never looked for elsewhere
        places = places_of(parts[0])
        if not places:
            return ROOT
        base = places[0].parent.resolve()
    folder = base.joinpath(*parts)
    for file in (folder.with_suffix(".py"), folder / "__init__.py"):
        if file.is_file() and file.resolve().is_relative_to(base):  # not what a link leads to
            return file
    return ROOT
