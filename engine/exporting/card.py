"""The card of a bundle: what its network takes and gives, what it is for, and what it was made of."""

from collections.abc import Mapping
from typing import Any

import pandas as pd
import torch
from torch import Tensor

from engine.checkpoints.checkpoint import RunCheckpoint
from engine.config.differences import without_places
from engine.exporting.program import Program, named_outputs
from evaluation.tables.predictions import ITEM
from evaluation.uncertainty.prediction_intervals import COVERAGE, ConformalInterval
from evaluation.uncertainty.threshold import choose_threshold

INTENDED_USE = (
    "Research on methods: to reproduce the results of a run, and to predict recordings like those of its "
    "training for a study. The predictions are of a questionnaire's score or of groups by it."
)
LIMITS = (
    "Research software, not a diagnostic device: no diagnosis, screening, treatment or other decision on a "
    "person may rest on it.",
    "It was measured on recordings like those of its run alone. Other cameras, tasks, languages, ages or "
    "cultures, and other preprocessing, can move its predictions by any amount.",
    "A questionnaire is no diagnosis, and its score on one day no trait.",
    "Where data are few, intervals are wide: report those of its run (metrics.json) beside any prediction.",
)
_MEANING = {
    "frames": "aligned RGB frames of one face, 0 to 255; the normalization is inside",
    "series": "channels in the units of the files, in the order of `channels`; standardized inside",
    "mask": "whether a frame or step is real; the clip is padded with zeros at its end",
    "set_mask": "which feature set is real at which step; the sets are those of `channels`, in their order",
    "subject": "equal for clips of one person, negative where nobody knows who it is",
    "row": "equal for clips of one recording: the context of a clip is of the person's other recordings in "
    "the batch, so that one person's recordings belong in one batch",
    "visit": "number of the visit of a person",
    "history.earlier": "whether clip j is of an earlier visit, known to the prediction of clip i",
    "history.score": "score of clip j's visit in points, NaN where it is not known or not earlier",
    "score": "score of the questionnaire in points",
    "binary": "probability of the positive class",
    "band": "expected band of severity, from 0",
    "context_available": "whether other recordings of the person were in the batch",
    "embedding": "what the heads read",
    "attention": "weight of each step of the clip",
}


def card_of(
    checkpoint: RunCheckpoint, program: Program, batch: Mapping[str, Tensor], *, form: str
) -> dict[str, Any]:
    """The card, of plain values.

    Args:
        checkpoint: Of the run.
        program: What is exported.
        batch: Made up; its shapes are told.
        form: The format of the network.
    """
    config = checkpoint.config
    module = config["data"]["module"]
    with torch.inference_mode():
        outputs = named_outputs(program, {name: batch[name] for name in program.inputs})
    preprocessing = checkpoint.preprocessing
    return {
        "experiment": config["experiment_name"],
        "format": form,
        "intended_use": INTENDED_USE,
        "limits": list(LIMITS),
        "inputs": [_entry(name, batch[name]) for name in program.inputs],
        "outputs": [_entry(name, value) for name, value in outputs.items()],
        "channels": list(module["source"].get("channels") or ()),
        "clips": without_places({"of_a_recording": module["eval_clips"], "source": module["source"]}),
        "combined_by": config["evaluation"]["aggregate"],
        "normalization": module.get("normalize"),
        "preprocessing": None if preprocessing is None else preprocessing.plain(),
        "scale": config["data"]["scale"],
        **_taught(checkpoint),
        "licenses": {
            "code": "Apache-2.0 (Euthymia)",
            "trained_weights": "not stated: those who own the training recordings decide",
            "pretrained_weights": checkpoint.pretrained,
        },
        "parameters": sum(weight.numel() for weight in program.parameters()),
    }


def _entry(name: str, value: Tensor) -> dict[str, Any]:
    """Name, form and meaning of an input or output; every axis as long as the batch may have any length."""
    pairs = name.startswith("history.")
    axes = ["batch", "batch"] if pairs else ["batch", *value.shape[1:]]
    return {
        "name": name,
        "shape": axes,
        "type": str(value.dtype).removeprefix("torch."),
        "meaning": _MEANING.get(name) or _of_items(name),
    }


def _of_items(name: str) -> str:
    """The meaning of what a head of items gives; see `evaluation.tables.predictions`."""
    of = name.rpartition("_severity")[0] or name.rpartition("_")[0]
    if name.startswith(ITEM):
        return f"expected answer to {name}"
    if name.endswith("_severity"):
        return f"mean of the latent severity {of}, in standard deviations among the training persons"
    if name.endswith("_severity_sd"):
        return f"standard deviation of the latent severity {of}"
    if name.endswith("_total"):
        return f"expected total of {of}"
    if name.endswith("_probability"):
        return f"probability that the total of {of} reaches its threshold"
    return f"prediction of the head {name!r}"


def _taught(checkpoint: RunCheckpoint) -> dict[str, Any]:
    """What validation taught, and nothing of the test part: threshold and intervals for recordings."""
    found = pd.DataFrame(checkpoint.calibration)
    if found.empty:
        reason = (
            "the run had not ended, was not measured (evaluation.test=false, as of trials that are not "
            "chosen), or other weights than these were validated"
        )
        return {"threshold": {"value": None, "reason": reason}, "interval": None}
    interval = None
    if {"score_target", "score_prediction"} <= set(found) and (known := found["score_target"].notna()).any():
        scale = checkpoint.config["data"]["scale"]
        target, prediction = found["score_target"][known], found["score_prediction"][known]
        fitted = ConformalInterval.fit(target, prediction, low=scale["low"], high=scale["high"])
        finite = fitted.radius if fitted.radius != float("inf") else None
        interval = {"coverage": COVERAGE, "points": finite, "recordings": int(known.sum())}
    return {"threshold": choose_threshold(found).as_dict(), "interval": interval}
