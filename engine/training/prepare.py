"""A training prepared in code: its config from overrides, and its recordings with the one split of them."""

from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from functools import partial
from pathlib import Path
from typing import Any

from hydra import compose, initialize_config_dir
from hydra.core.global_hydra import GlobalHydra
from hydra.errors import HydraException

from datamodules.manifests.manifest import Manifest
from datamodules.splits.partition import Split
from engine.cohort.splits import checked_splits
from engine.config.build import build
from engine.config.compose import ConfigError, plain_config, root_keys
from engine.config.extensions import extend_search_path
from engine.config.selection import check_run, with_modes
from engine.config.set_widths import is_open
from engine.config.source_code import ROOT
from engine.config.targets import check_targets, trusting
from engine.config.user_errors import message
from engine.training.checks import check_model, check_validation


def compose_training(overrides: Sequence[str], *, output: Path) -> dict[str, Any]:
    """`conf/train.yaml` with overrides as on the command line, plain and checked, writing to `output`.

    Packages that `trust=` names are trusted here, in `material` and in `engine.training.fit.fit_split`, which
    read the config's own `trust`; a function of yours that loads their checkpoint goes by
    `engine.config.targets.trusting`.

    Raises:
        ConfigError: It cannot be composed; of a leaf of an installed package, names its `trust=`.
        ForbiddenTarget: It names a callable outside the allow-list, or `trust` is no list of installed ones.
        LeakageError: Something other than validation would select.
    """
    inside = GlobalHydra.instance().is_initialized()  # a command of ours reads the same folders
    if not inside:
        extend_search_path(overrides)
    with nullcontext() if inside else initialize_config_dir(str(ROOT / "conf"), version_base="1.3"):
        try:
            config = compose("train", overrides=[*overrides, f"paths.output={output}"])
        except HydraException as error:
            raise ConfigError(message(error, command="train")) from error
    return _checked(plain_config(config, keys=root_keys("train")))


@trusting
def _checked(plain: Mapping[str, Any]) -> dict[str, Any]:
    check_targets(plain)
    check_run(plain)
    if not is_open(plain):
        check_model(plain)
    return with_modes(plain)


@trusting
def material(config: Mapping[str, Any]) -> tuple[Manifest, Split]:
    """The manifest of a config, made if need be, and its one split, checked by the guard.

    Raises:
        LeakageError: A person or a file is on two sides of the split.
        ConfigError: The protocol has several folds.
        ForbiddenTarget: It names a callable outside the allow-list and the packages of its `trust`.
    """
    manifest = build(config["data"]["manifest"], key="data.manifest")
    splits = checked_splits(config, manifest, needs=partial(check_validation, config, manifest))
    if len(splits) != 1:
        raise ConfigError(
            f"one training takes one split, the protocol has {len(splits)}: use protocol=holdout"
        )
    return manifest, splits[0]
