"""Optimizer parameter groups, in which only weights decay, and a learning rate with warm-up."""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from inspect import signature
from typing import Any

from torch import nn
from torch.nn.modules.batchnorm import _NormBase
from torch.nn.modules.conv import _ConvNd
from torch.optim import Optimizer
from torch.optim.lr_scheduler import CosineAnnealingLR, LinearLR, LRScheduler, SequentialLR

from models.blocks import blocks_of, parameters_of, trunks

_WRAPPERS = ("_fsdp_wrapped_module.", "_forward_module.", "_orig_mod.", "_checkpoint_wrapped_module.")
_DDP = "module."  # before all names
_WEIGHTS = (nn.Linear, nn.Bilinear, _ConvNd, nn.Embedding, nn.RNNBase, nn.MultiheadAttention)
_NORMS = (nn.LayerNorm, nn.GroupNorm, _NormBase)
_FLAT = "_flat_param"  # of FSDP without use_orig_params: many parameters in one, and nobody knows which
_MATRIX = 2


def parameter_groups(
    module: nn.Module, *, decayed: Collection[str] | None = None, scales: Mapping[str, float] | None = None
) -> list[dict[str, Any]]:
    """Split the trainable parameters into weights, and biases, norms and other vectors.

    Weights take the optimizer's own `weight_decay`; the others have 0. Parameters of another rate than the
    optimizer's are groups of their own with its share in `lr_scale`, which `scale_rates` puts into effect.

    Args:
        module: Whose parameters are trained; it may be wrapped for several devices.
        decayed: Names of the weights, from `weight_names` before it was wrapped; None asks the module itself.
        scales: Shares of the rate by name, from `rate_scales` before it was wrapped; others have 1.

    Raises:
        ValueError: The parameters were flattened into one, so that weights and biases cannot be told apart.
    """
    names = weight_names(module) if decayed is None else decayed
    known: set[int] = set()
    groups: dict[tuple[float, bool], dict[str, Any]] = {}
    for name, _, parameter in _owned(module):
        if parameter.requires_grad and id(parameter) not in known:
            known.add(id(parameter))
            scale, vector = (scales or {}).get(name, 1.0), name not in names
            group = groups.setdefault((-scale, vector), {"params": []})
            group["params"].append(parameter)
            group |= {"weight_decay": 0.0} if vector else {}
            group |= {"lr_scale": scale} if scale != 1.0 else {}
    return [groups[key] for key in sorted(groups)]


def rate_scales(module: nn.Module, decay: float) -> dict[str, float]:
    """Shares of the learning rate by name, for the blocks of trunks: decay^(n - k) in block k of n, from 0.

    What stands behind the blocks has all of the rate, the last block decay of it (as in BEiT, arXiv
    2106.08254).

    Args:
        module: The network or task, before it is wrapped.
        decay: Above 0 and at most 1, where all rates are one.

    Raises:
        ValueError: The decay is none.
    """
    if not 0 < decay <= 1:
        raise ValueError(f"layer_decay={decay}: must be above 0 and at most 1, e.g. 0.75")
    found: dict[int, float] = {}
    for blocks in map(blocks_of, trunks(module)) if decay < 1 else ():
        for k, block in enumerate(blocks):
            found |= {id(parameter): decay ** (len(blocks) - k) for parameter in parameters_of(block)}
    return {name: found[id(parameter)] for name, _, parameter in _owned(module) if id(parameter) in found}


def fused(optimizer: Callable[..., Optimizer], groups: Sequence[Mapping[str, Any]]) -> dict[str, bool]:
    """`{"fused": True}` for an optimizer that has one kernel for all of a step, on CUDA, else nothing.

    A choice that was made, as in `model.optimizer.fused=false`, stays.

    Args:
        optimizer: Class or partial.
        groups: From `parameter_groups`.

    Examples:
        >>> import torch
        >>> fused(torch.optim.AdamW, [{"params": [torch.zeros(1, device="cpu")]}])
        {}
    """
    known = signature(optimizer).parameters.get("fused")
    undecided = known is not None and known.default is None
    on_cuda = all(one.device.type == "cuda" for group in groups for one in group["params"])
    return {"fused": True} if undecided and on_cuda else {}


def scale_rates(optimizer: Optimizer) -> Optimizer:
    """Multiply the rate of each group by its `lr_scale`, before a schedule is made of them."""
    for group in optimizer.param_groups:
        group["lr"] *= group.get("lr_scale", 1.0)
    return optimizer


def weight_names(module: nn.Module) -> frozenset[str]:
    """Names of the parameters that decay: weights of layers, and what else has two dimensions or more.

    Layers and norms are told by their type and biases by their name, because FSDP leaves flat pieces of the
    parameters, whose number of dimensions says nothing.
    """
    return frozenset(name for name, owner, parameter in _owned(module) if _decays(name, owner, parameter))


def plain_name(name: str) -> str:
    """The name of a parameter without what wrappers put before and into it.

    Examples:
        >>> plain_name("_forward_module.trunk._fsdp_wrapped_module.weight")
        'trunk.weight'
    """
    for wrapper in _WRAPPERS:
        name = name.replace(wrapper, "")
    return name.removeprefix(_DDP)


class WarmupCosine:
    """Raises the learning rate linearly, then lets it fall along a cosine (Loshchilov and Hutter 2017).

    Of n steps w warm up: step k of 0 to w - 1 has (k + 1) / (w + 1) of the rate, step w all of it, and step k
    from there on (1 + cos(pi (k - w) / (n - w))) / 2 of it.

    Args:
        warmup: Share of all steps that warm up, from 0 to below 1.
        T_max: Epochs of the whole schedule, warm-up included.

    Raises:
        ValueError: They are not what they must be.
    """

    def __init__(self, *, warmup: float, T_max: int) -> None:
        if not 0 <= warmup < 1 or T_max < 1:
            raise ValueError(f"warmup={warmup} must be from 0 to below 1, T_max={T_max} 1 or more")
        self._warmup, self._epochs = warmup, T_max

    @property
    def warmup_epochs(self) -> float:
        """Epochs that warm up, such as 1.5."""
        return self._warmup * self._epochs

    def __call__(self, optimizer: Optimizer, *, steps_per_epoch: int) -> LRScheduler:
        """The schedule of an optimizer, to be stepped after each of its steps."""
        steps = self._epochs * steps_per_epoch
        warm = min(round(self._warmup * steps), steps - 1)
        fall = CosineAnnealingLR(optimizer, T_max=steps - warm)
        if not warm:
            return fall
        rise = LinearLR(optimizer, start_factor=1 / (warm + 1), total_iters=warm)
        return SequentialLR(optimizer, schedulers=[rise, fall], milestones=[warm])


def _owned(module: nn.Module) -> Iterator[tuple[str, nn.Module, nn.Parameter]]:
    for path, owner in module.named_modules():
        for name, parameter in owner.named_parameters(recurse=False):
            if name == _FLAT:
                raise ValueError(
                    "FSDP has flattened weights and biases into one parameter, so that weight decay cannot "
                    "leave out the biases: set trainer.strategy.use_orig_params=true"
                )
            yield plain_name(f"{path}.{name}" if path else name), owner, parameter


def _decays(name: str, owner: nn.Module, parameter: nn.Parameter) -> bool:
    last = name.rpartition(".")[2]
    if last.startswith("bias") or last.endswith("bias") or isinstance(owner, _NORMS):
        return False
    return isinstance(owner, _WEIGHTS) or parameter.dim() >= _MATRIX
