"""Filmstrips for the report: a few clips with the attention that RARM gives to their frames."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from datamodules.clips.dataset import PixelClips
from datamodules.manifests.manifest import Manifest
from engine.config.build import build
from engine.inference.clip_predictions import ClipPredictions
from evaluation.report.figures import AttentionExample


def filmstrips(
    clips: ClipPredictions, manifest: Manifest, config: Mapping[str, Any]
) -> tuple[AttentionExample, ...]:
    """Clips from the highest prediction to the lowest, with the frames that the network saw.

    Args:
        clips: Predicted clips.
        manifest: Where the videos are.
        config: Resolved config of the run; `evaluation.filmstrips` says how many, and 0 keeps faces out of
            the report.

    Returns:
        Nothing where the network gives no attention or reads no video.
    """
    wanted = int(config["evaluation"]["filmstrips"])
    source = build(config["data"]["module"]["source"], key="data.module.source")
    if not wanted or not clips.attention or not isinstance(source, PixelClips):
        return ()
    sampler = build(config["data"]["module"]["eval_clips"], key="data.module.eval_clips")
    head = next(name for name in ("score", "binary", "band") if name in clips.table)
    order = np.argsort(-clips.table[head].to_numpy(dtype=np.float64), kind="stable")
    places = order[np.unique(np.linspace(0, len(order) - 1, wanted).round().astype(int))]
    examples = []
    for place in places:
        row = clips.table.iloc[int(place)]
        recording = manifest.recordings([row["recording_id"]])[0]
        if recording.path is None:
            continue
        number = int(row["clip"])
        indices, real = sampler(source.length(recording), number, None)
        frames = source.video.clip(recording.path, indices.tolist())
        truth = getattr(recording, head)
        told = "truth unknown" if truth is None else f"truth {truth:g}"
        weights = clips.attention[int(place)]
        if len(weights) == len(real):  # the network kept one step a frame: those of padding are left out
            weights = weights[real]
        examples.append(
            AttentionExample(
                recording_id=str(row["recording_id"]),
                caption=f"predicted {head} {row[head]:.2f}, {told}, clip {number}",
                frames=frames.permute(0, 2, 3, 1).numpy()[real],
                weights=weights,
            )
        )
    return tuple(examples)
