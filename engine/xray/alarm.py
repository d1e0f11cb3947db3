"""The answer of an x-ray: alarms with what each alone would score, and what was looked at."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from datamodules.xray.defect import KINDS
from evaluation.audit.alone import Alone


@dataclass(frozen=True, kw_only=True)
class Alarm:
    """A defect that is there beyond chance: where, in a sentence, and the AUC of whoever knows it alone.

    `score` is None where nothing can be measured, for the `reason`.
    """

    kind: str
    where: Sequence[str]
    text: str
    score: Alone | None
    reason: str = ""

    def plain(self) -> dict[str, Any]:
        """As a dict for JSON."""
        found: dict[str, Any] = {"kind": self.kind, "where": list(self.where), "text": self.text}
        if self.score is None:
            return found | {"score": None, "reason": self.reason}
        own = self.score
        measured = {"value": own.value, "low": own.low, "high": own.high, "persons": own.persons}
        return found | {"score": {"measure": "auc", **measured}}


@dataclass(kw_only=True)
class XRay:
    """All alarms, how many things of each kind were looked at, and why of some nothing can be said."""

    alarms: list[Alarm] = field(default_factory=list)
    looked: dict[str, int] = field(default_factory=lambda: dict.fromkeys(KINDS, 0))
    cannot_tell: dict[str, str] = field(default_factory=dict)
    unreadable: list[tuple[str, str]] = field(default_factory=list)
    label: str = "none"
    recordings: int = 0
    persons: int = 0
    questions: int = 0
    seconds: float = 0.0
    refused: str = ""

    def plain(self) -> Mapping[str, Any]:
        """As a dict for JSON."""
        return {
            "alarms": [alarm.plain() for alarm in self.alarms],
            "looked": self.looked,
            "cannot_tell": self.cannot_tell,
            "unreadable": [{"file": file, "why": why} for file, why in self.unreadable],
            "label": self.label,
            "recordings": self.recordings,
            "persons": self.persons,
            "questions": self.questions,
            "seconds": round(self.seconds, 3),
            "seconds_per_recording": round(self.seconds / max(self.recordings, 1), 4),
            "refused": self.refused,
        }
