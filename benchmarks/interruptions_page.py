"""The table of a campaign of interruptions, as JSON and as a page."""

import json
import sys
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import Any

_HEAD = """# Interrupted and resumed

Every case is a real `train.py` that was ended at a random moment of its whole life (start, cohort, training,
validation, prediction, report), resumed once, and held against the run that nobody interrupted: weights of
the best and the last checkpoint, optimizer, schedule, states of the callbacks, `history.csv`, `metrics.json`,
`predictions.csv`, the found rate, looks at the test part. Equal means every bit; times are not compared.

    python -m benchmarks.interruptions --page docs/interruptions.md

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
    lines = [
        "| ended by | input | workers | cases | elsewhere | had begun | different |",
        "|---|---|---|---|---|---|---|",
    ]
    for key, group in sorted(groups.items()):
        numbers = [
            len(group),
            *(sum(bool(case[name]) for case in group) for name in ("elsewhere", "resumed", "faults")),
        ]
        lines.append("| " + " | ".join(map(str, (*key, *numbers))) + " |")
    bad = sum(bool(case["faults"]) for case in cases)
    lines += ["", f"{len(cases) - bad} of {len(cases)} equal the uninterrupted run."]
    lines += [f"- case {case['case']}: {', '.join(case['faults'])}" for case in cases if case["faults"]]
    return "\n".join(lines) + "\n"
