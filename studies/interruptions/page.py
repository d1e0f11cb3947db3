"""Table of the interruption study, as JSON and as a page."""

import json
import sys
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from studies.interruptions.moment import PLACES

_HEAD = """# Interrupted and resumed

Every case is a real `train.py` that was ended at a random moment, resumed once, and held against the run that
nobody interrupted: weights of the best and the last checkpoint, optimizer, schedule, states of the callbacks,
`history.csv`, `metrics.json`, `predictions.csv`, the found rate, looks at the test part. Equal means every
bit; times are not compared.

    python -m studies.interruptions page=docs/results/interruptions.md

Moments of kills and signals are drawn over what a run leaves on disk, not over seconds: one in eight before
its first training step (start, cohort, leak audit, range test of `find_lr`), six over the steps that have
begun and the time within one, one after the last epoch (validation, prediction, tables, report). A disk is a
file system that holds the first checkpoint and not the whole run. "Where" counts what each case met, not what
it aimed at.

"""


def write_page(cases: Sequence[dict[str, Any]], *, table: Path, page: Path | None) -> None:
    """Write every case as JSON, and the counts as Markdown; print the counts."""
    table.write_text(json.dumps(list(cases), indent=2) + "\n")
    text = counts(cases)
    sys.stdout.write(text)
    if page is not None:
        page.write_text(_HEAD + text)


def counts(cases: Sequence[dict[str, Any]]) -> str:
    """One row for every way to end, kind of input and number of workers."""
    groups: dict[tuple[str, str, int], list[dict[str, Any]]] = defaultdict(list)
    for case in cases:
        groups[case["end"], case["kind"], case["workers"]].append(case)
    names = ("cases", "elsewhere", *(f"where: {name}" for name in PLACES), "disk full", "different")
    lines = [
        f"| ended by | input | workers | {' | '.join(names)} |",
        "|---" * (3 + len(names)) + "|",
    ]
    for key, group in sorted(groups.items()):
        where = [sum(case["where"] == name for case in group) for name in PLACES]
        told = [
            sum(bool(case.get(name)) for case in group) if key[0] == "disk" or name != "full" else ""
            for name in ("elsewhere", "full", "faults")
        ]
        numbers = [len(group), told[0], *where, *told[1:]]
        lines.append("| " + " | ".join(map(str, (*key, *numbers))) + " |")
    bad = sum(bool(case["faults"]) for case in cases)
    lines += ["", f"{len(cases) - bad} of {len(cases)} equal the uninterrupted run.", ""]
    for end in dict.fromkeys(key[0] for key in sorted(groups)):
        met = [case for case in cases if case["end"] == end]
        begun = sum(case["where"] != "before" for case in met)
        full = f"; {sum(case['full'] for case in met)} disks were full" if end == "disk" else ""
        lines.append(f"- {end}: {begun} of {len(met)} between the first step and the end of the run{full}.")
    lines += [f"- case {case['case']}: {', '.join(case['faults'])}" for case in cases if case["faults"]]
    return "\n".join(lines) + "\n"
