"""Weights for timm backbones whose maps are read, and what timm says that they expect."""

import sys
from collections.abc import Mapping
from typing import Any

import timm
import torch
from torch import Tensor, nn

from models.weights.files import read_tensors
from models.weights.locate import HUB, Located, locate
from models.weights.match import check_fit
from models.weights.record import Expects, WeightsError, WeightsRecord


def expects_of(backbone: str, *, size: int | None, config: Mapping[str, Any] | None = None) -> Expects:
    """What a timm backbone must be shown.

    Args:
        backbone: Its name in timm.
        size: Height and width that it was built for; None takes timm's own.
        config: `pretrained_cfg` of its weights; None where it begins at random, and any mean will do.

    Examples:
        >>> expects_of("vit_tiny_patch16_224", size=64).size
        (64, 64)
    """
    own = _config(backbone)
    side = (size or own["input_size"][-1]) if own.get("fixed_input_size") else None
    mean, std = (config[name] if config and name in config else None for name in ("mean", "std"))
    return Expects(
        size=None if side is None else (side, side),
        mean=None if mean is None else tuple(map(float, mean)),
        std=None if std is None else tuple(map(float, std)),
    )


def take(
    network: nn.Module, backbone: str, weights: str, *, sha256: str | None, settings: Mapping[str, Any]
) -> tuple[WeightsRecord, Mapping[str, Any]]:
    """Fill a timm backbone of feature maps with weights.

    timm's own conversion of older and resized weights is applied (`checkpoint_filter_fn` of the module that
    defines the backbone): position embeddings and tables of another size are interpolated.

    Args:
        network: As `timm.create_model(backbone, features_only=True)` makes it.
        backbone: Its name in timm.
        weights: `pretrained` for those that timm names, or see `models.weights.locate.locate`.
        sha256: What the digest of the file should be.
        settings: With which the backbone was created.

    Returns:
        What was taken, and the `pretrained_cfg` of the weights.

    Raises:
        WeightsError: There are none, or they belong to another network.
    """
    found = locate(_named_by_timm(backbone) if weights == "pretrained" else weights, sha256=sha256)
    own, config = _config(backbone), {**_config(backbone), **found.config.get("pretrained_cfg", {})}
    _check_architecture(found, backbone)
    with torch.device("meta"):  # names and shapes with the classifier; the maps leave some of it out
        whole = timm.create_model(backbone, **settings)
    given, resized = _adapted(read_tensors(found.path), whole, found)
    classifier = own.get("classifier") or ()
    heads = tuple(f"{one}." for one in ([classifier] if isinstance(classifier, str) else classifier))
    wanted = {name: value for name, value in whole.state_dict().items() if not name.startswith(heads)}
    body = {name: value for name, value in given.items() if not name.startswith(heads)}
    check_fit(wanted, body, whose=f"{found.name} for backbone={backbone}")
    places = {_plain(name): name for name in body}
    used = {name: places[_plain(name)] for name in network.state_dict() if _plain(name) in places}
    network.load_state_dict(network.state_dict() | {name: body[place] for name, place in used.items()})
    record = WeightsRecord(
        source=found.source, name=found.name, url=found.url, sha256=found.sha256,
        license=found.license or (own.get("license") if weights == "pretrained" else None), taken=len(used),
        left_out=tuple(name for name in given if name not in used.values()), resized=resized,
    )  # fmt: skip
    return record, config


def _adapted(
    tensors: Mapping[str, Tensor], whole: nn.Module, found: Located
) -> tuple[dict[str, Tensor], tuple[str, ...]]:
    """The tensors under timm's names and sizes, and which of them were interpolated."""
    if found.config.get("in_order"):  # the same tensors in the same order, under names of others
        names = list(whole.state_dict())
        if len(names) != len(tensors):
            raise WeightsError(
                f"{found.name}: holds {len(tensors)} tensors, and the network has {len(names)}"
            )
        return dict(zip(names, tensors.values(), strict=True)), ()
    adapt = getattr(sys.modules[type(whole).__module__], "checkpoint_filter_fn", None)
    if adapt is None:
        return dict(tensors), ()
    try:
        adapted: dict[str, Tensor] = adapt(dict(tensors), whole)
    except Exception:  # it stumbles over weights of another network: their names tell more than its error
        return dict(tensors), ()
    changed = [n for n, value in adapted.items() if n in tensors and tensors[n].shape != value.shape]
    return adapted, tuple(changed)


def _named_by_timm(backbone: str) -> str:
    repository = _config(backbone).get("hf_hub_id")
    if repository is None:
        raise WeightsError(f"weights=pretrained: timm names no weights for backbone={backbone}")
    return f"{HUB}{repository}"


def _check_architecture(found: Located, backbone: str) -> None:
    of = found.config.get("architecture")
    if isinstance(of, str) and of != backbone.partition(".")[0]:
        raise WeightsError(
            f"{found.name}: holds weights of {of}, not of backbone={backbone}: set backbone={of}"
        )


def _config(backbone: str) -> dict[str, Any]:
    config = timm.get_pretrained_cfg(backbone)
    return {} if config is None else dict(config.to_dict())


def _plain(name: str) -> str:
    """The name of a tensor in the whole network and among its feature maps, which `stages_0` is one of."""
    return name.removeprefix("model.").replace("_", ".")
