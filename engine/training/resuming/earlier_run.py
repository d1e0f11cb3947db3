"""The run that a training goes on from (`resume=<folder>` or `last`): found, checked, its last state."""

import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from engine.checkpoints.atomic_checkpoint_io import LAST, PREVIOUS, STEP
from engine.checkpoints.checkpoint import CheckpointError, RunCheckpoint, load_checkpoint
from engine.checkpoints.recorded_config import recorded
from engine.config.compose import ConfigError
from engine.config.differences import differences
from engine.config.set_widths import with_channel_widths
from engine.runs.environment import git_state
from engine.runs.find_run import found_run
from engine.runs.lock import FolderInUse, holder, is_held
from engine.runs.provenance import FILE, RunFolderError, began_nothing, read_manifest_json
from engine.runs.ranks import is_main
from engine.runs.trusted_code import tell_other_code

_log = logging.getLogger(__name__)

_OTHERS = ("eval.py", "predict.py", "analyze.py")
DAMAGED = "damaged.ckpt"
_RATES = ("optimizer", "scheduler")  # of the model
_KEEP = "Give those of its run, or train anew without ckpt_path"
_LONGER = (
    "A run cannot be made longer afterwards, as its learning rate has fallen to the end of its schedule. "
    "Train anew with the larger trainer.max_epochs, without ckpt_path= and resume=. A run that is to go on "
    "later is planned so, with model.scheduler.T_max=<all of its epochs> from the first one on."
)


def earlier_run(config: Mapping[str, Any], folder: Path) -> Path | None:
    """The run that this one goes on from; None for a new one.

    That is the one of `resume=`, or the unfinished run that lies in the folder itself.

    Raises:
        RunFolderError: It was run with another config, or none lies where it should.
        FolderInUse: It is still going on.
        ConfigError: Both `resume` and `ckpt_path` are given.
        CheckpointError: The optimizer or schedule of `ckpt_path` is another one than that of the config.
    """
    resume = config.get("resume")
    if resume is not None and config["ckpt_path"] is not None:
        raise ConfigError("resume= and ckpt_path= both say where to go on from: leave one of them out")
    outputs = Path("outputs") / config["experiment_name"]
    source = folder if resume is None else found_run(str(resume), outputs=outputs)
    if not (source / FILE).is_file() and resume is None:
        if config["ckpt_path"] is not None:
            _check_rates(load_checkpoint(config["ckpt_path"]), config)
        return None
    if is_main() and is_held(source):
        raise FolderInUse(f"{source} is still being written by {holder(source)}. Wait for it, or stop it.")
    content = read_manifest_json(source)
    wrote = str((content.get("argv") or [""])[0])
    if resume is not None and wrote in _OTHERS:
        raise RunFolderError(f"resume={resume}: holds what {wrote} wrote. Give the folder of a training.")
    if resume is None and began_nothing(content, source):
        return None
    check_same(content, config, source)
    _tell_code(content, source)
    if resume is not None:
        how = content.get("status", "unknown")
        how = "running, but nobody holds its lock: it was killed" if how == "running" else how
        _log.info("resume: going on with %s (its status: %s)", source, how)
    return None if config["ckpt_path"] is not None else source


def _check_rates(state: RunCheckpoint, config: Mapping[str, Any]) -> None:
    """Refuse settings of the rate that would go without effect: what is restored holds those of its run.

    Raises:
        CheckpointError: Names the keys with both values.
    """
    was, now = (
        {"paths": {"output": ""}, "model": {name: run["model"].get(name) for name in _RATES}}
        for run in (state.config, recorded(config))
    )
    keys = differences(was, now)
    if config["find_lr"]:
        keys = [key for key in keys if not key.startswith("model.optimizer.lr:")]
    if keys:
        raise CheckpointError(
            f"{state.path}: goes on with the optimizer and schedule that are stored in it, and this config "
            f"has others: {'; '.join(keys)}. {_LONGER if any('T_max' in key for key in keys) else _KEEP}"
        )


