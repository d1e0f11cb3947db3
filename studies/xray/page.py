"""The page on planted defects and clean trees."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from studies.xray.plants import STATISTICAL
from studies.xray.verdict import found, strangers

Case = Mapping[str, Any]

_HEAD = """# Planted defects, and what finds them

`python -m datamodules.checks.validate ... xray=true` looks for what is wrong with a data set before anybody
trains on it. Whoever planted the {plants} defects below had not seen how it looks for them. Each is in a
fresh copy of a clean tree, alone. It counts as found where an alarm of its kind names a recording, a file or
a column of it. The {clean} clean trees have sites, tasks, traits, lost faces, pauses and several visits, and
labels drawn from none of these, by chance alone: every alarm there is a false one.

All persons are made up. A score is what the alarm says that the defect alone would buy, with its interval.
Named beside: recordings and files in the same alarm that hold no defect.
"""


def missed(case: Case) -> bool:
    """Whether a planted defect was not told."""
    return case["alarms"] is None or found(case["kind"], case["named"], case["alarms"]) is None


def false(case: Case) -> bool:
    """Whether a clean tree raised an alarm, or no answer came."""
    return case["alarms"] is None or bool(case["alarms"])


def written(planted: Sequence[Case], clean: Sequence[Case], *, colophon: str) -> str:
    """The whole page.

    Args:
        planted: Cases with a defect.
        clean: Cases without.
        colophon: How, when and where they were made.
    """
    lines = [_HEAD.format(plants=len(planted), clean=len(clean)), "## Planted", ""]
    lines += [
        "| # | kind | layout | defect | found | it alone buys | named beside | other alarms |",
        "|---" * 8 + "|",
        *(_planted(number, case) for number, case in enumerate(planted, start=1)),
        "",
        f"Missed: {sum(map(missed, planted))} of {len(planted)}.",
        "",
        "## Clean",
        "",
        "| # | layout | persons | recordings | alarms |",
        "|---" * 5 + "|",
        *(_clean(number, case) for number, case in enumerate(clean, start=1)),
        "",
        f"With a false alarm: {sum(map(false, clean))} of {len(clean)}.",
        "",
        colophon,
    ]
    return "\n".join(lines) + "\n"


def _planted(number: int, case: Case) -> str:
    cells = [number, f"`{case['kind']}`", case["layout"], case["what"]]
    if case["alarms"] is None:
        return _row(*cells, "**no answer**", "", "", "")
    alarm = found(case["kind"], case["named"], case["alarms"])
    others = Counter(one["kind"] for one in case["alarms"] if one is not alarm)
    told = ", ".join(f"{kind} {count}" if count > 1 else kind for kind, count in sorted(others.items()))
    if alarm is None:
        return _row(*cells, "**missed**", "", "", told)
    beside = "" if case["kind"] in STATISTICAL else strangers(case["named"], alarm)
    return _row(*cells, "yes", _score(alarm["score"]), beside, told)


def _clean(number: int, case: Case) -> str:
    cells = [number, case["layout"], case["persons"], case["recordings"]]
    if case["alarms"] is None:
        return _row(*cells, "**no answer**")
    return _row(
        *cells, "; ".join(f"**{alarm['kind']}**: {alarm['text']}" for alarm in case["alarms"]) or "none"
    )


def _score(score: Mapping[str, Any] | None) -> str:
    if score is None:
        return ""
    span = f"{score['value']:.2f} [{score['low']:.2f}, {score['high']:.2f}]"
    return f"{score['measure']} {span}, {score['persons']} persons"


def _row(*cells: object) -> str:
    return "| " + " | ".join(str(cell).replace("|", "/").replace("\n", " ") for cell in cells) + " |"
