"""The settings of `preprocess.py` inside a checkpoint: which of them are built again, for raw videos."""

from collections.abc import Mapping
from typing import Any

from datamodules.manifests.preprocessing import Preprocessing
from engine.config.allowlist import PIPELINE
from engine.config.signatures import Misfit, check_call
from engine.config.targets import ForbiddenTarget, is_trusted, trust_advice
from preprocessing.cache.fingerprint import plain_settings

_WHOLE = "preprocessing.run.pipeline.Pipeline"
_BUILT = ("backend", "aligner", "gate", "store")  # its arguments that are parts


def pipeline_settings(preprocessing: Preprocessing) -> dict[str, Any]:
    """The settings of a checkpoint's pipeline, each part of it on the list and called by plain values.

    Networks of faces and places of files are this machine's own.

    Args:
        preprocessing: Of a checkpoint, so of a stranger.

    Raises:
        ForbiddenTarget: It names another part than `allowlist.PIPELINE` has, or calls one in another way; or
            they are those of a store of tokens.
    """
    settings = plain_settings(preprocessing.settings)
    if "encoder" in settings:
        raise ForbiddenTarget(
            "The network reads tokens of `encode.py`. Encode these recordings with the settings of the "
            "store that it was trained on, and give input=<store>/manifest.csv."
        )
    if missing := sorted(set(PIPELINE) - set(settings)):
        raise ForbiddenTarget(
            f"preprocessing.{missing[0]}: the checkpoint does not tell this part, so nobody can do the same "
            "with raw videos. Preprocess them by hand, and give the cache with accept_preprocessing=true."
        )
    for name, listed in PIPELINE.items():
        _check_part(name, settings[name], listed)
    rest = {name: value for name, value in settings.items() if name not in PIPELINE}
    _check("preprocessing", _WHOLE, rest, injected=_BUILT)
    return settings


def _check_part(name: str, node: Any, listed: frozenset[str]) -> None:
    target = node.get("_target_") if isinstance(node, Mapping) else None
    if isinstance(target, str) and is_trusted(target):
        return
    if target not in listed:
        raise ForbiddenTarget(
            f"preprocessing.{name}: a checkpoint may not name {target!r:.200} here (PIPELINE in "
            f"engine/config/allowlist.py). {trust_advice(target)}"
        )
    given = {key: value for key, value in node.items() if key != "_target_"}
    if odd := [key for key, value in given.items() if key.startswith("_") or isinstance(value, Mapping)]:
        raise ForbiddenTarget(
            f"preprocessing.{name}.{odd[0]}: a checkpoint gives it plain values by name only."
        )
    _check(f"preprocessing.{name}", target, given)


def _check(key: str, target: str, given: Mapping[str, Any], *, injected: tuple[str, ...] = ()) -> None:
    try:
        check_call(target, given, injected=injected)
    except Misfit as error:
        raise ForbiddenTarget(f"{key}.{error}") from error
