"""Callback that restores on resume what Lightning loses: best checkpoints, early stop, found rate."""

import logging
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytorch_lightning as pl
import torch
from pytorch_lightning.callbacks import EarlyStopping, ModelCheckpoint

from engine.checkpoints.checkpoint import TRAINED, CheckpointError, RunCheckpoint
from engine.runs.atomic_write import put
from engine.runs.ranks import is_main
from engine.training.callbacks import History
from engine.training.ema import EMA
from engine.training.lr_finder import FoundRate

_log = logging.getLogger(__name__)
_PATHS = ("best_model_path", "kth_best_model_path", "last_model_path")  # in the state of a `ModelCheckpoint`


class Resumption(pl.Callback):
    """Makes a resumed run equal to the uninterrupted one, in whatever folder it goes on.

    Lightning forgets the best value so far when the folder of a `ModelCheckpoint` has changed, and that
    training was stopped early. Both are put right here before its callbacks read their states.

    Args:
        source: The checkpoint that the run goes on from, beside its others; None for a new run.
        rate: What the range test of `find_lr` found.
    """

    def __init__(self, *, source: Path | None, rate: FoundRate | None = None) -> None:
        self._source, self._restored = source, False
        self._rate = None if rate is None else asdict(rate)

    def on_save_checkpoint(
        self, trainer: pl.Trainer, pl_module: pl.LightningModule, checkpoint: dict[str, Any]
    ) -> None:
        """Add the rate, and whether training was stopped early."""
        del pl_module
        checkpoint["callbacks"][self.state_key] = {"stopped": bool(trainer.should_stop), "rate": self._rate}

    def on_load_checkpoint(
        self, trainer: pl.Trainer, pl_module: pl.LightningModule, checkpoint: dict[str, Any]
    ) -> None:
        """Bring the files of the best epochs along, and tell the callbacks where they are now.

        Raises:
            CheckpointError: A best checkpoint is not beside the one that the run goes on from, or a state is
                none that a `ModelCheckpoint` writes.
        """
        if TRAINED in checkpoint and not any(isinstance(one, EMA) for one in trainer.callbacks):  # type: ignore[attr-defined]
            pl_module.load_state_dict(
                checkpoint[TRAINED]
            )  # its optimizer is that of these, not of the average
        states = checkpoint.get("callbacks") or {}
        trainer.should_stop = bool(states.get(self.state_key, {}).get("stopped", False))
        for callback in trainer.checkpoint_callbacks:
            if isinstance(callback, ModelCheckpoint) and callback.state_key in states:
                state = states[callback.state_key]
                if odd := _odd(state):
                    raise CheckpointError(
                        f"{self._source}: {odd}, which no run of this project wrote. Nothing was copied or "
                        "removed. Copy it again from its run, or begin anew."
                    )
                states[callback.state_key] = self._moved(state, Path(str(callback.dirpath)))
                # Lightning saves this value and does not read it again
                callback.current_score = state.get("current_score")
        trainer.strategy.barrier()  # the first rank copies files that the others are about to name

    def on_sanity_check_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Note that Lightning has taken over everything that the checkpoint holds."""
        del trainer, pl_module
        self._restored = True

    def on_train_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """The same, where no sanity check runs before training."""
        self.on_sanity_check_start(trainer, pl_module)

    @contextmanager
    def restoring(self) -> Iterator[None]:
        """Name the checkpoint where its training state makes Lightning stumble before the first step.

        Raises:
            CheckpointError: Of what the checkpoint holds besides weights and record, something does not fit.
        """
        try:
            yield
        except (ArithmeticError, AttributeError, LookupError, RuntimeError, TypeError, ValueError) as error:
            # errors of this project inherit from these too, and say already what is wrong
            if self._source is None or self._restored or type(error).__module__ != "builtins":
                raise
            raise CheckpointError(
                f"{self._source}: its training state (loops, optimizer, callbacks) cannot be taken over "
                f"({type(error).__name__}: {str(error)[:200]}). Copy it again from its run, or begin anew."
            ) from error

    def _moved(self, state: Mapping[str, Any], folder: Path) -> dict[str, Any]:
        """The state of a `ModelCheckpoint` with its files in another folder."""
        old = Path(state["dirpath"])

        def place(path: str) -> str:
            return str(folder / _below(Path(path), old)) if path else path

        best = dict(state["best_k_models"])
        if self._source is not None and is_main():
            for path in best:
                _bring(self._source.parent / _below(Path(path), old), Path(place(path)))
            if state["monitor"] is None and state["best_model_path"]:  # the state that is gone on from
                _bring(self._source, Path(place(state["best_model_path"])))
        paths = {name: place(state[name]) for name in _PATHS}
        best = {place(path): score for path, score in best.items()}
        return dict(state) | paths | {"best_k_models": best, "dirpath": str(folder)}


def _odd(state: Any) -> str | None:
    """What no `ModelCheckpoint` writes in a state: files are copied to its paths, and removed."""
    if not isinstance(state, Mapping):
        return f"the state of a ModelCheckpoint is {state!r:.80}"
    kinds = {"dirpath": str, "best_k_models": Mapping} | dict.fromkeys(_PATHS, str)
    for name, kind in kinds.items():
        if not isinstance(state.get(name), kind):
            return f"{name} is {state.get(name)!r:.80}"
    for path in (*state["best_k_models"], *(state[name] for name in state if str(name).endswith("_path"))):
        plain = isinstance(path, str) and "\0" not in path and ".." not in Path(path).parts
        if not plain or (path and Path(path).suffix != ".ckpt"):
            return f"it names the file {path!r:.80}"
    return None


def check_states(callbacks: Sequence[pl.Callback], path: Path, *, strict: bool) -> None:
    """Name the callbacks whose states a checkpoint does not hold; Lightning begins these anew without a word.

    Args:
        callbacks: Of the run that goes on.
        path: The checkpoint, whole.
        strict: Whether the run goes on as the one that it was; a new one may have other callbacks.

    Raises:
        CheckpointError: Under `strict`, one that knows the best epoch, the end or the history is missing.
    """
    known = _states(path)
    remember = (ModelCheckpoint, EarlyStopping, EMA, History)
    missing = [one for one in callbacks if isinstance(one, remember) and one.state_key not in known]
    if not missing:
        return
    names = ", ".join(sorted({type(one).__name__ for one in missing}))
    what = f"{path}: does not hold the state of {names}, so the epochs before it are forgotten there"
    if strict:
        raise CheckpointError(
            f"{what}: the best of them, or when to stop. Copy the file again from its run, or begin anew "
            f"from its weights and optimizer with ckpt_path={path}."
        )
    _log.warning("%s: the best epoch is one of those that come now", what)


def kept_rate(state: RunCheckpoint) -> FoundRate:
    """What the range test had found in the run of a checkpoint; its learning rate where it does not say.

    Raises:
        CheckpointError: It says something else.
    """
    try:
        kept = _states(state.path).get(Resumption.__qualname__, {}).get("rate")
        if kept is None:
            kept = {"rate": state.config["model"]["optimizer"]["lr"], "rates": [], "losses": []}
        return _read_rate(**kept)
    except (AttributeError, TypeError, ValueError) as error:
        raise CheckpointError(
            f"{state.path}: the rate that it says was found is none. Copy it again from its run, or begin "
            "anew."
        ) from error


def _states(path: Path) -> Mapping[str, Any]:
    """What a checkpoint holds of the callbacks of its run."""
    states = torch.load(path, map_location="cpu", weights_only=True).get("callbacks")
    return states if isinstance(states, Mapping) else {}


def _read_rate(*, rate: Any, rates: Any, losses: Any) -> FoundRate:
    if not 0 < float(rate) < float("inf"):
        raise ValueError(rate)
    return FoundRate(float(rate), [float(r) for r in rates], [float(x) for x in losses])


def _below(path: Path, folder: Path) -> Path:
    return path.relative_to(folder) if path.is_relative_to(folder) else Path(path.name)


def _bring(source: Path, target: Path) -> None:
    if not source.is_file():
        raise CheckpointError(
            f"{source}: is missing: the best epoch so far, which a resumed run needs as well. Keep a run's "
            "checkpoints in one folder, or begin anew."
        )
    if source.resolve() != target.resolve():
        put(target, source.read_bytes(), lost="the best checkpoint so far, in this folder")
