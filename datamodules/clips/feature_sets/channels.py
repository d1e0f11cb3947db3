"""Channels of feature sets: `<set>/<column>`, set after set, and what they say of sets and widths."""

from collections.abc import Mapping, Sequence

from datamodules.manifests.index.recordings import Recording
from datamodules.series import UnreadableSeries
from datamodules.wording import nearest


def channels_of(widths: Mapping[str, int]) -> tuple[str, ...]:
    """Names of the channels of sets of these widths.

    Examples:
        >>> channels_of({"pose": 2, "gaze": 1})
        ('pose/0', 'pose/1', 'gaze/0')
    """
    return tuple(f"{name}/{column}" for name, width in widths.items() for column in range(width))


def widths_of(
    channels: Sequence[str], sets: Sequence[str] | Mapping[str, int] | None = None
) -> dict[str, int]:
    """Widths of the sets that channels belong to, in their order.

    Args:
        channels: As `channels_of` gives them.
        sets: Names that they must be of, in this order; None takes any.

    Raises:
        ValueError: They are no such channels, or of other sets.

    Examples:
        >>> widths_of(["pose/0", "pose/1", "gaze/0"])
        {'pose': 2, 'gaze': 1}
    """
    widths: dict[str, int] = {}
    for channel in channels:
        name = channel.rpartition("/")[0]
        widths[name] = widths.get(name, 0) + 1
    if channels_of(widths) != tuple(channels) or "" in widths:
        raise ValueError(
            f"channels={list(channels[:4])} ... are not those of feature sets, <set>/<column> set by set; "
            "leave channels out to have them settled by the files"
        )
    if sets is not None and list(sets) != list(widths):
        raise ValueError(
            f"sets={list(sets)}, but the channels are of {list(widths)}: give the sets in that order"
        )
    return widths


def chosen_sets(sets: Sequence[str] | Mapping[str, int] | None, recordings: Sequence[Recording]) -> list[str]:
    """The sets asked for, which some recording must have; by default all that there are, by name.

    Raises:
        UnreadableSeries: There is none, or none of a name; says which there are.
    """
    there = sorted({name for recording in recordings for name in recording.features})
    if not there:
        raise UnreadableSeries(
            "no recording has a feature set: name their files in columns features_<set> of the manifest, "
            "e.g. features_head_pose"
        )
    asked = there if sets is None else list(sets)
    if not asked or len(set(asked)) < len(asked):
        raise UnreadableSeries(f"data.sets={asked} names a set twice, or none; there are {', '.join(there)}")
    for name in asked:
        if name not in there:
            raise UnreadableSeries(
                f"no recording has the feature set '{name}'{nearest(name, there)}: the manifest has "
                f"{', '.join(there)}. Correct data.sets, or add the column features_{name}"
            )
    return asked
