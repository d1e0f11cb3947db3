"""Streaming metrics for training: batches and ranks are accumulated, metrics are over recordings."""

import logging
from collections.abc import Iterable, Mapping

import numpy as np
import pandas as pd
import torch
from torch import Tensor
from torchmetrics import Metric

from evaluation.metrics.applicable import kinds_of, measurements
from evaluation.metrics.catalog import METRICS
from evaluation.tables.aggregate import Aggregate, combine
from evaluation.tables.predictions import DIVERGED, HEADS, PredictionError, items_of, scales_of

_log = logging.getLogger(__name__)

_SIDES = ("given", "prediction", "target")
_FIRST = ("width", "row", "clip")  # how many cells a clip has, which of ranks without any nobody knows
_COLUMNS = (*_FIRST, *(f"{head}_{side}" for head in HEADS for side in _SIDES))
_EXACT = 2**24  # integers below are exact in float32
_CONTEXT = -1  # the row of a clip that counts nowhere: leaving it out here would wait for the device
_TOLERANCE = 1e-3  # our choice: a clip repeated on another rank may differ by kernel rounding, not by more


class RecordingMetrics(Metric):
    """Metrics over recordings, whatever the batches, their order, repeats of a clip or the process count.

    A clip is known by its `(row, clip)`; clips seen twice (padding of a distributed sampler) count once;
    clips are combined into recordings before anything is computed.

    Args:
        aggregate: rule that combines the clips of a recording; use the rule of the final evaluation.

    Examples:
        >>> metric = RecordingMetrics()
        >>> metric.update(
        ...     row=torch.tensor([0, 0, 1]), clip=torch.tensor([0, 1, 0]),
        ...     predictions={"score": torch.tensor([10.0, 14.0, 30.0])},
        ...     targets={"score": torch.tensor([10.0, 10.0, 30.0])},
        ...     target_mask={"score": torch.tensor([True, True, True])},
        ... )
        >>> metric.compute()["mae"]
        tensor(1.)
    """

    full_state_update = False

    def __init__(self, *, aggregate: Aggregate = "mean") -> None:
        super().__init__()
        combine(aggregate)  # refuses an unknown rule before training starts
        self.aggregate = aggregate
        self.undefined: dict[str, str] = {}
        # One flat float32 state: torchmetrics gathers an empty float32 vector from a rank that saw nothing,
        # which would not match integer or two-dimensional states.
        self.cells: list[Tensor]
        self.add_state("cells", default=[], dist_reduce_fx="cat")

    def update(
        self,
        row: Tensor,
        clip: Tensor,
        predictions: Mapping[str, Tensor],
        targets: Mapping[str, Tensor],
        target_mask: Mapping[str, Tensor],
        scored: Tensor | None = None,
    ) -> None:
        """Add a batch of clips, without waiting for the device that they are on.

        Args:
            row: manifest row (B,) int64.
            clip: clip index (B,) int64.
            predictions: head name -> (B,), in points, probability or expected band; names of items ->
                expected answers, in the order of the targets. What else a head of items predicts is left out.
            targets: head name -> (B,); items -> (B,J).
            target_mask: head name -> (B,) bool, False where the target is missing; items -> (B,J).
            scored: (B,) bool, False for clips that count nowhere; None counts all of them.

        Raises:
            ValueError: an unknown head, or no head at all; or answers of another number of items.
        """
        items = items_of(predictions)
        strangers = sorted(set(predictions) - {*HEADS, *items, *scales_of(predictions)})
        if strangers or not predictions:
            raise ValueError(
                f"predictions of heads {strangers or '(none)'}: expected some of {', '.join(HEADS)}"
            )
        counted = row if scored is None else torch.where(scored, row, _CONTEXT)
        columns = [counted.float(), clip.float()]
        for head in HEADS:
            columns += _columns_of(row, predictions.get(head), targets.get(head), target_mask.get(head))
        if items and (targets["items"].shape[1] if "items" in targets else 0) != len(items):
            raise ValueError(
                f"predictions of {len(items)} items: the batch has targets {sorted(targets)}, choose "
                "data/items of the head"
            )
        for place, name in enumerate(items):
            target, mask = targets["items"][:, place], target_mask["items"][:, place]
            columns += _columns_of(row, predictions[name], target, mask)
        width = torch.full_like(columns[0], len(columns) + 1)
        self.cells.append(torch.stack([width, *columns], dim=1).flatten())

    def names(self, heads: Iterable[str]) -> list[str]:
        """What `compute` returns for these heads, where the recordings have every label."""
        kinds = kinds_of(heads)
        return [name for name, metric in METRICS.items() if metric.kind in kinds]

    def recordings(self) -> pd.DataFrame:
        """Recordings of the state held now: `recording_id` (the row), targets and combined predictions.

        Items are numbered in their order, `item_0` first.

        Raises:
            PredictionError: a prediction is not finite, or a repeated clip came with another prediction (the
                metric was not reset between epochs).
            ValueError: an index is too large to be kept exactly.
        """
        cells = torch.cat(self.cells) if isinstance(self.cells, list) else self.cells
        width = int(cells[0])
        items = [f"item_{place}" for place in range((width - len(_COLUMNS)) // len(_SIDES))]
        columns = [*_COLUMNS, *(f"{item}_{side}" for item in items for side in _SIDES)]
        table = pd.DataFrame(cells.view(-1, width).double().cpu().numpy(), columns=columns)
        table = table[table["row"] != _CONTEXT]
        if (table[["row", "clip"]] >= _EXACT).any(axis=None):
            raise ValueError(f"row or clip index of {_EXACT} or above: split the manifest")
        heads = [head for head in (*HEADS, *items) if table[f"{head}_given"].any()]
        for head in heads:
            bad = ~np.isfinite(table[f"{head}_prediction"].to_numpy())
            if bad.any():
                odd = sorted({int(row) for row in table["row"][bad]})
                raise PredictionError(
                    f"{head} predictions are not finite for {len(odd)} recordings, rows {odd[:5]} of the "
                    f"manifest: the model diverged; {DIVERGED}"
                )
        clips = _once(table)
        rows = clips.groupby("row")
        out = rows[[f"{head}_target" for head in (*HEADS, *items)]].first()
        rule = combine(self.aggregate)
        for head in heads:
            out[f"{head}_prediction"] = rows[f"{head}_prediction"].apply(lambda v: rule(v.to_numpy()))
        return out.reset_index().rename(columns={"row": "recording_id"})

    def compute(self) -> dict[str, Tensor]:
        """Return name -> float32 scalar for every head that has predictions and targets.

        A metric that these recordings leave undefined (one class only, no variance) is NaN, is logged with
        its reason and is listed in `undefined`; the keys stay the same from epoch to epoch.

        Raises:
            ValueError: nothing was added since the last reset.
        """
        if not len(self.cells):
            raise ValueError("RecordingMetrics holds no clips: the loader was empty")
        self.undefined = {}
        out: dict[str, Tensor] = {}
        for bound in measurements(self.recordings(), threshold=None):
            if bound.undefined:  # decisions need a threshold
                continue
            value, reason = bound.value()
            if value is None:
                self.undefined[bound.name] = str(reason)
                _log.warning("%s is undefined on these recordings: %s", bound.name, reason)
            out[bound.name] = torch.tensor(
                np.nan if value is None else value, dtype=torch.float32, device=self.device
            )
        return out


def _columns_of(
    row: Tensor, prediction: Tensor | None, target: Tensor | None, mask: Tensor | None
) -> list[Tensor]:
    """Whether a head predicted, its predictions and its targets, each (B,) float32; NaN is "no target"."""
    missing = torch.full(row.shape, torch.nan, device=row.device)
    known = missing if target is None or mask is None else torch.where(mask, target.float(), missing)
    if prediction is None:  # its target may still rank another head's predictions
        return [torch.zeros_like(missing), missing, known]
    return [torch.ones_like(missing), prediction.detach().float(), known]


def _once(table: pd.DataFrame) -> pd.DataFrame:
    """One row per (row, clip), whatever the order they came in.

    Raises:
        PredictionError: a repeated clip came with another prediction.
    """
    table = table.sort_values(list(table.columns), ignore_index=True)
    clips = table.groupby(["row", "clip"], sort=True)
    values = [name for name in table.columns if name not in _FIRST]
    high, low = clips[values].max(), clips[values].min()
    apart = ((high - low) / (1 + high.abs()) > _TOLERANCE).any(axis=1)
    if apart.any():
        where = [(int(row), int(clip)) for row, clip in apart.index[apart][:5]]
        raise PredictionError(f"(row, clip) {where} came twice with different values: reset after each epoch")
    return clips[values].first().reset_index()
