"""Which classes and functions a config may name.

A config travels inside a checkpoint, and checkpoints are passed around, so `_target_` is input from
strangers: whoever controls it controls which callable runs here. Every target is therefore looked up in an
allow-list while it is still text. A target of our own must be *defined* in a file of this checkout (read with
`ast`, so that neither the package nor anything it imports runs, and a name the file merely imports does not
count); a foreign one must be listed below.
"""

import ast
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]

OWN = (
    "datamodules",
    "models",
    "evaluation",
    "biomarkers",
    "engine.callbacks",
    "engine.steps",
    "engine.tabular",
)
"""Packages, or single modules, of this checkout whose own definitions may be built."""

THIRD_PARTY = frozenset(
    f"{package}.{name}"
    for package, names in {
        "torch.optim": ("AdamW", "Adam", "SGD", "RMSprop"),
        "torch.optim.lr_scheduler": (
            "CosineAnnealingLR",
            "LinearLR",
            "ConstantLR",
            "StepLR",
            "MultiStepLR",
            "ExponentialLR",
            "OneCycleLR",
            "ReduceLROnPlateau",
        ),
        "torch.nn": (
            "GELU",
            "ReLU",
            "SiLU",
            "LayerNorm",
            "BatchNorm1d",
            "BatchNorm2d",
            "GroupNorm",
            "Identity",
        ),
        "sklearn.cluster": ("KMeans",),
        "sklearn.ensemble": (
            "ExtraTreesClassifier",
            "ExtraTreesRegressor",
            "RandomForestClassifier",
            "RandomForestRegressor",
        ),
        "sklearn.linear_model": ("LogisticRegression",),
        "sklearn.mixture": ("GaussianMixture",),
        "sklearn.neighbors": ("KNeighborsClassifier",),
        "sklearn.svm": ("LinearSVC", "SVR"),
        "pytorch_lightning": ("Trainer",),
        "pytorch_lightning.callbacks": (
            "ModelCheckpoint",
            "EarlyStopping",
            "LearningRateMonitor",
            "DeviceStatsMonitor",
            "StochasticWeightAveraging",
            "TQDMProgressBar",
            "RichProgressBar",
            "ModelSummary",
            "Timer",
        ),
        "pytorch_lightning.loggers": ("CSVLogger", "TensorBoardLogger", "WandbLogger"),
        "pytorch_lightning.profilers": ("SimpleProfiler", "AdvancedProfiler", "PyTorchProfiler"),
        "pytorch_lightning.strategies": ("DDPStrategy", "FSDPStrategy", "SingleDeviceStrategy"),
    }.items()
    for name in names
)
"""Callables of other packages that a config may build: a closed list, extended here when a config needs
one."""


class ForbiddenTarget(ValueError):
    """A config names a callable that may not be built."""


def check_targets(config: Any) -> None:
    """Refuse a plain config that names a callable outside the allow-list.

    Nothing is imported and nothing is called: the whole tree is read first.

    Args:
        config: Nested dicts, lists and scalars, interpolations already resolved.

    Raises:
        ForbiddenTarget: Names the key, the value and the remedy. An unresolved `${...}` is refused too,
            because resolving it later could produce a target this walk has not seen.
    """
    for key, value in _leaves(config, ""):
        if key.rpartition(".")[2] == "_target_":
            _check_target(key, value)
        elif isinstance(value, str) and "${" in value:
            raise ForbiddenTarget(
                f"{key}: {value!r} is an interpolation that was not resolved. Write the value itself."
            )


def _leaves(node: Any, key: str) -> Iterator[tuple[str, Any]]:
    """Key path and value of every scalar, and of whatever stands at a `_target_`; other types are refused."""
    if isinstance(node, dict):
        for name, child in node.items():
            if not isinstance(name, str) or "${" in name:
                raise ForbiddenTarget(f"{key}: the key {name!r} is no plain text. Rename it.")
            path = f"{key}.{name}" if key else name
            if name == "_target_":
                yield path, child
            else:
                yield from _leaves(child, path)
    elif isinstance(node, list | tuple):
        for index, child in enumerate(node):
            yield from _leaves(child, f"{key}[{index}]")
    elif node is None or isinstance(node, str | int | float):
        yield key, node
    else:
        raise ForbiddenTarget(f"{key}: a config holds plain values only, not {type(node).__name__}.")


def _check_target(key: str, target: Any) -> None:
    if not isinstance(target, str):
        raise ForbiddenTarget(f"{key}: {target!r} is no dotted path. Write package.module.Class.")
    if target in THIRD_PARTY:
        return
    if any(target.startswith(f"{package}.") for package in OWN):
        *module, name = target.split(".")
        if not name.startswith("_") and name in _defined(tuple(module)):
            return
        raise ForbiddenTarget(
            f"{key}: {target!r} is no public class or function defined in {'/'.join(module)}.py of this "
            "checkout. Name it by the file that defines it; an imported name does not count."
        )
    raise ForbiddenTarget(
        f"{key}: {target!r} is not on the allow-list. Use a class of this project, or, if you trust it, "
        "add the exact path to engine/targets.py."
    )


@lru_cache(maxsize=256)
def _defined(module: tuple[str, ...]) -> frozenset[str]:
    """Top-level classes and functions that a module of this checkout defines; none where it has no file."""
    if not all(part.isidentifier() for part in module):
        return frozenset()
    folder = ROOT.joinpath(*module)
    for file in (folder.with_suffix(".py"), folder / "__init__.py"):
        if file.is_file() and file.resolve().is_relative_to(ROOT):
            tree = ast.parse(file.read_text(encoding="utf-8"), filename=str(file))
            definitions = ast.ClassDef | ast.FunctionDef
            return frozenset(node.name for node in tree.body if isinstance(node, definitions))
    return frozenset()
