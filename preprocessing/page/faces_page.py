"""The page `faces.html`: what a person looks at before training."""

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import jinja2

from datamodules.synthetic.files import put
from preprocessing.page.contact_sheet import HEIGHT, WIDTH
from preprocessing.page.reason_colors import COLORS, USED
from preprocessing.page.recording_block import STATUS, Block, block, duration, lost_frames, percent
from preprocessing.page.settings_list import settings, versions
from preprocessing.page.timeline import FULL

TEMPLATES = Path(__file__).with_name("templates")
_ORDER = {"warned": 0, "ok": 1, "refused": 2}  # what a person should look at first
_GOOD, _POOR = 0.9, 0.5  # shares of recordings that can be used: our choice


def write_faces_page(
    path: Path,
    *,
    entries: Sequence[Mapping[str, Any]],
    record: Mapping[str, Any],
    templates: jinja2.Environment,
    rate: float | None = None,
) -> None:
    """Write the page; contact sheets are linked, so that it belongs beside its cache.

    Args:
        path: File to write.
        entries: Content of each file in `entries/`: `recording_id, status, reasons`, and as far as they are
            known `seconds, fps, width, height, frames, usable, lost` (frames by reason), `timeline` and
            `files`.
        record: Content of `preprocessing.json`: `fingerprint, settings, provenance`.
        templates: Finds `TEMPLATES`, and the style that all reports share.
        rate: Frames a second with which it was made.
    """
    blocks = [block(number, entry) for number, entry in enumerate(entries)]
    page = templates.get_template("faces.html").render(
        title=f"Faces of {len(entries):,} recording{'s' if len(entries) != 1 else ''}",
        subtitle="What preprocess.py found, kept and refused: to be looked at before training.",
        banners=["This page shows faces. It is as confidential as the videos: do not pass it on."],
        facts=[],
        verdict=_verdict(entries),
        figures=_figures(entries, rate),
        lost=_lost(entries),
        legend={"used": USED} | dict(COLORS),
        refused=[one for one in blocks if one.status == "refused"],
        blocks=sorted(blocks, key=_first),
        counts={status: sum(one.status == status for one in blocks) for status in STATUS},
        settings=settings(record),
        versions=versions(record),
        fingerprint=record.get("fingerprint", ""),
        sheet={"width": WIDTH, "height": HEIGHT},
        full=FULL,
    )  # fmt: skip
    put(path, page.encode())  # several commands may write it


def _first(one: Block) -> tuple[int, float]:
    """Warned ones first, then the others by their share of usable frames."""
    return _ORDER[one.status], 1.0 if one.share is None else one.share


def _verdict(entries: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """The result in one sentence and its color."""
    used = sum(entry["status"] != "refused" for entry in entries)
    share = used / len(entries) if entries else 0.0
    tone = "good" if share >= _GOOD else "mixed" if share >= _POOR else "poor"
    many = f"{used:,} of {len(entries):,} recordings can be used"
    return {"tone": tone, "headline": many if used else "No recording can be used"}


def _figures(entries: Sequence[Mapping[str, Any]], rate: float | None) -> list[tuple[str, str]]:
    """What is known of all recordings together: number and what it counts."""
    counts = Counter(entry["status"] for entry in entries)
    used = [entry for entry in entries if entry["status"] != "refused"]
    frames = sum(int(entry.get("frames") or 0) for entry in used)
    usable = sum(int(entry.get("usable") or 0) for entry in used)
    figures = [(f"{counts[status]:,}", name) for status, name in STATUS.items()]
    figures.append((duration(sum(float(entry.get("seconds") or 0) for entry in used)), "of video used"))
    figures.append((percent(usable, frames), f"of its {frames:,} frames usable"))
    if rate is not None:
        figures.append((f"{rate:,.0f}", "frames a second"))
    return figures


def _lost(entries: Sequence[Mapping[str, Any]]) -> list[tuple[str, int, str, int]]:
    """Reason, frames, their share of those looked at, and recordings it occurs in; most frames first."""
    looked = [entry for entry in entries if entry.get("usable") or lost_frames(entry)]
    frames = sum(int(entry["frames"]) for entry in looked)
    counts: Counter[str] = Counter()
    recordings: Counter[str] = Counter()
    for entry in looked:
        counts.update(lost_frames(entry))
        recordings.update(lost_frames(entry).keys())
    return [
        (reason, count, percent(count, frames), recordings[reason]) for reason, count in counts.most_common()
    ]
