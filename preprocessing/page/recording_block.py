"""What the page shows of one recording, in words and strokes."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from preprocessing.page.reason_colors import color
from preprocessing.page.timeline import strip

STATUS = {"ok": "ok", "warned": "ok with warnings", "refused": "refused"}
"""Names of the statuses as a reader sees them."""


@dataclass(frozen=True, kw_only=True)
class Block:
    """One recording.

    Attributes:
        anchor: of the page.
        name: of the recording.
        status: one of `STATUS`.
        reasons: what is to be known of it, a sentence each.
        facts: duration, frames, rate, size, share of usable frames; as far as they are known.
        share: of usable frames, 0 to 1; None where none was looked at.
        bars: color and path of each reason, for the strip over time.
        parts: width of the strip; 0 where there is none.
        spoken: the strip in words.
        sheet: address of the contact sheet; empty where there is none.
        sheet_words: the sheet in words.
    """

    anchor: str
    name: str
    status: str
    reasons: tuple[str, ...]
    facts: tuple[str, ...]
    share: float | None
    bars: tuple[tuple[str, str], ...]
    parts: int
    spoken: str
    sheet: str
    sheet_words: str

    @property
    def title(self) -> str:
        """The status as a reader sees it."""
        return STATUS[self.status]


def block(number: int, entry: Mapping[str, Any]) -> Block:
    """The block of an entry.

    Args:
        number: of the recording on the page.
        entry: Content of its file in `entries/`.
    """
    name, lost = str(entry["recording_id"]), lost_frames(entry)
    frames, usable = int(entry.get("frames") or 0), int(entry.get("usable") or 0)
    looked = bool(usable or lost)  # not where it broke off before
    shares = [f"{percent(usable, frames)} of frames used"] if looked else []
    spoken = ", ".join(shares + [f"{reason} {percent(count, frames)}" for reason, count in lost.items()])
    digits: Mapping[str, str] = entry.get("timeline") or {}
    sheet = str((entry.get("files") or {}).get("sheet", {}).get("path", ""))
    return Block(
        anchor=f"r{number}",
        name=name,
        status=entry["status"],
        reasons=tuple(str(reason).rstrip(".") for reason in entry.get("reasons") or ()),
        facts=_facts(entry, frames, spoken),
        share=usable / frames if looked else None,
        bars=tuple((color(reason), path) for reason, path in strip(digits)),
        parts=max((len(text) for text in digits.values()), default=int(0 < usable == frames)),
        spoken=f"Over time: {spoken}",
        sheet=quote(sheet),
        sheet_words=f"Contact sheet of {name}: frames, landmarks and crops. {spoken}",
    )


def lost_frames(entry: Mapping[str, Any]) -> dict[str, int]:
    """Frames that each reason speaks against, most first; reasons that speak against none are left out."""
    counts = {str(reason): int(count) for reason, count in (entry.get("lost") or {}).items()}
    return {reason: count for reason, count in sorted(counts.items(), key=lambda one: -one[1]) if count}


def duration(seconds: float) -> str:
    """Seconds as a player shows them; hours with tenths from two hours on."""
    if seconds >= 7200:
        return f"{seconds / 3600:,.1f} h"
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes}:{rest:02d} min"


def percent(part: int, whole: int) -> str:
    """A share that is 0 % or 100 % only where it is."""
    if whole == 0:
        return "0 %"
    share = 100 * part / whole
    if 0 < share < 1:
        return "under 1 %"
    return "over 99 %" if 99 < share < 100 else f"{share:.0f} %"


def _facts(entry: Mapping[str, Any], frames: int, spoken: str) -> tuple[str, ...]:
    if not frames:
        return ()
    count = f"{frames:,} frame{'s' if frames > 1 else ''}"
    known = [duration(float(entry["seconds"])), count] if entry.get("seconds") else [count]
    if entry.get("fps"):
        known.append(f"{float(entry['fps']):.4g} frames/s")
    if entry.get("width") and entry.get("height"):
        known.append(f"{entry['width']} x {entry['height']}")
    return (*known, spoken) if spoken else tuple(known)
