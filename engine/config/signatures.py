"""Check of plain arguments against the signature of a class or function: names, kinds and sizes."""

import inspect
import types
import typing
from collections.abc import Mapping, Sequence
from functools import lru_cache
from importlib import import_module
from pathlib import Path
from typing import Any, Literal

# The most that a file may ask for, far above what anybody trains with: our choice. Frames and recordings cost
# memory by the number, and no more workers are started than there are cores.
_LIMITS = {
    100_000: "length stride strides hop keep n_subjects",
    36_000: "duration_s",
    10_000: "clips subjects visits max_eval_clips",
    4096: "height width size scales",
    1024: "num_workers workers",
    1000: "n_visits fps bands",
    256: "grid blocks cells depth layers max_faces",
}
_MOST = {name: most for most, names in _LIMITS.items() for name in names.split()}
_PRETRAINED = ("pretrained", "weights", "checkpoint_path", "pretrained_cfg")
_NO_PATHS = ("balance", "channels", "corpus", "missing")  # names of columns and channels, of any spelling
_ELSEWHERE = ("root", "path")  # looked at where the cohort is read, see engine/cohort/restored_data.py
_ANY_SIZE = 2**63


class Misfit(ValueError):
    """An argument that does not fit, with its name first."""


def check_call(
    target: str, given: Mapping[str, Any], *, injected: Sequence[str] = (), partial: bool = False
) -> None:
    """Check plain arguments against the signature of a listed class or function, which is imported.

    Args:
        target: Dotted path.
        given: Arguments by name; a dict with `_target_` stands for a built object.
        injected: Arguments that come from elsewhere.
        partial: Whether arguments may be missing.

    Raises:
        Misfit: An argument does not exist, is missing, is of another kind or too large, asks for a download,
            or leaves the folder it starts from.
    """
    parameters = _parameters(target)
    for name, value in given.items():
        if name not in parameters:
            raise Misfit(f"{name}: {target} has no such argument; it has {', '.join(parameters)}")
        if name in _PRETRAINED and value not in (False, None):
            raise Misfit(f"{name}: a checkpoint holds its weights, nothing is opened or downloaded for it")
        if not _fits(value, parameters[name][0]):
            raise Misfit(f"{name}: {value!r:.80} is not what {target} takes ({parameters[name][0]})")
        _check_plain(name, value)
    missing = [name for name, (_, needed) in parameters.items() if needed and name not in (*given, *injected)]
    if missing and not partial:
        raise Misfit(f"{missing[0]}: {target} needs it")


@lru_cache(maxsize=256)
def _parameters(target: str) -> dict[str, tuple[Any, bool]]:
    """Annotation of every argument, and whether it must be given."""
    module, _, name = target.rpartition(".")
    found = getattr(import_module(module), name)
    hints = typing.get_type_hints(found.__init__ if inspect.isclass(found) else found)
    if inspect.isclass(found) and found.__init__ is object.__init__:
        return {}
    plain = (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY)
    return {
        name: (hints.get(name, Any), parameter.default is inspect.Parameter.empty)
        for name, parameter in inspect.signature(found).parameters.items()
        if parameter.kind in plain
    }


def _fits(value: Any, kind: Any) -> bool:
    origin, inner = typing.get_origin(kind), typing.get_args(kind)
    if kind is None or kind is type(None):
        return value is None
    if origin in (typing.Union, types.UnionType):
        return any(_fits(value, one) for one in inner if one is not Path)  # text stands for a path
    if origin is Literal:
        return isinstance(value, str | int | bool) and value in inner
    if kind is bool or isinstance(value, bool):
        return kind is bool and isinstance(value, bool)
    if kind in (int, str):
        return isinstance(value, kind)
    if kind is float:
        return isinstance(value, int | float)
    if origin in (list, tuple, Sequence):
        return isinstance(value, list | tuple) and all(_fits(one, inner[0]) for one in value)
    if origin in (dict, Mapping):
        return (
            isinstance(value, dict)
            and "_target_" not in value
            and all(_fits(one, inner[1]) for one in value.values())
        )
    return isinstance(value, dict) and "_target_" in value  # whatever else there is has to be built


def _check_plain(name: str, value: Any) -> None:
    """Bound every number, and refuse every text that could lead out of the folder a checkpoint may name."""
    most = _MOST.get(name, _ANY_SIZE)
    for one in value if isinstance(value, list | tuple) else (value,):
        if isinstance(one, int | float) and not abs(one) <= most:  # nor NaN
            raise Misfit(f"{name}: {one} is more than a checkpoint may ask for, {most}")
        if not isinstance(one, str) or name in (*_NO_PATHS, *_ELSEWHERE):
            continue
        if ".." in one or one.startswith(("/", "~")) or "\\" in one or "\0" in one or "\n" in one:
            raise Misfit(f"{name}: {one!r:.80} looks like a path, and a checkpoint gives none")
        if name == "backbone" and not all(letter.isalnum() or letter in "._-" for letter in one):
            raise Misfit(f"{name}: {one!r:.80} is no plain name of a network; nothing is fetched for it")
