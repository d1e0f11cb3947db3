"""Tensors of a file against those of a network: by name and shape, and nothing is left to chance."""

from collections.abc import Iterable, Mapping

from torch import Tensor

from models.weights.record import WeightsError

_SHOWN = 4
_COUNTER = "num_batches_tracked"  # of batch normalization: older files have none, and nothing reads it


def check_fit(wanted: Mapping[str, Tensor], given: Mapping[str, Tensor], *, whose: str) -> None:
    """Refuse tensors that are not exactly those of a network.

    Args:
        wanted: Of the network, by name.
        given: Of the file, without those that the network has no use for.
        whose: Names file and network in the message.

    Raises:
        WeightsError: Some are missing, some unknown, or some of another shape; with their names.
    """
    missing = [name for name in wanted if name not in given and not name.endswith(_COUNTER)]
    unknown = [name for name in given if name not in wanted]
    shapes = [
        f"{name} {tuple(given[name].shape)} instead of {tuple(tensor.shape)}"
        for name, tensor in wanted.items()
        if name in given and given[name].shape != tensor.shape
    ]
    told = {"missing": missing, "not of this network": unknown, "of another shape": shapes}
    problems = [f"{len(names)} {what} ({_some(names)})" for what, names in told.items() if names]
    if problems:
        raise WeightsError(
            f"{whose}: the weights do not fit: {'; '.join(problems)}. Give those of this very network, or "
            "null to begin at random"
        )


def _some(names: Iterable[str]) -> str:
    names = list(names)
    return ", ".join(names[:_SHOWN]) + (", ..." if len(names) > _SHOWN else "")
