"""Check that recordings were preprocessed as those that a checkpoint was trained on."""

import logging
from collections.abc import Mapping
from typing import Any

from datamodules.commands import typed
from datamodules.manifests.manifest import Manifest
from datamodules.manifests.preprocessing import Preprocessing, is_version
from engine.checkpoints.checkpoint import RunCheckpoint
from engine.cohort.preprocess_words import preprocess_words
from engine.config.compose import ConfigError
from engine.runs.terminal import trust_word

_log = logging.getLogger(__name__)

_ACCEPT = "To go on all the same: accept_preprocessing=true, which every page says"
_ENCODER = "encoder"  # a setting of stores of encode.py alone
_SHOWN = 12  # differences in a message


def check_preprocessing(checkpoint: RunCheckpoint, manifest: Manifest, *, accepted: bool) -> tuple[str, ...]:
    """Refuse recordings of another preprocessing than those that a network was trained on.

    Another size, margin, smoothing, threshold or network of faces makes other pictures. Another version of a
    library is told and goes on: what it moves is less than what the coding of the clips does.

    Args:
        checkpoint: Of the network.
        manifest: What it should see.
        accepted: Whether the user has said so.

    Returns:
        Remarks for the record and the pages; mostly none.

    Raises:
        ConfigError: Names what differs, setting by setting, and the ways out.
    """
    was, now = checkpoint.preprocessing, manifest.preprocessing
    if was is None and now is None:
        return ()
    if was is None or now is None:
        told, remedy = _one_alone(checkpoint, manifest)
    else:
        differing = was.differences(now)
        versions = {key: values for key, values in differing.items() if is_version(key)}
        others = {key: values for key, values in differing.items() if key not in versions}
        if versions:
            _log.warning("%s: preprocessed by other versions than in training: %s", manifest, _line(versions))
        if not others and (versions or was.fingerprint == now.fingerprint):
            return (
                (f"Preprocessed by other versions than in training: {_line(versions)}.",) if versions else ()
            )
        told = f"was preprocessed in another way than what {checkpoint.path} was trained on"
        remedy = _listed(others, was, now) + _same_again(was, now)
    if not accepted:
        raise ConfigError(f"{manifest}: {told}{remedy}\n{_ACCEPT}.")
    note = f"{manifest}: {told}, which was accepted (accept_preprocessing)."
    _log.warning("%s", note)
    return (note,)


def _one_alone(checkpoint: RunCheckpoint, manifest: Manifest) -> tuple[str, str]:
    if manifest.preprocessing is not None and _ENCODER in manifest.preprocessing.settings:
        return (
            f"is a store of tokens of encode.py, and {checkpoint.path} was trained on recordings",
            ". Give the recordings themselves, or train on this store with data=features.",
        )
    if checkpoint.preprocessing is None:
        return (
            f"is of preprocess.py, and {checkpoint.path} was trained on recordings that are not",
            ". Give the videos themselves, or train on this cache with data=faces.",
        )
    if _ENCODER in checkpoint.preprocessing.settings:
        return (
            f"is no store of encode.py, and {checkpoint.path} was trained on one",
            ". Encode the videos with the same trunk, weights, grid and precision:\n"
            f"  {typed('encode')} data.path=<table> output=<store>\n"
            f"{_evaluation(checkpoint, '<store>')}",
        )
    return (
        f"is no cache of preprocess.py, and {checkpoint.path} was trained on one",
        f". Preprocess the videos with the same settings:\n"
        f"{_command(checkpoint.preprocessing, str(manifest.file or '<videos>'))}\n"
        f"{_evaluation(checkpoint, '<cache>')}\n"
        "To predict without labels, predict.py does both by itself.",
    )


def _evaluation(checkpoint: RunCheckpoint, folder: str) -> str:
    words = [typed("eval"), f"ckpt_path={checkpoint.path}", *trust_word(checkpoint.config)]
    return f"  {' '.join(words)} manifest={folder}/manifest.csv"


def _same_again(was: Preprocessing, now: Preprocessing) -> str:
    if _ENCODER in was.settings and _ENCODER in now.settings:
        return "\nEncode these recordings as there (encode.py): same trunk, weights, grid and precision"
    return f"\nPreprocess the raw videos as there, which `{typed('predict')}` does by itself:\n" + _command(
        was, "<raw videos>"
    )


def _command(was: Preprocessing, source: str) -> str:
    return "  " + " ".join(
        [f"{typed('preprocess')} input={source} output=<cache>", *preprocess_words(was.settings)]
    )


def _listed(differing: Mapping[str, tuple[Any, Any]], was: Preprocessing, now: Preprocessing) -> str:
    lines = [f"{key}: {there!r:.80} there, {here!r:.80} here" for key, (there, here) in differing.items()]
    if not lines:
        lines = [f"fingerprint: {was.fingerprint[:12]} there, {now.fingerprint[:12]} here"]
    more = [f"and {len(lines) - _SHOWN} more"] if len(lines) > _SHOWN else []
    return ":\n" + "\n".join(f"  - {line}" for line in [*lines[:_SHOWN], *more])


def _line(differing: Mapping[str, tuple[Any, Any]]) -> str:
    return ", ".join(
        f"{key.partition('.')[2]} {there} there, {here} here" for key, (there, here) in differing.items()
    )
