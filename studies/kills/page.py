"""Table of the study of kills."""

import sys
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import Any

_HEAD = """# Killed, and given again

Every case is a real command that was ended at a random moment and given once more, word by word, and held
against what the same command leaves when nobody disturbs it. Moments are drawn over what a command leaves on
disk and the time until the next file, not over seconds, most of which are its start.

    python -m studies.kills page=docs/results/kills.md

- **folds**: two folds of a cross-validation. Pooled `metrics.json`, `predictions.csv` and `folds.csv` are
  compared byte by byte; of each fold also weights, optimizer, curves and looks at the test part, bit by bit.
- **preprocessing** and **encoding**: every file of the cache or store, and no file more or less; logs and the
  page, which tell times, are left out.
- **report**: a training that is killed after its last epoch, while it predicts and writes tables and report.
  It is compared as a fold is; the report has to be whole.

Single trainings have their own page ([interruptions](interruptions.md): other signals, full disks, other
folders), and so has preprocessing with workers ([preprocess_kills](preprocess_kills.md)). A command begins in
a process forked from one that has imported torch already, which changes nothing but the waiting.

"""


def write_page(cases: Sequence[dict[str, Any]], *, page: Path | None) -> None:
    """Print the counts, and write them as Markdown."""
    text = counts(cases)
    sys.stdout.write(text)
    if page is not None:
        page.write_text(_HEAD + text)


def counts(cases: Sequence[dict[str, Any]]) -> str:
    """One row for every command and signal: how far it had come, in thirds of its files, and the lost."""
    groups: dict[tuple[str, str], list[dict[str, Any]]] = defaultdict(list)
    for case in cases:
        groups[case["command"], case["signal"]].append(case)
    lines = ["| command | signal | cases | first third | second | last | lost |", "|---" * 7 + "|"]
    for key, group in sorted(groups.items()):
        thirds = [min(2, 3 * case["events"] // max(1, case["of"])) for case in group]
        numbers = [len(group), *map(thirds.count, range(3)), sum(bool(case["faults"]) for case in group)]
        lines.append("| " + " | ".join(map(str, (*key, *numbers))) + " |")
    lost = [case for case in cases if case["faults"]]
    lines += ["", f"{len(lost)} of {len(cases)} lost: all others equal what nobody disturbed."]
    lines += [f"- case {case['case']}, {case['command']}: {', '.join(case['faults'][:5])}" for case in lost]
    return "\n".join(lines) + "\n"
