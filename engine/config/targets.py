"""Check of every `_target_` in a user's config, as text, against the allow-list and trusted packages.

The user's own config may name what `allowlist` lists for it, and, after `trust=[my_package]`, whatever that
package defines. A target of our own must be *defined* in a file of this checkout (its source is read, so
that neither the package nor anything it imports runs, and a name the file merely imports does not count).
What a checkpoint may name is a closed list; see `engine.checkpoints.recorded_config`.
"""

import inspect
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextvars import ContextVar
from functools import wraps
from importlib import import_module
from typing import Any, Concatenate, ParamSpec, TypeVar

from datamodules.wording import nearest
from engine.config.allowlist import NOT_OWN, OWN, THIRD_PARTY
from engine.config.extensions import extensions
from engine.config.installed import places_of, title_of
from engine.config.source_code import defined

_P = ParamSpec("_P")
_R = TypeVar("_R")
_LISTED = {name.partition(".")[0] for name in (*OWN, *THIRD_PARTY)} | {"benchmarks", "tests"}
_PLUMBING = {"hydra", "omegaconf"}  # they call whatever they are told to
# of the context, not of the process: two commands in one process do not inherit each other's trust
_trusted: ContextVar[frozenset[str]] = ContextVar("trusted", default=frozenset())


class ForbiddenTarget(ValueError):
    """A config names a callable that may not be built."""


def trusting(
    command: Callable[Concatenate[Mapping[str, Any], _P], _R],
) -> Callable[Concatenate[Mapping[str, Any], _P], _R]:
    """Let a command build what the packages in `trust` of its own config define, for as long as it runs.

    Raises:
        ForbiddenTarget: `trust` is no list; or an entry is no installed package, or has its own list here.
    """

    @wraps(command)
    def run(config: Mapping[str, Any], /, *args: _P.args, **kwargs: _P.kwargs) -> _R:
        token = _trusted.set(_packages(config.get("trust") or ()))
        try:
            return command(config, *args, **kwargs)
        finally:
            _trusted.reset(token)

    return run


def trusted() -> tuple[str, ...]:
    """The packages that the running command trusts."""
    return tuple(sorted(_trusted.get()))


def _packages(names: Any) -> frozenset[str]:
    if not isinstance(names, list | tuple) or not all(isinstance(name, str) for name in names):
        raise ForbiddenTarget(f"trust={names!r} is no list of names. Write trust=[my_package].")
    for name in names:
        if not name.isidentifier():
            raise ForbiddenTarget(
                f"trust names {name!r}: give the top package alone, as in trust=[my_package]."
            )
        if _has_own_list(name):
            raise ForbiddenTarget(
                f"trust names {name!r}, which can do anything, or has a list of its own in "
                "engine/config/allowlist.py. Trust a package of your own, which may import it."
            )
        if not places_of(name):
            known = [one.package for one in extensions()]
            hint = nearest(name, known) or ". Install it, or correct its name."
            raise ForbiddenTarget(f"trust names {name!r}, which is not installed{hint}")
    return frozenset(names)


def _has_own_list(package: str) -> bool:
    """Whether a package may never be trusted as a whole."""
    return package in sys.stdlib_module_names or package in _LISTED | _PLUMBING


def is_trusted(target: str) -> bool:
    """Whether a trusted package defines this class or function; what it merely imports does not count."""
    module, _, name = target.rpartition(".")
    top = target.partition(".")[0]
    if top not in _trusted.get() or not all(part.isidentifier() for part in target.split(".")):
        return False
    try:
        found = getattr(import_module(module), name, None)
    except ImportError as error:
        raise ForbiddenTarget(f"{target!r} cannot be imported: {error}. Correct its name.") from error
    return (inspect.isclass(found) or inspect.isfunction(found)) and found.__module__.partition(".")[0] == top


def check_targets(config: Any) -> None:
    """Refuse a plain config of the user that names a callable outside the wider list.

    Nothing is called, and nothing but trusted packages is imported: the whole tree is read first.

    Args:
        config: Nested dicts, lists and scalars, interpolations already resolved.

    Raises:
        ForbiddenTarget: Names the key, the value and the remedy. An unresolved `${...}` is refused too,
            because resolving it later could produce a target this walk has not seen.
    """
    for key, value in leaves(config):
        if key.rpartition(".")[2] == "_target_":
            _check_target(key, value)


def leaves(node: Any, key: str = "") -> Iterator[tuple[str, Any]]:
    """Key path and value of every scalar, and of whatever stands at a `_target_`.

    Raises:
        ForbiddenTarget: A value that is not plain, a key that is no text, or an unresolved `${...}`.
    """
    if isinstance(node, dict):
        for name, child in node.items():
            if not isinstance(name, str) or "${" in name:
                raise ForbiddenTarget(f"{key}: the key {name!r} is no plain text. Rename it.")
            path = f"{key}.{name}" if key else name
            if name == "_target_":
                yield path, child
            else:
                yield from leaves(child, path)
    elif isinstance(node, list | tuple):
        for index, child in enumerate(node):
            yield from leaves(child, f"{key}[{index}]")
    elif isinstance(node, str) and "${" in node:
        raise ForbiddenTarget(
            f"{key}: {node!r} is an interpolation that was not resolved. Write the value itself."
        )
    elif node is None or isinstance(node, str | int | float):
        yield key, node
    else:
        raise ForbiddenTarget(f"{key}: a config holds plain values only, not {type(node).__name__}.")


def _check_target(key: str, target: Any) -> None:
    if not isinstance(target, str):
        raise ForbiddenTarget(f"{key}: {target!r} is no dotted path. Write package.module.Class.")
    if target in THIRD_PARTY or is_trusted(target):
        return
    if _within(target, OWN) and not _within(target, NOT_OWN):
        module, _, name = target.rpartition(".")
        if not name.startswith("_") and name in defined(module):
            return
        raise ForbiddenTarget(
            f"{key}: {target!r} is no public class or function defined in {module.replace('.', '/')}.py of "
            "this checkout. Name it by the file that defines it; an imported name does not count."
        )
    module, _, name = target.rpartition(".")
    if module and module.partition(".")[0] in _trusted.get():
        raise ForbiddenTarget(
            f"{key}: {module} of the trusted package defines no class or function {name!r}. Correct its "
            "name; what it imports from elsewhere does not count."
        )
    raise ForbiddenTarget(f"{key}: {target!r} is not on the allow-list. {trust_advice(target)}")


def trust_advice(target: Any) -> str:
    """What to do where a callable that is on no list may be one of an installed package; imports nothing."""
    package = str(target).partition(".")[0]
    if _has_own_list(package) or not package.isidentifier():
        return "Name one of the list, or one of a package of your own, installed and in trust=[my_package]."
    if not places_of(package):
        return f"If it belongs to a package of your own, install it and add trust=[{package}] to the command."
    return (
        f"It is of the installed package {title_of(package)}: where you trust its code, add "
        f"trust=[{package}] to the command."
    )


def _within(target: str, packages: Iterable[str]) -> bool:
    return any(target.startswith(f"{package}.") for package in packages)
