"""How much of a trunk is trained: all of it, nothing, its last blocks, or a low-rank change of its weights.

What is applied here concerns the blocks of a trunk (`models.blocks`): of an encoder the backbone. Readouts,
MMP, projections, pools and heads begin at random and are always trained.
"""

import math
from collections.abc import Iterator, Mapping

from torch import Tensor, nn
from torch.nn.utils import parametrize

from models.blocks import blocks_of, parameters_of

_ORIGINAL = ".parametrizations.weight.original"


class Freeze:
    """Trains the last blocks of a trunk, and none with `last=0`.

    Args:
        last: How many blocks go on learning.

    Raises:
        ValueError: It is below 0, or, on use, nothing would be frozen.
    """

    def __init__(self, *, last: int = 0) -> None:
        if last < 0:
            raise ValueError(f"last={last}: how many blocks are trained, 0 or more")
        self.last = last

    def __call__(self, trunk: nn.Module) -> None:
        """Freeze a trunk in place."""
        blocks = blocks_of(trunk)
        if self.last >= len(blocks):
            raise ValueError(
                f"last={self.last}: {type(trunk).__name__} has {len(blocks)} blocks, so nothing would be "
                "frozen: give less, or train all of it with model/tuning=full"
            )
        for block in blocks[: len(blocks) - self.last]:
            for parameter in parameters_of(block):
                parameter.requires_grad_(False)


class LowRank(nn.Module):
    """W -> W + alpha / r B A with A (r,I) and B (O,r): LoRA (Hu et al. 2021, arXiv 2106.09685, eq. 3).

    B starts at zero, so that the change starts at nothing. It is a parametrization of the weight and not a
    layer: networks that read `layer.weight` themselves, as several transformers do, are adapted like others.

    Args:
        weight: W (O,I).
        rank: r.
        alpha: Scale of the change.
    """

    def __init__(self, weight: Tensor, *, rank: int, alpha: float) -> None:
        super().__init__()
        self.scale = alpha / rank
        outputs, inputs = weight.shape
        self.down = nn.Parameter(weight.new_empty(rank, inputs))
        self.up = nn.Parameter(weight.new_zeros(outputs, rank))
        nn.init.kaiming_uniform_(self.down, a=math.sqrt(5))  # as a linear layer starts

    def forward(self, weight: Tensor) -> Tensor:
        """Return the changed weight."""
        return weight + self.scale * (self.up @ self.down)


class LoRA:
    """Freezes the blocks of a trunk and trains a low-rank change of every linear layer in them.

    The paper adapts queries and values alone; all linear layers are our choice, as blocks of others name
    theirs in many ways.

    Args:
        rank: r, at least 1.
        alpha: Scale of the change, by the rank.

    Raises:
        ValueError: The rank is below 1, or, on use, the blocks of the trunk have no linear layer.
    """

    def __init__(self, *, rank: int = 8, alpha: float = 16.0) -> None:
        if rank < 1:
            raise ValueError(f"rank={rank}: a change has a rank of 1 or more, e.g. 8")
        self.rank, self.alpha = rank, alpha

    def __call__(self, trunk: nn.Module) -> None:
        """Adapt a trunk in place."""
        Freeze()(trunk)
        layers = [layer for block in blocks_of(trunk) for part in block for layer in _linear(part)]
        if not layers:
            raise ValueError(
                "model/tuning=lora changes linear layers, and the blocks of this encoder (model/trunk, with "
                "its backbone) have none, as of a convolutional one: use model/tuning=last or frozen, or a "
                "transformer"
            )
        for layer in layers:
            change = LowRank(layer.weight, rank=self.rank, alpha=self.alpha)
            parametrize.register_parametrization(layer, "weight", change)


def merge(network: nn.Module) -> None:
    """Put every low-rank change into its weight: the same network, without parts of LoRA."""
    for layer in list(network.modules()):
        if parametrize.is_parametrized(layer, "weight") and isinstance(_change(layer), LowRank):
            parametrize.remove_parametrizations(layer, "weight", leave_parametrized=True)


def settle(network: nn.Module) -> None:
    """Put parts whose parameters are all frozen into evaluation: no dropout, and running statistics stay."""
    for part in network.modules():
        trained = [parameter.requires_grad for parameter in part.parameters()]
        if trained and not any(trained):
            part.eval()


def under_low_rank(weights: Mapping[str, Tensor], own: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Weights of a trunk as they are named in one that LoRA has adapted, whose changes stay as they are.

    Args:
        weights: Of a trunk without LoRA.
        own: Of the one that takes them; without LoRA too, they come back as they are.
    """
    if not any(name.endswith(_ORIGINAL) for name in own) or any(name.endswith(_ORIGINAL) for name in weights):
        return dict(weights)
    places = {name.replace(_ORIGINAL, ".weight"): name for name in own}
    renamed = {places.get(name, name): value for name, value in weights.items()}
    changes = {name: value for name, value in own.items() if ".parametrizations.weight.0." in name}
    return changes | renamed


def _linear(part: nn.Module | nn.Parameter) -> Iterator[nn.Linear]:
    if isinstance(part, nn.Module):
        yield from (layer for layer in part.modules() if isinstance(layer, nn.Linear))


def _change(layer: nn.Module) -> nn.Module:
    found: nn.Module = layer.get_submodule("parametrizations.weight.0")
    return found
