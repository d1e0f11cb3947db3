"""Pretrained weights of a run: told once, and held against the clips before a cohort is made."""

import logging
from collections.abc import Iterator, Mapping
from typing import Any

from torch import nn

from engine.config.build import build
from engine.config.compose import ConfigError
from engine.config.targets import leaves
from evaluation.report.sections.provenance_section import weights_text
from models.weights.record import Expects, records

_log = logging.getLogger(__name__)

_CLIPS = ("train_clips", "eval_clips")
_CLOSE = 1e-3  # of a mean in [0, 1]; configs are written with three digits


def weights_taken(network: nn.Module) -> dict[str, dict[str, Any]]:
    """Weights that the parts of a network began with, by their place in it, as plain values."""
    return {place: record.plain() for place, record in records(network).items()}


def check_expectations(form: nn.Module, config: Mapping[str, Any]) -> None:
    """Stop where clips are not what the network, or its pretrained weights, must be shown.

    Parts with weights are built once to see that these are there and fit; which ones they are is logged. A
    run that goes on needs them no more.

    Args:
        form: The task on the meta device, without weights.
        config: Resolved config of the run.

    Raises:
        ConfigError: Size, length or normalization differ; with the override that mends it.
        WeightsError: See `models.weights.record`.
    """
    module = config["data"]["module"]
    lengths = {f"data.module.{name}.length": (module.get(name) or {}).get("length") for name in _CLIPS}
    check_shown(form, module, lengths)
    if config.get("resume") is not None or config.get("ckpt_path") is not None:
        return  # its weights are those of its checkpoint
    told = set()
    for key, node in _with_weights(config["model"]):
        part = build(node, key=key)
        for text in map(weights_text, weights_taken(part).values()):
            if text not in told:
                _log.info("weights: %s", text)
            told.add(text)
        if isinstance(expects := getattr(part, "expects", None), Expects):
            _check(expects, module, lengths, whose=f"{key}.weights={node['weights']}")
    if config["model"].get("tuning") is not None and not told and config.get("init_from") is None:
        _log.warning(
            "model/tuning: the trunk begins at random, and what is not trained stays so: give it weights=... "
            "of its own, or init_from=<best.ckpt>"
        )


def check_shown(network: nn.Module, module: Mapping[str, Any], lengths: Mapping[str, Any]) -> None:
    """Stop where clips are not what a part of a network must be shown.

    Args:
        network: On any device.
        module: The node `data.module`: size and normalization of the clips.
        lengths: Their numbers of frames, by the key that sets each.

    Raises:
        ConfigError: With the override that mends it.
    """
    for part in network.modules():
        if isinstance(expects := getattr(part, "expects", None), Expects):
            _check(expects, module, lengths, whose=type(part).__name__)


def _with_weights(model: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    for key, value in leaves(dict(model), "model"):
        place, _, name = key.rpartition(".")
        if name == "weights" and isinstance(value, str):
            node: Any = model
            for step in place.split(".")[1:]:
                node = node[step]
            yield place, node


def _check(expects: Expects, module: Mapping[str, Any], lengths: Mapping[str, Any], *, whose: str) -> None:
    video = (module.get("source") or {}).get("video")
    if not video:
        return
    size = (video["height"], video["width"])
    if expects.size is not None and size != expects.size:
        _stop(whose, f"takes {_by(expects.size)} pixels, and clips have {_by(size)}", _sized(expects.size))
    if any(side % expects.multiple for side in size):
        near = tuple(max(1, round(side / expects.multiple)) * expects.multiple for side in size)
        _stop(
            whose, f"takes multiples of {expects.multiple} pixels, and clips have {_by(size)}", _sized(near)
        )
    for length in lengths.values():
        if isinstance(length, int) and length < expects.frames:
            mend = " ".join(f"{key}={expects.frames}" for key in lengths)
            _stop(whose, f"was trained on {expects.frames} frames or more, and clips have {length}", mend)
    _check_colors(expects, module, whose=whose)


def _check_colors(expects: Expects, module: Mapping[str, Any], *, whose: str) -> None:
    normalize = module.get("normalize") or {}
    for name in ("mean", "std"):
        wanted, given = getattr(expects, name), normalize.get(name)
        if wanted is None:
            continue
        if given is None or max(abs(a - b) for a, b in zip(wanted, given, strict=True)) > _CLOSE:
            mend = " ".join(
                f"data.module.normalize.{one}=[{','.join(f'{value:g}' for value in getattr(expects, one))}]"
                for one in ("mean", "std")
            )
            leaf = (
                "" if normalize else "+data.module.normalize._target_=datamodules.clips.transforms.Normalize "
            )
            _stop(
                whose,
                f"was trained with a {name} of {_listed(wanted)}, and clips have {_listed(given)}",
                leaf + mend,
            )


def _stop(whose: str, why: str, mend: str) -> None:
    raise ConfigError(
        f"{whose}: {why}. Set {mend}"
        + (
            ". Weights that were trained otherwise say so in a config.json beside their file, "
            '{"architecture": ..., "pretrained_cfg": {"mean": [...], "std": [...]}}'
            if "normalize" in mend
            else ""
        )
    )


def _sized(size: tuple[int, ...]) -> str:
    height, width = size
    return f"data.module.source.video.height={height} data.module.source.video.width={width}"


def _by(size: tuple[int, ...]) -> str:
    return f"{size[0]} x {size[1]}"


def _listed(values: Any) -> str:
    return "none" if values is None else f"[{', '.join(f'{value:g}' for value in values)}]"
