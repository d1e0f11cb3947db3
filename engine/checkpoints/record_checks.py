"""Validation of the record in a checkpoint, before any of it is used."""

from collections.abc import Callable, Mapping
from dataclasses import fields
from typing import Any

from datamodules.manifests.preprocessing import BadPreprocessing, Preprocessing
from datamodules.splits.partition import Split
from engine.checkpoints.recorded_config import BadRecord, check_recorded
from models.weights.record import WeightsRecord

_DEEPEST = 60  # levels of a record; configs have a dozen


def check_record(record: Mapping[str, Any]) -> None:
    """Check that every field is of the form that a run writes.

    Args:
        record: Plain, with all of its fields.

    Raises:
        BadRecord: A field is not what a run writes; says which.
        ForbiddenTarget: See `engine.checkpoints.recorded_config.check_recorded`.
    """
    for name, check in CHECKS.items():
        check(record[name])
    _check_channels(record)


def check_plain(node: Any, most: int) -> None:
    """Refuse values that are not plain, nested too deeply, or repeated into more than a file can hold.

    Args:
        node: A record as it was read.
        most: How many values its file can hold without repeats.

    Raises:
        BadRecord: Says what it holds.
    """
    queue, met = [(node, 0)], 0
    while queue:
        found, depth = queue.pop()
        met += 1
        if met > most or depth > _DEEPEST:
            raise BadRecord("its record nests or repeats itself without end")
        if isinstance(found, dict):
            if strangers := [name for name in found if not isinstance(name, str)]:
                raise BadRecord(f"the key {strangers[0]!r:.80} is no text")
            queue += [(child, depth + 1) for child in found.values()]
        elif type(found) in (list, tuple):
            queue += [(child, depth + 1) for child in found]
        elif type(found) is int and abs(found) >= 2**64:
            raise BadRecord("a number in its record has more than 64 bits")
        elif not (found is None or type(found) in (str, int, float, bool)):
            raise BadRecord(f"its record holds {type(found).__name__}, and only plain values belong there")


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < float("inf")


def _check_statistics(found: Any) -> None:
    if not isinstance(found, dict):
        raise BadRecord(f"its statistics are {type(found).__name__}, not numbers by name")
    for name, value in found.items():
        values = value if isinstance(value, list) and value else [value]
        if not all(_is_number(one) for one in values):
            raise BadRecord(f"its statistic {name!r} is {value!r:.80}: not finite numbers")
    for name in [name for name in found if name.endswith("_mean") and f"{name[:-5]}_std" in found]:
        if len(_listed(found[name])) != len(_listed(found[f"{name[:-5]}_std"])):
            raise BadRecord(f"its statistics {name} and {name[:-5]}_std differ in length")


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _check_channels(record: Mapping[str, Any]) -> None:
    """The series' statistics belong to the channels by name."""
    channels = record["config"]["data"]["module"]["source"].get("channels")
    mean = record["statistics"].get("series_mean")
    if channels is not None and mean is not None and len(_listed(mean)) != len(channels):
        raise BadRecord(
            f"its statistics have {len(_listed(mean))} channels, its config names {len(channels)}"
        )


def _check_calibration(found: Any) -> None:
    if not isinstance(found, dict) or not all(isinstance(column, list) for column in found.values()):
        raise BadRecord("its calibration is no table of numbers by name")
    for name, column in found.items():
        if not name.endswith(("_target", "_prediction")):
            raise BadRecord(f"its calibration has a column {name!r:.80}, neither _target nor _prediction")
        missing = name.endswith("_target")  # a missing target is NaN
        numbers = [value for value in column if not (missing and value != value)]
        if not all(_is_number(value) for value in numbers):
            raise BadRecord(f"its calibration {name!r} does not hold numbers")
        if name == "binary_target" and not all(value in (0, 1) for value in numbers):
            raise BadRecord(f"its calibration {name!r} holds other classes than 0 and 1")
        if name == "binary_prediction" and not all(0 <= value <= 1 for value in numbers):
            raise BadRecord(f"its calibration {name!r} holds what is no probability")
    if len({len(column) for column in found.values()}) > 1:
        raise BadRecord("its calibration has columns of different lengths")


