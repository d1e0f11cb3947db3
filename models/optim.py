"""Parameter groups: weight decay for weights, none for biases and norms."""

from typing import Any

from torch import nn


def parameter_groups(module: nn.Module) -> list[dict[str, Any]]:
    """Split the trainable parameters into matrices and kernels, and everything with fewer than 2 dimensions.

    The first group takes the optimizer's own `weight_decay`; the second has 0.
    """
    parameters = [p for p in module.parameters() if p.requires_grad]
    decay = [p for p in parameters if p.dim() >= 2]
    rest = [p for p in parameters if p.dim() < 2]
    groups: list[dict[str, Any]] = [{"params": decay}, {"params": rest, "weight_decay": 0.0}]
    return [group for group in groups if group["params"]]
