"""Code version, installed packages and hardware of a run, for its record."""

import os
import platform
import subprocess
from contextlib import suppress
from importlib import metadata
from typing import Any

from engine.config.source_code import ROOT

_PACKAGES = (
    "torch",
    "torchvision",
    "pytorch-lightning",
    "hydra-core",
    "omegaconf",
    "timm",
    "torchmetrics",
    "numpy",
    "pandas",
    "scipy",
    "scikit-learn",
    "av",
    "decord",
    "torchcodec",
)


def environment() -> dict[str, Any]:
    """Everything outside of the config that can change a number, as `manifest.json` records it."""
    import torch  # takes seconds: help and a misspelt override, which need this module, should not wait

    return {
        "git": git_state(),
        "python": platform.python_version(),
        "packages": package_versions(),
        "hardware": hardware(),
        "threads": torch.get_num_threads(),
    }


def git_state() -> dict[str, Any]:
    """Commit and whether tracked files differ from it; both None outside a checkout."""
    commit = _git("rev-parse", "HEAD")
    changes = _git("status", "--porcelain", "--untracked-files=no")
    return {"commit": commit, "dirty": None if changes is None else bool(changes)}


def _git(*arguments: str) -> str | None:
    try:
        done = subprocess.run(
            ["git", *arguments], cwd=ROOT, capture_output=True, text=True, timeout=10, check=True
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout.strip()


def package_versions() -> dict[str, str | None]:
    """Installed version of each package that can change a number; None where it is not installed."""
    versions: dict[str, str | None] = dict.fromkeys(_PACKAGES)
    for name in _PACKAGES:
        with suppress(metadata.PackageNotFoundError):
            versions[name] = metadata.version(name)
    return versions


def hardware() -> dict[str, Any]:
    """Machine type, logical cores, and the accelerators torch sees."""
    import torch  # as above

    gpus = [torch.cuda.get_device_name(index) for index in range(torch.cuda.device_count())]
    return {
        "machine": platform.machine(),
        "system": platform.system(),
        "cores": os.cpu_count(),
        "gpus": gpus,
        "cuda": torch.version.cuda if gpus else None,
    }
