"""What is told of weights that a network started from, and what such a network expects to be shown."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from torch import nn


class WeightsError(ValueError):
    """Weights that cannot be used: they are not there, hold something else, or belong to another network."""


@dataclass(frozen=True, kw_only=True)
class Expects:
    """What a network must be shown; the default is anything.

    Attributes:
        size: Height and width in pixels, where they are fixed.
        multiple: Height and width are a multiple of so many pixels.
        frames: Least number of frames of a clip.
        mean: Of red, green and blue in [0, 1], by which the pictures were normalized that its weights have
            seen; None where no weights were taken, or nobody knows.
        std: Likewise.
    """

    size: tuple[int, int] | None = None
    multiple: int = 1
    frames: int = 1
    mean: tuple[float, ...] | None = None
    std: tuple[float, ...] | None = None


@dataclass(frozen=True, kw_only=True)
class WeightsRecord:
    """Which weights a network took, to be kept with what it predicts; no path of this machine is in it.

    Attributes:
        source: `file`, `hub`, `url` or `package`.
        name: Name of the file, id on the hub, or name of the package.
        url: Where it comes from; None of a file.
        sha256: Of the file, in hexadecimal digits.
        license: As the source states it; None where it states none.
        taken: How many tensors the network took.
        left_out: Names of the tensors it has no use for, such as those of a classifier.
        resized: Names of those that were interpolated to the size of the clips.
    """

    source: str
    name: str
    url: str | None
    sha256: str
    license: str | None
    taken: int
    left_out: tuple[str, ...] = ()
    resized: tuple[str, ...] = ()

    def plain(self) -> dict[str, Any]:
        """The record as plain values, lists in the place of tuples.

        Examples:
            >>> given = {"source": "file", "name": "a.pth", "url": None, "sha256": "0f", "license": None}
            >>> WeightsRecord(**given, taken=3, left_out=("fc.bias",)).plain()["left_out"]
            ['fc.bias']
        """
        return {
            name: list(value) if isinstance(value, tuple) else value for name, value in asdict(self).items()
        }


def records(network: nn.Module) -> Mapping[str, WeightsRecord]:
    """What every part of a network took, by its place; parts that begin at random are left out."""
    found = {place: getattr(part, "pretrained", None) for place, part in network.named_modules()}
    return {place: record for place, record in found.items() if isinstance(record, WeightsRecord)}
