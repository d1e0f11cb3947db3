"""What the heads of a network predict, by name: a head of items predicts many things, any other one."""

from collections.abc import Mapping
from typing import Any

from torch import Tensor


def predictions(heads: Mapping[str, Any], logits: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Predictions (B,) by name, from the heads of a network and its `Output.logits`.

    A head is named as in the network, and predicts its label under that name. One with `named` predicts under
    names of its own, see `models.items.head.ItemHead`; `score` and `binary` are of those only where no head
    is called so.
    """
    derived: dict[str, Tensor] = {}
    own: dict[str, Tensor] = {}
    for name, raw in logits.items():
        if hasattr(heads[name], "named"):
            derived |= heads[name].named(raw)
        else:
            own[name] = heads[name].predict(raw)
    return own | {name: value for name, value in derived.items() if name not in own}


def predicted_names(heads: Mapping[str, Any]) -> list[str]:
    """The names that `predictions` gives for these heads."""
    own = [name for name, head in heads.items() if not hasattr(head, "named")]
    derived = [name for head in heads.values() if hasattr(head, "named") for name in head.names]
    return [*own, *(name for name in derived if name not in own)]
