"""Blocks of a trunk from input to output: what is frozen, adapted, or trained at rates of its own."""

from collections.abc import Iterator
from typing import TypeAlias

from torch import nn

Block: TypeAlias = list[nn.Module | nn.Parameter]
"""Modules, and parameters that no module of their own holds; both know `requires_grad_`."""

_CONTAINERS = (nn.Sequential, nn.ModuleList)  # by exact type: what is derived from them is a part of its own


def trunks(network: nn.Module) -> list[nn.Module]:
    """The trunks of a network: its parts that are called so, each once."""
    return [part for place, part in network.named_modules() if place.rpartition(".")[2] == "trunk"]


def blocks_of(trunk: nn.Module) -> list[Block]:
    """The blocks that a trunk says it has (`blocks()`); one that says nothing is one block."""
    own = getattr(type(trunk), "blocks", None)  # a method: trunks also name lists of layers so
    return own(trunk) if callable(own) else [[trunk]]


def parameters_of(block: Block) -> Iterator[nn.Parameter]:
    """Every parameter of a block."""
    for part in block:
        yield from [part] if isinstance(part, nn.Parameter) else part.parameters()


def in_order(backbone: nn.Module) -> list[Block]:
    """The blocks of a backbone whose parts stand in the order in which they are run.

    The elements of its lists of layers are a block each; where it has none, its parts that have parts. What
    comes before the first (a stem, embeddings) is a block too, what comes later (a last norm) belongs to the
    one before it.

    Examples:
        >>> layers = nn.Sequential(*(nn.Sequential(nn.Linear(2, 2), nn.ReLU()) for _ in range(3)))
        >>> len(in_order(nn.ModuleDict({"stem": nn.Linear(2, 2), "layers": layers, "norm": nn.LayerNorm(2)})))
        4
    """
    while not list(backbone.parameters(recurse=False)) and len(inner := _parts(backbone)) == 1:
        backbone = inner[0]
    pieces: list[tuple[nn.Module | nn.Parameter, bool]] = [(own, False) for own in backbone.parameters(False)]
    for part in _parts(backbone):
        listed = _is_list(part)
        pieces += [(one, listed) for one in (_elements(part) if listed else [part])]
    if not any(whole for _, whole in pieces):
        pieces = [(one, isinstance(one, nn.Module) and bool(_parts(one))) for one, _ in pieces]
    blocks: list[Block] = []
    stem: Block = []
    for one, whole in pieces:
        if whole:
            blocks += [[one]] if blocks or not stem else [stem, [one]]
        else:
            (blocks[-1] if blocks else stem).append(one)
    return blocks or [stem]


def _parts(module: nn.Module) -> list[nn.Module]:
    """The children that have parameters."""
    return [child for child in module.children() if any(True for _ in child.parameters())]


def _is_list(module: nn.Module) -> bool:
    """Whether a module only lists layers that have parts: one of single layers is a stem."""
    return type(module) in _CONTAINERS and any(_parts(child) for child in module.children())


def _elements(module: nn.Module) -> Iterator[nn.Module]:
    for part in _parts(module):
        yield from _elements(part) if _is_list(part) else [part]
