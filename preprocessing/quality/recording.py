"""Whether a recording as a whole can be used, and what a person should know of it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from preprocessing.quality.crop_facts import CropFacts
from preprocessing.quality.gate import Verdict
from preprocessing.tracking.track import Track

_MOST = 0.5  # a reason that holds in this share of the frames with a face is given with what was measured
_SHOWN = 3  # reasons that are counted in a sentence


@dataclass(frozen=True, kw_only=True)
class Ruling:
    """What becomes of a recording.

    Attributes:
        status: whether it is used, used with a warning, or not.
        reasons: a sentence each, the gravest first.
    """

    status: Literal["ok", "warned", "refused"]
    reasons: tuple[str, ...] = ()


def rule(
    track: Track,
    verdict: Verdict,
    facts: Sequence[CropFacts | None],
    seconds: NDArray[np.float64],
    *,
    least_usable: float = 0.05,
    few_usable: float = 0.5,
    short_s: float = 1.0,
) -> Ruling:
    """Decide whether a recording is used.

    It is refused where no frame has a face, none is usable, or a smaller share than `least_usable`; it is
    used with a warning below `few_usable`, when it is short, when the person was lost and found again, and
    for each of the track's remarks (a second face is one).

    Args:
        track: The person.
        verdict: Of its frames.
        facts: Of each frame's crop ``(T)``; None where there is none.
        seconds: Times of the frames ``(T,)``.
        least_usable: Share of usable frames; our choice.
        few_usable: Share of usable frames; our choice.
        short_s: Length in seconds below which a recording is named short; our choice.
    """
    total, usable = len(track.confidence), int(verdict.usable.sum())
    if not track.found.any():
        return Ruling(status="refused", reasons=(f"no face in any of its {total} frames",))
    share = f"{usable} of {total} frames can be used: {_counts(verdict)}"
    if not usable or usable < least_usable * total:
        reasons = (share, *_causes(track, verdict, facts), *track.remarks)
        return Ruling(status="refused", reasons=reasons)
    warnings = [_short(seconds, short_s), _jumps(track)]
    if usable < few_usable * total:
        warnings.insert(0, f"only {share}")
    told = (*filter(None, warnings), *track.remarks)
    return Ruling(status="warned" if told else "ok", reasons=told)


def _counts(verdict: Verdict) -> str:
    """The reasons that speak against most frames, with their numbers."""
    counts = [(name, int(frames.sum())) for name, frames in verdict.reasons.items() if frames.any()]
    most = sorted(counts, key=lambda one: -one[1])[:_SHOWN]
    return ", ".join(f"{name} {count}" for name, count in most)


def _causes(track: Track, verdict: Verdict, facts: Sequence[CropFacts | None]) -> list[str]:
    """What holds in most frames with a face, with what was measured there."""
    width = track.boxes[:, 2] - track.boxes[:, 0]
    share = width / max(track.width, track.height)
    sharpness = np.array([fact.sharpness if fact else np.nan for fact in facts])
    luminance = np.array([fact.luminance if fact else np.nan for fact in facts])
    faces, causes = int(track.found.sum()), []
    for reason in ("small", "blurred", "dark", "bright"):
        frames = verdict.reasons.get(reason, np.zeros(0, dtype=bool))
        if frames.sum() < max(_MOST * faces, 1):
            continue
        wide, part, sharp, light = (
            float(np.nanmedian(values[frames])) for values in (width, share, sharpness, luminance)
        )
        told = {
            "small": f"{wide:.0f} pixels wide, {part:.1%} of the picture's longer side",
            "blurred": f"a sharpness of {sharp:.1f}",
        }.get(reason, f"a brightness of {light:.0%}")
        causes.append(f"the face is {reason} in {int(frames.sum())} of {faces} frames: {told} (median)")
    return causes


def _short(seconds: NDArray[np.float64], short_s: float) -> str:
    """That a recording is short; empty if it is not."""
    total = len(seconds)
    if total > 1:
        length = float(seconds[-1] - seconds[0]) * total / (total - 1)
        if length >= short_s:
            return ""
        return f"it is short: {total} frames, {length:.2g} s"
    return f"it is short: {total} frame"


def _jumps(track: Track) -> str:
    """How often the person was found again elsewhere; empty if never."""
    jumps = int(track.jumped.sum())
    if not jumps:
        return ""
    return f"the person is lost and found again elsewhere {jumps} time{'s' if jumps > 1 else ''}"
