"""Table of the kill study."""

import sys
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import Any

_HEAD = """# Preprocessing, killed and gone on with

Every case is a real `preprocess.py` that SIGKILL ended at a random moment, given once more and held against
the cache of one that nobody interrupted: clips, series, contact sheets, entries, manifest, the table of what
was refused and the record of the settings. Equal means every byte, and no file more or less; logs and the
page, which tell times, are not compared.

    python -m studies.preprocess_kills page=docs/results/preprocess_kills.md

The signal goes to the command alone, whose workers must notice; to its whole group at once; or to one of its
workers, which costs that recording another try and nothing else. "Before" is before the first recording was
done, "after" when all were done and the tables were being written.

"""


def write_page(cases: Sequence[dict[str, Any]], *, page: Path | None) -> None:
    """Print the counts, and write them as Markdown."""
    text = counts(cases)
    sys.stdout.write(text)
    if page is not None:
        page.write_text(_HEAD + text)


def counts(cases: Sequence[dict[str, Any]]) -> str:
    """One row for every executor and victim."""
    groups: dict[tuple[str, str], list[dict[str, Any]]] = defaultdict(list)
    for case in cases:
        groups[case["executor"], case["whom"]].append(case)
    lines = ["| executor | killed | cases | before | between | after | different |", "|---" * 7 + "|"]
    for key, group in sorted(groups.items()):
        before = sum(case["entries"] == 0 for case in group)
        after = sum(case["entries"] >= case["of"] for case in group)
        bad = sum(bool(case["faults"]) for case in group)
        numbers = [len(group), before, len(group) - before - after, after, bad]
        lines.append("| " + " | ".join(map(str, (*key, *numbers))) + " |")
    equal = sum(not case["faults"] for case in cases)
    lines += ["", f"{equal} of {len(cases)} caches equal the uninterrupted one."]
    lines += [f"- {case['case']}: {', '.join(case['faults'][:5])}" for case in cases if case["faults"]]
    return "\n".join(lines) + "\n"
