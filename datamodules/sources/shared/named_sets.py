"""Feature sets of a corpus by name: which are read, what their columns are called, and what is not known."""

import re
from collections.abc import Iterable, Sequence
from fnmatch import fnmatchcase
from pathlib import Path

from datamodules.sources.shared.draft import SourceError
from datamodules.wording import first_few, nearest

_PREFIX = "features_"  # of the columns of a manifest that name files of feature sets


def column_of(name: str) -> str:
    """The manifest column of a set.

    Examples:
        >>> column_of("dinov2/small"), column_of("Head-Pose")
        ('features_dinov2_small', 'features_head_pose')
    """
    return _PREFIX + re.sub(r"[\W_]+", "_", name.lower()).strip("_")


def chosen_sets(found: Iterable[str], wanted: Sequence[str] | None, *, where: Path) -> list[str]:
    """The sets that are read: those that are wanted, in that order, or all that are there.

    Raises:
        SourceError: There is none, a wanted one is not there, or two would have one column.
    """
    there = sorted(set(found))
    if not there:
        raise SourceError(f"{where}: no feature set found; unpack the sets there, or correct root")
    for name in wanted or ():
        if name not in there:
            raise SourceError(
                f"{where}: no set {name!r}{nearest(name, there)} (there are {', '.join(there)}); "
                "choose sets=[...] of these"
            )
    names = list(dict.fromkeys(there if wanted is None else wanted))
    columns: dict[str, str] = {}
    for name in names:
        if (other := columns.setdefault(column_of(name), name)) != name:
            raise SourceError(
                f"{where}: the sets {other!r} and {name!r} would share the column {column_of(name)}; "
                "choose one of them with sets=[...]"
            )
    if not names:
        raise SourceError(f"{where}: sets=[] reads nothing; name some of {', '.join(there)}")
    return names


def is_ignored(path: Path, root: Path, ignore: Sequence[str]) -> bool:
    """Whether the path below the folder, or a folder that it lies in, matches a pattern of `ignore`."""
    parts = path.relative_to(root).parts
    heads = ["/".join(parts[:end]) for end in range(1, len(parts) + 1)]
    return any(fnmatchcase(head, pattern) for head in heads for pattern in ignore)


def refuse_unknown(unknown: Sequence[Path], *, root: Path, known: str) -> None:
    """Stop at what the published layout does not have.

    Args:
        unknown: Files and folders that nothing is known of.
        root: Folder of the corpus.
        known: What may lie there, for the message.

    Raises:
        SourceError: There is any; the message tells how it is left out.
    """
    if unknown:
        names = [path.relative_to(root).as_posix() for path in unknown]
        raise SourceError(
            f"{root}: {first_few(names)}: the published layout does not say what this is ({known}). Leave it "
            f"out with ignore=['{names[0]}'], where * stands for anything, or move it away"
        )
