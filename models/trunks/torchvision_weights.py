"""Weights for torchvision networks without their classifier, and what torchvision says that they expect."""

from torch import nn
from torchvision.models import get_model_weights

from models.weights.files import read_tensors
from models.weights.locate import locate
from models.weights.match import check_fit
from models.weights.record import Expects, WeightsRecord

_CLASSIFIERS = ("fc.", "head.", "classifier.")


def take(
    network: nn.Module, name: str, weights: str, *, sha256: str | None = None
) -> tuple[WeightsRecord, Expects]:
    """Fill a torchvision network with weights, all of it but the classifier.

    Args:
        network: As `get_model(name)` makes it.
        name: Its name in torchvision.
        weights: `pretrained` for torchvision's default, or see `models.weights.locate.locate`.
        sha256: What the digest of the file should be.

    Returns:
        What was taken, and what such weights expect: the normalization of torchvision's own, and the least
        number of frames that it names. Others of the same network are taken to be trained as these.

    Raises:
        WeightsError: There are none, or they belong to another network.
    """
    default = get_model_weights(name).DEFAULT
    found = locate(default.url if weights == "pretrained" else weights, sha256=sha256)
    given = read_tensors(found.path)
    wanted = {n: value for n, value in network.state_dict().items() if not n.startswith(_CLASSIFIERS)}
    body = {n: value for n, value in given.items() if not n.startswith(_CLASSIFIERS)}
    check_fit(wanted, body, whose=f"{found.name} for backbone={name}")
    network.load_state_dict(network.state_dict() | body)
    seen = default.transforms()
    record = WeightsRecord(
        source=found.source, name=found.name, url=found.url, sha256=found.sha256, license=found.license,
        taken=len(body), left_out=tuple(n for n in given if n not in body),
    )  # fmt: skip
    own = found.config.get(
        "pretrained_cfg", {}
    )  # of a config.json beside the file, for weights trained otherwise
    mean, std = (tuple(map(float, own.get(key, getattr(seen, key)))) for key in ("mean", "std"))
    return record, Expects(frames=int(default.meta.get("min_temporal_size", 1)), mean=mean, std=std)
