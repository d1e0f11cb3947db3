"""Shapes of a composed network: built and run once without memory, its modules tell their outputs."""

from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from engine.config.build import build
from engine.training.prepare import compose_training

CLIPS = 4  # B of the batch that is run: the first number of a shape is a multiple of it
_WINDOW = 8  # steps of stored tokens, which are of any number


@cache  # several pictures show one network
def measured_shapes(overrides: tuple[str, ...], *, values: bool = False) -> dict[str, str]:
    """Shape of what each module returns by its name, `<name>#1` its second tensor; `input` is what is given.

    Args:
        overrides: Of `train.py`.
        values: Run on the CPU; a network whose shapes do not depend on values needs none.
    """
    config = compose_training(overrides, output=Path("unused"))
    device = torch.device("cpu" if values else "meta")
    with device:
        network = build(config["model"]["network"], key="model.network").eval()
        batch, content = _batch(config)
    found = {"input": written(content.shape)}
    for name, module in network.named_modules():
        module.register_forward_hook(_teller(name, found))
    with torch.inference_mode():
        network(batch)
    return found


def written(shape: Sequence[int]) -> str:
    """Return a shape with B for the number of clips.

    Example:
        >>> written((4, 16, 3)), written((32, 64)), written((4,))
        ('(B, 16, 3)', '(8·B, 64)', '(B)')
    """
    clips, rest = divmod(shape[0], CLIPS)
    if rest:
        raise ValueError(f"{tuple(shape)}: the first number is no multiple of the {CLIPS} clips")
    first = "B" if clips == 1 else f"{clips}·B"
    return f"({', '.join([first, *map(str, shape[1:])])})"


def _batch(config: dict[str, Any]) -> tuple[dict[str, Any], Tensor]:
    data = config["data"]
    steps = data["module"].get("eval_clips", {}).get("length", _WINDOW)
    if "places" in data:
        steps = _WINDOW * data["places"]
        content = {"tokens": torch.zeros(CLIPS, steps, data["channels"])}
    elif "channels" in data:
        content = {"series": torch.zeros(CLIPS, steps, data["channels"])}
    else:
        video = data["module"]["source"]["video"]
        content = {"frames": torch.zeros(CLIPS, steps, 3, video["height"], video["width"])}
    (shown,) = content.values()
    codes = {key: torch.zeros(CLIPS, dtype=torch.int64) for key in ("subject", "visit", "row")}
    sets = len(data.get("widths", ()))
    real = {"set_mask": torch.ones(CLIPS, steps, sets, dtype=torch.bool)} if sets else {}
    return content | codes | real | {"mask": torch.ones(CLIPS, steps, dtype=torch.bool)}, shown


def _teller(name: str, found: dict[str, str]) -> Any:
    def tell(module: nn.Module, given: Any, returned: Any) -> None:
        parts = returned if isinstance(returned, tuple | list) else [returned]
        for place, part in enumerate(part for part in parts if isinstance(part, Tensor) and part.dim()):
            if part.shape[0] % CLIPS == 0:
                found[name if place == 0 else f"{name}#{place}"] = written(part.shape)

    return tell