_CHANGE = {
    "slope",
    "slope_variance",
    "intercept",
    "level",
    "middle",
    "steepness",
    "persons",
    "questionnaire_noise",
}
_BY_VISITS = {"visits", "noise", "df"}


def _check_change(found: Any) -> None:
    if found == {}:
        return
    if not isinstance(found, dict) or set(found) != _CHANGE | _BY_VISITS | {"known"}:
        raise BadRecord(f"what it says of changes between visits is no rule: {found!r:.80}")
    columns = [found[name] for name in sorted(_BY_VISITS)]
    if not all(isinstance(own, list) and own and len(own) == len(columns[0]) for own in columns):
        raise BadRecord("its rule for changes has no list by number of visits")
    numbers = [value for own in columns for value in own] + [found["slope"], found["persons"]]
    if not all(_is_number(value) and value > 0 for value in numbers) or found["persons"] < 2:
        raise BadRecord("its rule for changes does not hold numbers above 0")
    if (
        not all(isinstance(n, int) for n in found["visits"])
        or sorted(set(found["visits"])) != found["visits"]
    ):
        raise BadRecord(f"its rule for changes holds for {found['visits']!r:.80} visits")
    others = [found[name] for name in ("slope_variance", "intercept", "level", "middle", "steepness")]
    noise = found["questionnaire_noise"]
    if not all(map(_is_number, others)) or not (noise is None or (_is_number(noise) and noise >= 0)):
        raise BadRecord("its rule for changes does not hold numbers")
    if others[0] < 0 or not isinstance(found["known"], bool):
        raise BadRecord("its rule for changes is none that a training writes")


def _check_split(found: Any) -> None:
    kinds = {"name": str, "subject_disjoint": bool, "repeat": int}
    names = [field.name for field in fields(Split)]
    if not isinstance(found, dict) or not {"name", "train", "val", "test"} <= set(found) <= set(names):
        raise BadRecord(f"its split does not hold {', '.join(names)}")
    for name, value in found.items():
        if name == "known" and (value == "all" or (type(value) is int and value >= 1)):
            continue
        fits = (
            type(value) is kinds[name]
            if name in kinds
            else isinstance(value, list) and all(isinstance(one, str) for one in value)
        )
        if not fits:
            raise BadRecord(f"its split.{name} is {value!r:.80}")


def _check_text(found: Any) -> None:
    if not isinstance(found, str):
        raise BadRecord(f"its digest of the data, or origin, is {found!r:.80}, no text")


def _check_preprocessing(found: Any) -> None:
    if found is None:
        return
    try:
        Preprocessing.of(found)
    except BadPreprocessing as fault:
        raise BadRecord(f"what it says of preprocessing is not what a cache says: {fault}") from fault


_WEIGHTS = {field.name for field in fields(WeightsRecord)}


def _check_pretrained(found: Any) -> None:
    if not isinstance(found, dict) or not all(isinstance(one, dict) for one in found.values()):
        raise BadRecord("what it says of the weights it began with is no record by place")
    for place, one in found.items():
        names = [*one.get("left_out", ()), *one.get("resized", ())] if set(one) == _WEIGHTS else [None]
        texts = [one.get(name) for name in ("source", "name", "sha256")]
        if not all(isinstance(text, str) for text in (*names, *texts)) or type(one["taken"]) is not int:
            raise BadRecord(f"what it says of the weights of {place!r:.80} is not what a training writes")


CHECKS: dict[str, Callable[[Any], None]] = {
    "config": check_recorded,
    "statistics": _check_statistics,
    "data_digest": _check_text,
    "split": _check_split,
    "calibration": _check_calibration,
    "change": _check_change,
    "origin": _check_text,
    "preprocessing": _check_preprocessing,
    "pretrained": _check_pretrained,
}
"""Check of every field of a record that has one."""