def check_same(content: Mapping[str, Any], config: Mapping[str, Any], source: Path) -> None:
    """Stop if a run would go on with another config than it had.

    Args:
        content: Of its `manifest.json`; where that is gone its last checkpoint is asked.
        config: Of the run that goes on.
        source: The run's folder.

    Raises:
        RunFolderError: Names the keys with both values.
    """
    earlier, settled = content.get("config"), set()
    if earlier is None:
        state = whole_state(source)
        if state is None:
            return
        config = recorded(config) | {"paths": config["paths"]}
        root = state.config.get("trainer", {}).get("default_root_dir")  # a checkpoint has no `paths`
        earlier = state.config | {"paths": {"output": str(root)}}
        # a checkpoint names every channel that was read, where the config may have left them open, and holds
        # the rate that was found
        settled = {"data.module.source.channels"}
        config = with_channel_widths(config, earlier["data"]["module"]["source"].get("channels"))
        if config["find_lr"]:
            settled |= {"model.optimizer.lr"}
    keys = [line for line in differences(earlier, config) if line.partition(":")[0] not in settled]
    if not keys:
        return
    remedy = "Give the settings that it had, or begin a new run: another hydra.run.dir=... and no resume=."
    if any(key.startswith("model.scheduler.") for key in keys):
        remedy += f" Where only trainer.max_epochs was changed: {_LONGER[0].lower()}{_LONGER[1:]}"
    raise RunFolderError(f"{source}: was run with another config: {'; '.join(keys)}. {remedy}")


def check_statistics(state: RunCheckpoint, statistics: Mapping[str, Any]) -> None:
    """Stop if a run would go on under code that measures something else in the training recordings.

    The format of a checkpoint says what its file holds. What a setting means, such as an amount of
    augmentation in spreads that older code did not measure, is not in it.

    Args:
        state: The checkpoint to go on from.
        statistics: Those of the training recordings, measured here.

    Raises:
        CheckpointError: Names what is measured on one side only.
    """
    if odd := sorted(set(state.statistics) ^ set(statistics)):
        where = "there" if odd[0] in state.statistics else "here"
        raise CheckpointError(
            f"{state.path}: was trained by other code: {odd[0]} of the training recordings is measured "
            f"{where} only, so that settings which rest on it mean something else. Go on with the commit "
            "named in its run's manifest.json, or train anew."
        )


def _tell_code(content: Mapping[str, Any], source: Path) -> None:
    """Say where a run goes on under other code: settings that are equal may mean something else there."""
    was, now = ((one or {}).get("commit") for one in (content.get("git"), git_state()))
    if was and now and was != now and is_main():
        _log.warning(
            "%s: was run with commit %.12s, and this is %.12s. What they train is the same only where no "
            "code of training changed between them, which nothing here can tell; to be sure, check that out",
            source, was, now,
        )  # fmt: skip
    tell_other_code(content, source)


def whole_state(folder: Path) -> RunCheckpoint | None:
    """The newest whole checkpoint of a run, or None where it has none yet.

    Raises:
        CheckpointError: There are checkpoints, and none of them is whole.
    """
    paths = [folder / "checkpoints" / name for name in (STEP, LAST, PREVIOUS)]
    faults = []
    for path in (path for path in paths if path.is_file()):
        try:
            state = load_checkpoint(path)
        except CheckpointError as fault:
            faults.append(fault)
            continue
        if faults:
            _log.warning("%s Going on from %s, the state before it.", faults[0], path)
        return state
    if faults:
        raise faults[0]
    return None


def set_aside(state: RunCheckpoint, folder: Path) -> None:
    """Give a damaged `last.ckpt` another name, so that it never takes the place of a whole one."""
    last = state.path.with_name(LAST)
    own = last.parent.resolve() == (folder / "checkpoints").resolve()
    if own and state.path.name == PREVIOUS and last.is_file() and is_main():
        last.replace(last.with_name(DAMAGED))
