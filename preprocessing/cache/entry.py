"""The `Entry` record: what became of one recording, and whether it need not be looked at again."""

import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from hashlib import sha256
from pathlib import Path
from typing import Any, Self

from datamodules.synthetic.files import read_sealed

Cell = str | int | float
STATUSES = ("ok", "warned", "refused")
_LONGEST = 120  # bytes of a name; with what is added to it every file system takes it


@dataclass(frozen=True, kw_only=True)
class Entry:
    """What became of one recording; paths start at the cache.

    Attributes:
        recording_id: its id in the table that was given.
        fingerprint: of the cache that it was made for.
        source: `path, size, mtime_ns, sha256` of the video; `tracked_size, tracked_mtime_ns` of landmarks.
        status: one of `STATUSES`.
        reasons: what is to be known of it, a sentence each; why it is refused comes first.
        final: whether another look at the same file would find the same.
        labels: cells of the row that was given, without what is of its files.
        facts: cells that the row of the manifest has besides: rate, size, brightness and so on.
        seconds: length of the source.
        fps: its mean rate in 1/s.
        width: of its frames in pixels.
        height: of its frames in pixels.
        frames: how many it has.
        usable: how many of them nothing speaks against.
        lost: frames by the reason that speaks against them.
        timeline: when they are lost, see `preprocessing.page.timeline`.
        files: `path, size, sha256` of `clip`, `series`, `sheet` and `tokens`, as far as they are there.
    """

    recording_id: str
    fingerprint: str
    source: Mapping[str, Cell]
    status: str = "refused"
    reasons: tuple[str, ...] = ()
    final: bool = True
    labels: Mapping[str, Cell] = field(default_factory=dict)
    facts: Mapping[str, Cell] = field(default_factory=dict)
    seconds: float = 0.0
    fps: float = 0.0
    width: int = 0
    height: int = 0
    frames: int = 0
    usable: int = 0
    lost: Mapping[str, int] = field(default_factory=dict)
    timeline: Mapping[str, str] = field(default_factory=dict)
    files: Mapping[str, Mapping[str, Cell]] = field(default_factory=dict)

    @property
    def used(self) -> bool:
        """Whether the recording is in the manifest."""
        return self.status != "refused"

    def plain(self) -> dict[str, Any]:
        """The entry as JSON holds it."""
        return asdict(self) | {"reasons": list(self.reasons)}

    @classmethod
    def read(cls, content: Mapping[str, Any]) -> Self | None:
        """The entry of a JSON object; None if it is none of ours."""
        known = {one.name for one in fields(cls)}
        if set(content) != known or content["status"] not in STATUSES:
            return None
        return cls(**{**content, "reasons": tuple(content["reasons"])})


def file_stem(recording_id: str) -> str:
    """The name under which the files of a recording lie, without suffix; two ids never share one.

    To file systems that do not tell case or composition apart, `check_names` of the folder sees.

    Examples:
        >>> file_stem("P01_visit 1")
        'P01_visit 1'
    """
    name = re.sub(r"[^\w .+=@-]", "_", recording_id).strip(" .-")
    kept = name.encode()[:_LONGEST].decode(errors="ignore").rstrip(" .")
    if kept == recording_id:
        return kept
    return f"{kept or 'recording'}-{sha256(recording_id.encode()).hexdigest()[:8]}"


def kept_digest(file: Path) -> str | None:
    """SHA-256 that the entry beside a file of a cache keeps of it; None where there is no such entry."""
    entry = entry_beside(file)
    place = f"{file.parent.name}/{file.name}"
    own = [one["sha256"] for one in entry.files.values() if one["path"] == place] if entry else []
    return str(own[0]) if own else None


def entry_beside(file: Path) -> Entry | None:
    """The entry of the recording to which a file of a cache belongs; None where there is none."""
    content = read_sealed(file.parent.parent / "entries" / f"{file.stem}.json")
    return None if content is None else Entry.read(content)


def source_facts(path: Path, tracked: Path | None = None) -> dict[str, Cell]:
    """Place, size and time of a source, and of the table of landmarks beside it, without reading them."""
    status = path.stat()
    facts: dict[str, Cell] = {"path": str(path), "size": status.st_size, "mtime_ns": status.st_mtime_ns}
    if tracked is not None and tracked.is_file():
        status = tracked.stat()
        facts |= {"tracked_size": status.st_size, "tracked_mtime_ns": status.st_mtime_ns}
    return facts
