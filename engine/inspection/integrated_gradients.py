"""Integrated gradients (Sundararajan et al. 2017, arXiv 1703.01365) of a head over the rows of batches.

Ours: the baseline, and that a context made of other recordings is computed once and held: attributions then
speak of the recording's own input. Under `clip` the context is a part of that input, and is not held. Steps
that are not real get nothing.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from evaluation.audit.attribution import Attributions, regions_of, summed_regions, summed_thirds
from models.mpdrm.context import CalibratedContext, EnrolmentContext, GivenContext
from models.types import Context

# of the path: captum's own, and for pixels what untrained trunks needed to add up within 5 %, as their norms
# are steep where a picture leaves the mean color
STEPS = {"series": 50, "frames": 200}
GRID = 6  # cells per side that attributions of pixels are summed to: two rows for each third of a picture
_ROWS = {"series": 256, "frames": 32}  # in one pass of the network; our choice
_BANDS = ("upper", "middle", "lower")


def attributions(
    network: nn.Module,
    batches: Iterator[dict[str, Any]],
    *,
    head: str,
    key: str,
    channels: Sequence[str],
    baseline: Tensor,
) -> Attributions:
    """Integrated gradients of a head over the scored rows of batches.

    Args:
        network: In evaluation mode, `network(batch) -> Output`.
        batches: On the network's device.
        head: `binary` (explained as logit) or `score` (in points).
        key: What is explained: `series` (B,T,F) or `frames` (B,T,C,H,W).
        channels: Names of the F channels, or of the cells pixels are summed to.
        baseline: Broadcasts against a step: (F,), or zeros.
    """
    rows, thirds, steps = [], [], []
    regions = regions_of(channels)
    for batch in batches:
        kept, values, outputs = _attributed(network, batch, head=head, key=key, baseline=baseline)
        mask = batch["mask"][kept].cpu().numpy()
        table = {name: [batch[name][i] for i in kept.tolist()] for name in ("recording_id", "subject_id")}
        rows.append(pd.DataFrame(table | outputs))
        thirds.append(summed_thirds(values, mask))
        steps.append(summed_regions(values, channels, regions))
    return Attributions(
        clips=pd.concat(rows, ignore_index=True),
        thirds=np.concatenate(thirds),
        steps=np.concatenate(steps),
        channels=tuple(channels),
        regions=regions,
        unit="logit" if head == "binary" else "points",
    )


def _attributed(
    network: nn.Module, batch: Mapping[str, Any], *, head: str, key: str, baseline: Tensor
) -> tuple[Tensor, NDArray[np.float64], dict[str, NDArray[np.float64]]]:
    """Scored rows of a batch, their attributions (N,T,F), and the outputs at both ends of the path."""
    from captum.attr import IntegratedGradients  # an extra, and a second to import

    kept = batch["scored"].nonzero().squeeze(1)
    with _held_context(network, batch) as given, _differentiable(network):
        output = _output(network, given, head=head, key=key)
        gradients, parts = IntegratedGradients(output), []
        for rows in kept.split(_ROWS[key]):
            x = batch[key][rows]
            start = baseline.to(x).expand_as(x)
            values = gradients.attribute(
                x,
                baselines=start,
                additional_forward_args=(rows,),
                n_steps=STEPS[key],
                internal_batch_size=_ROWS[key],
            ).detach()
            if key == "frames":
                values = in_cells(values.sum(2), GRID)
            with torch.no_grad():
                parts.append((values, output(x, rows), output(start, rows)))
    summed, ends, starts = (torch.cat(part).double().cpu().numpy() for part in zip(*parts, strict=True))
    return kept, summed, {"output": ends, "baseline": starts}


def _output(
    network: nn.Module, batch: Mapping[str, Any], *, head: str, key: str
) -> Callable[[Tensor, Tensor], Tensor]:
    """The explained number (N,) as a function of the input and of the rows of the batch it belongs to."""
    part = network.get_submodule(f"heads.{head}")
    scale = float(part.get_buffer("std")) if head == "score" else 1.0
    tensors = {name: value for name, value in batch.items() if isinstance(value, Tensor) and name != key}

    def output(x: Tensor, rows: Tensor) -> Tensor:
        logits: Tensor = network({name: value[rows] for name, value in tensors.items()} | {key: x}).logits[
            head
        ]
        return logits.float() * scale

    return output


@contextmanager
def _held_context(network: nn.Module, batch: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """The batch with the context of each row, which the network takes as given meanwhile."""
    context = getattr(network, "context", None)
    if not isinstance(context, EnrolmentContext | CalibratedContext):
        yield batch
        return
    seen: list[Context] = []
    hook = context.register_forward_hook(lambda _module, _inputs, out: seen.append(out))
    with torch.no_grad():
        network(batch)
    hook.remove()
    network.context = GivenContext()
    try:
        held = {"context": seen[0].feature, "context_available": seen[0].available}
        offset = {} if seen[0].offset is None else {"context_offset": seen[0].offset}
        yield {**batch, **held, **offset}
    finally:
        network.context = context


@contextmanager
def _differentiable(network: nn.Module) -> Iterator[None]:
    """Gradients for the input; cuDNN differentiates a recurrent network in training mode only."""
    recurrent = any(isinstance(module, nn.RNNBase) for module in network.modules())
    with torch.enable_grad(), torch.backends.cudnn.flags(enabled=not recurrent):
        yield


def in_cells(maps: Tensor, grid: int) -> Tensor:
    """Sums (B,T,grid*grid) of maps (B,T,H,W) over the cells of a grid; every pixel is in one cell."""

    def member(size: int) -> Tensor:
        place = torch.arange(size, device=maps.device) * grid // size
        return (place == torch.arange(grid, device=maps.device)[:, None]).to(maps)

    height, width = maps.shape[-2:]
    return torch.einsum("bthw,gh,kw->btgk", maps, member(height), member(width)).flatten(2)


def cell_names(grid: int) -> tuple[str, ...]:
    """Names of the cells in the order of `in_cells`: `cell_upper_0_3` is row 0, column 3."""
    return tuple(
        f"cell_{_BANDS[row * 3 // grid]}_{row}_{column}" for row in range(grid) for column in range(grid)
    )
