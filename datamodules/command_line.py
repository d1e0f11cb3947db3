"""Command lines of `key=value` words, read as the arguments of a function by its annotations.

Commands without a composed config use it, so that all commands are called in one way:

    def main(folder: Path, *, seeds: int = 5, only: tuple[str, ...] = ()) -> None: ...

is called as `python -m package.module folder=out seeds=3 only=a,b`, or with the folder as a bare word.
"""

import inspect
import re
import sys
import textwrap
from collections.abc import Callable, Sequence
from pathlib import Path
from types import NoneType, UnionType
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

from datamodules.commands import typed_module
from datamodules.wording import nearest

_WORDS = {"true": True, "false": False}


class UsageError(ValueError):
    """A command line that is not understood."""


def run(command: Callable[..., int | None], words: Sequence[str] | None = None) -> int:
    """Call a command with the words of the command line, and return its exit status.

    `--help` prints what it does and its settings, with status 0; a word that is not understood is told on
    the error output, with status 2.

    Args:
        command: Function with annotated parameters; the settings of its help are those of its docstring.
        words: Of the command line; those of this process by default.
    """
    given = sys.argv[1:] if words is None else list(words)
    if {"-h", "--help"} & set(given):
        sys.stdout.write(help_text(command))
        return 0
    try:
        return command(**read(command, given)) or 0
    except UsageError as fault:  # of the words, or of the command that weighs them
        sys.stderr.write(f"{fault}\n{_usage(command)}\nMore with --help.\n")
        return 2


def read(command: Callable[..., Any], words: Sequence[str]) -> dict[str, Any]:
    """The arguments that the words stand for; bare words are the positional parameters in their order.

    Where a list of words stands for some of all, its default is all of them, and others are refused.

    Raises:
        UsageError: Names the word, what is known instead, or what is missing.
    """
    signature = inspect.signature(command).parameters
    named = {name: one for name, one in signature.items() if one.kind != one.VAR_KEYWORD}
    bare = iter([name for name, one in named.items() if one.kind == one.POSITIONAL_OR_KEYWORD])
    kinds = get_type_hints(command)
    found: dict[str, Any] = {}
    for word in words:
        key, equals, text = word.lstrip("-").partition("=")
        if not equals:
            key, text = next(bare, ""), word
            if not key and (places := [name for name in found if name in named]):
                raise UsageError(f"'{word}' is one too many beside {', '.join(places)}")
        if not key or (key not in named and len(named) == len(signature)):
            raise UsageError(f"'{word}' is not understood{nearest(key or word, named)}")
        if key in found:
            raise UsageError(f"'{key}' is given twice")
        found[key] = _value(key, text, kinds[key] if key in named else bool | str)
        choices = named[key].default if key in named else None
        if kinds.get(key) == tuple[str, ...] and choices and (strangers := set(found[key]) - set(choices)):
            raise UsageError(f"{key}={text}: no '{min(strangers)}' among {', '.join(choices)}")
    missing = [name for name, one in named.items() if one.default is one.empty and name not in found]
    if missing:
        told = _told(command).get(missing[0])
        raise UsageError(f"'{missing[0]}=' is missing{f': {told}' if told else ''}")
    return found


def help_text(command: Callable[..., Any]) -> str:
    """What a command does, and its settings with their defaults."""
    about = inspect.getdoc(inspect.getmodule(command)) or ""
    about = about.replace(f"python -m {_module(command)}", typed_module(_module(command)))
    told, kinds = _told(command), get_type_hints(command)
    lines = [
        _described(_spelled(one), _with_options(told.get(name, ""), kinds.get(name)))
        for name, one in inspect.signature(command).parameters.items()
    ]
    return "\n".join([about, "", _usage(command), "", *lines]) + "\n"


def _with_options(told: str, kind: Any) -> str:
    """What is said of a setting, and what it may be where its annotation names all of that."""
    options = [
        option for part in (kind, *get_args(kind)) if get_origin(part) is Literal for option in get_args(part)
    ]
    if not options:
        return told
    return (
        f"{told.rstrip('.')}: {', '.join(map(str, options))}." if told else f"{', '.join(map(str, options))}."
    )


def _described(spelled: str, told: str) -> str:
    """A setting and what is said of it, folded in a column of its own."""
    margin = " " * 31
    text = textwrap.fill(told, 110, initial_indent=margin, subsequent_indent=margin, break_on_hyphens=False)
    head = f"  {spelled}"
    return f"{head}\n{text}" if len(head) >= len(margin) else f"{head:<31}{text.lstrip()}".rstrip()


def _told(command: Callable[..., Any]) -> dict[str, str]:
    """What the docstring of a command says of its parameters."""
    text = inspect.getdoc(command) or ""
    found = re.findall(r"^ +(\w+): (.+(?:\n {4,}(?!\w+: ).+)*)", text, re.MULTILINE)
    return {name: " ".join(told.split()) for name, told in found}


def _usage(command: Callable[..., Any]) -> str:
    settings = inspect.signature(command).parameters.values()
    words = [_spelled(one) for one in settings if one.default is one.empty and one.kind != one.VAR_KEYWORD]
    return " ".join([f"usage: {typed_module(_module(command))}", *words, "[key=value ...]"])


def _module(command: Callable[..., Any]) -> str:
    """What `python -m` is told to run a command."""
    spec = getattr(sys.modules["__main__"], "__spec__", None)
    name = spec.name if spec and command.__module__ == "__main__" else command.__module__
    return name.removesuffix(".__main__")


def _spelled(one: inspect.Parameter) -> str:
    """A parameter as it is written: `seeds=5`, `out=...` where it must be given."""
    if one.kind == one.VAR_KEYWORD:
        return "[key=value ...]"
    return f"{one.name}=..." if one.default is one.empty else spelled(**{one.name: one.default})


def spelled(**settings: Any) -> str:
    """Settings as words of a command line, for the pages that say how they were made."""
    return " ".join(f"{name}={_written(value)}" for name, value in settings.items())


def _written(value: Any) -> str:
    if isinstance(value, tuple):
        return ",".join(map(_written, value))
    return "null" if value is None else str(value).lower() if isinstance(value, bool) else str(value)


def _value(key: str, text: str, kind: Any) -> Any:
    """A word as a value of an annotated kind.

    Raises:
        UsageError: It is none; says what is.
    """
    parts = get_args(kind)
    if get_origin(kind) is tuple:
        words = [word for word in re.split(r"[,\s]+", text.strip("[]()")) if word]
        return tuple(_value(key, word, parts[0]) for word in words)
    if get_origin(kind) is Literal:
        if text not in parts:
            raise UsageError(f"{key}={text}: choose {', '.join(parts)}")
        return text
    if isinstance(kind, UnionType) or get_origin(kind) is Union:  # the latter where one part is a Literal
        if NoneType in parts and text in ("null", ""):
            return None
        if bool in parts:
            return _WORDS.get(text.lower(), text)
        return _value(key, text, next(part for part in parts if part is not NoneType))
    if kind is bool:
        if text.lower() not in _WORDS:
            raise UsageError(f"'{key}={text}' is neither true nor false")
        return _WORDS[text.lower()]
    try:
        return kind(Path(text).expanduser() if kind is Path else text)
    except ValueError as error:
        raise UsageError(f"{key}={text}: give a {'whole number' if kind is int else 'number'}") from error
