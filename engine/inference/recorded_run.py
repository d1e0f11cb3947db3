"""The config of a checkpoint's run, as `eval.py` and `predict.py` go on with it."""

import logging
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from joblib import cpu_count

from datamodules.splits.partition import Split
from engine.checkpoints.checkpoint import RunCheckpoint, load_checkpoint, with_weights
from engine.checkpoints.recorded_config import recorded
from engine.config.compose import ConfigError
from engine.config.differences import differences
from engine.config.set_widths import with_channel_widths
from engine.config.targets import check_targets, trusted
from engine.config.value_ranges import check_settings
from engine.runs.provenance import read_manifest_json
from engine.runs.quiet_warnings import quiet
from engine.runs.seed import seed_run
from engine.runs.trusted_code import tell_other_code

_log = logging.getLogger(__name__)

_LATER = ("cluster",)  # of `evaluation`: configs of earlier checkpoints have no such key

_TRAINER = {
    "accelerator": ("auto", "cpu", "gpu", "cuda", "mps", "tpu"),
    "precision": (
        *("64-true", "64", 64, "32-true", "32", 32, "16-true", "16-mixed", "16", 16),
        *("bf16-true", "bf16-mixed", "bf16"),
    ),
    "deterministic": (True, False, None, "warn"),
    "enable_progress_bar": (True, False, None),
}
"""What of a run's trainer changes its numbers or its output on one device; nothing else of it is used."""
_IDENTITY = ("seed", "model", "protocol", "selection")  # parts of a config that make another network
_LONGER = "model.scheduler."  # follows the epochs, which a run that goes on may have more of


def recorded_run(
    config: Mapping[str, Any], *, folder: Path, checkpoint: RunCheckpoint | None = None
) -> tuple[RunCheckpoint, dict[str, Any]]:
    """The checkpoint of `ckpt_path`, verified, and the checked config of its run; seeds as that run did.

    Trainer, paths, workers and how results are computed are those of this command, where it gives any.

    Args:
        config: Resolved config of `conf/eval.yaml` or `conf/predict.yaml`.
        folder: Where this command writes.
        checkpoint: Of an exported network, in the place of the one at `ckpt_path`.

    Raises:
        CheckpointError: The checkpoint is damaged or altered, or has no such weights.
        ForbiddenTarget: The trainer given here is not on the allow-list.
        ConfigError: A setting that does not exist.
    """
    quiet()
    if checkpoint is None:
        checkpoint = with_weights(load_checkpoint(config["ckpt_path"]), config.get("weights"))
        if trusted():
            made = checkpoint.path.parents[1] if checkpoint.path.parent.name == "checkpoints" else folder
            tell_other_code(read_manifest_json(made), checkpoint.path)
    if checkpoint.weights == "raw":
        _log.warning(
            "weights=raw: validation looked at the average in training, so that its threshold and intervals "
            "do not hold for these weights: they are learned from what these predict for validation, or left "
            "out where that is not at hand"
        )
    run = dict(checkpoint.config)
    run["paths"] = {"data": "data", "output": str(folder), **(config.get("paths") or {})}
    run["trainer"] = config.get("trainer") or _trainer(checkpoint, folder)
    check_targets(run["trainer"])
    run["accept_leaks"] = list(config.get("accept_leaks") or ())  # of this command, never of the checkpoint
    module = dict(run["data"]["module"])
    if config.get("num_workers") is not None:
        module["num_workers"] = config["num_workers"]
    elif isinstance(module.get("num_workers"), int):  # no more processes than this machine has cores for
        module["num_workers"] = min(module["num_workers"], cpu_count())
    if isinstance(video := module["source"].get("video"), Mapping) and "keep" in video:
        module["source"] = module["source"] | {"video": {**video, "keep": 0}}  # every clip is read once
    run["data"] = run["data"] | {"module": module}
    given = config.get("evaluation") or {}
    changes = {name: value for name, value in given.items() if value is not None}
    if strangers := sorted(set(changes) - {*run["evaluation"], *_LATER}):
        raise ConfigError(
            f"evaluation.{strangers[0]}: no such setting; there are {', '.join(run['evaluation'])}"
        )
    run["evaluation"] = run["evaluation"] | changes
    check_settings(run)
    seed_run(run["seed"])
    return checkpoint, run


def unlike(checkpoint: RunCheckpoint, record: Mapping[str, Any]) -> str:
    """How the run of a folder differs from the run that a checkpoint came from; empty where it does not.

    A copied file may lie in the folder of another network, whose looks it must not count.

    Args:
        checkpoint: Lies there.
        record: The `manifest.json` of the folder; of runs before it kept the config nothing is said.
    """
    if not isinstance(config := record.get("config"), Mapping):
        return ""
    if record.get("data_digest") not in (None, checkpoint.data_digest):
        return "of other data"
    # the folder may have left open what the files of its feature sets told
    config = with_channel_widths(config, checkpoint.config["data"]["module"]["source"].get("channels"))
    paths = {"paths": {"output": "(left out)"}}  # no part of a checkpoint, and asked for
    found = differences({**checkpoint.config, **paths}, {**recorded(config), **paths})
    named = [(line.partition(":")[0], line) for line in found]
    own = [line for key, line in named if key.partition(".")[0] in _IDENTITY and not key.startswith(_LONGER)]
    return "; ".join(own[:3])


def own_split(checkpoint: RunCheckpoint) -> Split:
    """The split of a checkpoint's run."""
    stored = checkpoint.split.items()
    parts: dict[str, Any] = {name: tuple(part) if isinstance(part, list) else part for name, part in stored}
    return Split(**parts)


def taught(checkpoint: RunCheckpoint, run: Mapping[str, Any]) -> tuple[RunCheckpoint, tuple[str, ...]]:
    """The checkpoint with what its validation taught, as far as that holds here, and remarks.

    A median of clips moves otherwise than their mean: decisions, intervals and the smallest change that is
    not noise belong to one `evaluation.aggregate`, and are left out under another one.

    Args:
        checkpoint: Of the run.
        run: Its config, as `recorded_run` returns it.
    """
    was, now = (one["evaluation"]["aggregate"] for one in (checkpoint.config, run))
    if was == now:
        return checkpoint, ()
    remark = (
        f"Recordings are combined by evaluation.aggregate={now}, and by {was} in training: threshold, "
        "prediction intervals and the smallest change that is not noise were learned there and do not hold "
        "here, so that they are left out. Without evaluation.aggregate they are there."
    )
    _log.warning("%s", remark)
    return replace(checkpoint, calibration={}, change={}), (remark,)


def _trainer(checkpoint: RunCheckpoint, folder: Path) -> dict[str, Any]:
    """A trainer of ours for one device, with the precision and kind of device of the run."""
    node: dict[str, Any] = {
        "_target_": "pytorch_lightning.Trainer",
        "default_root_dir": str(folder),
        "use_distributed_sampler": False,
        "enable_model_summary": False,
    }
    for name, known in _TRAINER.items():
        value = checkpoint.config.get("trainer", {}).get(name)
        if not any(value is one or (value == one and type(value) is type(one)) for one in known):
            raise ConfigError(
                f"{checkpoint.path}: trainer.{name}={value!r:.80} is not taken from a checkpoint; choose a "
                "trainer of your own with trainer=cpu or trainer=gpu"
            )
        if value is not None:
            node[name] = value
    return node
