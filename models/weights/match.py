"""Tensors of a file against those of a network: by name and shape, and nothing is left to chance."""

from collections.abc import Iterable, Mapping

from torch import Tensor

from models.weights.record import WeightsError

_SHOWN = 4
_COUNTER = "num_batches_tracked"  # of batch normalization: older files have none, and nothing reads it

_VARIANCE = "running_var"


def check_fit(wanted: Mapping[str, Tensor], given: Mapping[str, Tensor], *, whose: str) -> None:
    """Refuse tensors that are not exactly those of a network.

    Args:
        wanted: Of the network, by name.
        given: Of the file, without those that the network has no use for.
        whose: Names file and network in the message.

    Raises:
        WeightsError: Some are missing, some unknown, some of another shape, or some hold what no training
            leaves behind: numbers of another kind, NaN, infinity, variances below 0; with their names.
    """
    missing = [name for name in wanted if name not in given and not name.endswith(_COUNTER)]
    unknown = [name for name in given if name not in wanted]
    shapes = [
        f"{name} {tuple(given[name].shape)} instead of {tuple(tensor.shape)}"
        for name, tensor in wanted.items()
        if name in given and given[name].shape != tensor.shape
    ]
    told = {"missing": missing, "not of this network": unknown, "of another shape": shapes}
    told |= _impossible(wanted, given)
    problems = [f"{len(names)} {what} ({_some(names)})" for what, names in told.items() if names]
    if problems:
        raise WeightsError(
            f"{whose}: the weights do not fit: {'; '.join(problems)}. Give those of this very network, or "
            "null to begin at random"
        )


def _impossible(wanted: Mapping[str, Tensor], given: Mapping[str, Tensor]) -> dict[str, list[str]]:
    """What no training leaves behind: names by what is wrong with their numbers."""
    shared = [name for name in wanted if name in given]
    numbers = {name: given[name] for name in shared if _kind(given[name]) == _kind(wanted[name])}
    real = {name: own.float() for name, own in numbers.items() if own.is_floating_point()}
    return {
        "of another kind": [f"{name} {given[name].dtype}" for name in shared if name not in numbers],
        "not finite": [name for name, own in real.items() if not own.isfinite().all()],
        "below 0": [name for name, own in real.items() if name.endswith(_VARIANCE) and own.min() < 0],
    }


def _kind(tensor: Tensor) -> tuple[bool, bool]:
    return tensor.is_floating_point(), tensor.is_complex()


def _some(names: Iterable[str]) -> str:
    names = list(names)
    return ", ".join(names[:_SHOWN]) + (", ..." if len(names) > _SHOWN else "")
