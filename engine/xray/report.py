"""An x-ray as sections of the report on a corpus."""

from datamodules.checks.describe import Section
from datamodules.wording import first_few
from datamodules.xray.defect import KINDS
from engine.xray.alarm import Alarm, XRay

_WHERE = 4  # names of a list


def sections(answer: XRay) -> list[Section]:
    """Alarms, what was looked at, and files that cannot be read."""
    alarms = sorted(answer.alarms, key=lambda one: KINDS.index(one.kind))
    header = ("kind", "alone it scores", "where", "what")
    told = Section(
        title="X-ray: alarms",
        header=header,
        rows=[(one.kind, _score(one), first_few(list(one.where), _WHERE), one.text) for one in alarms],
        empty="none",
        urgency=1,
        remark=f"AUC of {answer.label} with its 95 % interval over {answer.persons} persons, for whoever "
        "knows nothing else; .5 is chance",
    )
    counted = [
        (kind, str(answer.looked[kind]), str(sum(one.kind == kind for one in alarms)), _unsaid(answer, kind))
        for kind in KINDS
    ]
    looked = Section(
        title="X-ray: looked at",
        header=("kind", "things", "alarms", ""),
        rows=counted,
        remark=f"{answer.seconds:.1f} s, {1000 * answer.seconds / max(answer.recordings, 1):.0f} ms a "
        "recording; "
        f"{answer.questions} questions of what tells the label (of numbers two each), corrected for all",
    )
    broken = Section(
        title="X-ray: arrays that cannot be read", header=("file", "why"), rows=answer.unreadable, urgency=2
    )
    return [told, looked, broken]


def _score(alarm: Alarm) -> str:
    if alarm.score is None:
        return alarm.reason
    return f"AUC {alarm.score.value:.2f} [{alarm.score.low:.2f}, {alarm.score.high:.2f}]"


def _unsaid(answer: XRay, kind: str) -> str:
    return answer.cannot_tell.get(kind, "")
