"""Collation of samples to a batch: a plain dict of tensors and lists.

frames (B, T, 3, H, W) uint8, or encoded [B], or series (B, T, F) float32, or tokens (B, T, D); mask (B, T)
bool; of feature sets also set_mask (B, T, S) bool, which of the S sets is real where; targets and target_mask
{score, binary, band: (B,)}, and {items: (B, J)} of their J items in order where questionnaires were chosen;
traits (B, 5) float32 and traits_mask (B, 5) bool; subject, visit, row, clip, seed (B,) int64, subject below 0
where nobody knows who it is; scored (B,) bool; recording_id, subject_id, session_id [B] str; errors:
(recording_id, message) of what was skipped. Only where the split makes first visits known with their scores:
history {earlier: (B, B) bool, score: (B, B) float32}, of pairs of rows (see `history`).
"""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from datamodules.clips.dataset import TARGETS
from datamodules.clips.history import history
from datamodules.manifests.item_answers import TARGET

_STACKED = ("frames", "series", "tokens", "mask", "set_mask")
_CODES = ("subject", "visit", "row", "clip", "seed")
_LISTS = ("encoded", "recording_id", "subject_id", "session_id")


class EmptyBatch(RuntimeError):
    """Not one clip of a batch could be read."""


def collate(samples: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Join samples to a batch; skipped ones leave only their error, clips without a measurement nothing.

    Raises:
        EmptyBatch: Nothing is left; the message repeats why.
    """
    errors = [sample["error"] for sample in samples if "error" in sample]
    kept = [sample for sample in samples if "error" not in sample and "unseen" not in sample]
    if not kept:
        unseen = [
            (sample["unseen"], "no measurement in this clip") for sample in samples if "unseen" in sample
        ]
        raise EmptyBatch(
            f"none of the {len(samples)} clips of a batch could be read; repair or remove these recordings, "
            "or put more persons into a batch:\n"
            + "\n".join(f"  - {name}: {fault}" for name, fault in [*errors, *unseen])
        )
    batch: dict[str, Any] = {
        name: torch.stack([sample[name] for sample in kept]) for name in _STACKED if name in kept[0]
    }
    batch |= {name: [sample[name] for sample in kept] for name in _LISTS if name in kept[0]}
    batch |= {name: torch.tensor([sample[name] for sample in kept], dtype=torch.int64) for name in _CODES}
    batch["scored"] = torch.tensor([sample["scored"] for sample in kept], dtype=torch.bool)
    batch["targets"] = {
        name: torch.tensor([sample["targets"][name] for sample in kept], dtype=dtype)
        for name, dtype in _targets(kept[0]).items()
    }
    batch["target_mask"] = {
        name: torch.tensor([sample["target_mask"][name] for sample in kept], dtype=torch.bool)
        for name in _targets(kept[0])
    }
    if "history" in kept[0]:
        batch["history"] = history(batch["subject"], [sample["history"] for sample in kept])
    traits = torch.tensor([sample["traits"] for sample in kept], dtype=torch.float32)
    known = ~traits.isnan() & batch["scored"][:, None]
    return batch | {"traits": traits.nan_to_num(0.0), "traits_mask": known, "errors": errors}


def _targets(sample: dict[str, Any]) -> dict[str, torch.dtype]:
    items = {TARGET: torch.int64} if TARGET in sample["targets"] else {}
    return TARGETS | items


def keep_rows(batch: dict[str, Any], rows: Sequence[int]) -> dict[str, Any]:
    """Return the batch with the given rows only; `errors` are kept whole."""
    kept = {name: value if name == "errors" else _take(value, list(rows)) for name, value in batch.items()}
    if "history" in kept:  # of pairs of rows: the second ones go as well
        kept["history"] = {name: value[:, list(rows)] for name, value in kept["history"].items()}
    return kept


def _take(value: Any, rows: list[int]) -> Any:
    if isinstance(value, Tensor):
        return value[torch.as_tensor(rows, device=value.device)]
    if isinstance(value, dict):
        return {name: _take(part, rows) for name, part in value.items()}
    return [value[row] for row in rows]
