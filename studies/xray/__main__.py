"""Defects planted into made-up data sets, and clean ones, shown to a check: `python -m studies.xray`.

Every case is a tree of its own and a command of its own. What is answered is kept in `out`, so that the study
goes on where it stopped. The command ends with 1 on a miss or a false alarm.
"""

import json
import os
import shutil
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from datamodules.command_line import run
from engine.runs.processor import processor
from studies.xray.layouts import LAYOUTS, Tree, grown
from studies.xray.page import false, missed, written
from studies.xray.plants import PLANTS, planted
from studies.xray.verdict import asked

PAGE = Path("docs/results/xray_planted.md")


def main(
    *,
    seed: int = 0,
    only: str = "",
    limit: float = 0.0,
    keep: bool = False,
    out: Path = Path("outputs/xray"),
    page: Path = PAGE,
) -> int:
    """Plant, ask, count, and write the page; the status is 1 on a miss, a false alarm or no answer.

    Args:
        seed: Of all trees; another one draws fresh ones.
        only: Beginning of the names of the cases that are looked at now, such as clean or plant_07; the
            page is written when all have an answer.
        limit: Seconds after which no further case is begun; 0 is none. The command goes on when given again.
        keep: Keep the trees, to look into them.
        out: Folder of trees and answers; a new one where the check has changed, whose answers are kept.
        page: Markdown.
    """
    folder = out.resolve() / f"seed_{seed}"
    folder.mkdir(parents=True, exist_ok=True)
    begun, cases = time.monotonic(), dict[str, dict[str, Any]]()
    for name in names():
        kept = folder / f"{name}.json"
        wanted = name.startswith(only) and (not limit or time.monotonic() - begun < limit)
        if wanted and not _is_answered(kept, name):
            case = examined(name, folder, seed=seed, keep=keep)
            if case["alarms"] is not None:  # without an answer it is asked again next time
                kept.write_text(json.dumps(case, indent=2) + "\n", encoding="utf-8")
            cases[name] = case
            _tell(name, case)
        elif _is_answered(kept, name):
            cases[name] = json.loads(kept.read_text(encoding="utf-8"))
    defects = [case for name, case in cases.items() if name.startswith("plant")]
    clean = [case for name, case in cases.items() if name.startswith("clean")]
    text = written(defects, clean, colophon=_colophon(cases, seed))
    sys.stdout.write(text)
    if left := len(list(names())) - len(cases):
        sys.stdout.write(f"{left} case(s) are left: give the command again\n")
    else:
        page.parent.mkdir(parents=True, exist_ok=True)
        page.write_text(text, encoding="utf-8")
    asked = [name for name in names() if name.startswith(only) and name not in cases]
    return int(bool(asked) or any(map(missed, defects)) or any(map(false, clean)))


def names() -> Iterator[str]:
    """Names of all cases: the clean ones, and one for each defect."""
    yield from (f"clean_{number:02d}" for number in range(1, len(LAYOUTS) + 1))
    yield from (f"plant_{number:02d}" for number in range(1, len(PLANTS) + 1))


def _is_answered(kept: Path, name: str) -> bool:
    """Whether there is an answer, and of the case that has this name now."""
    if not kept.is_file():
        return False
    case = json.loads(kept.read_text(encoding="utf-8"))
    number = int(name.partition("_")[2]) - 1
    if name.startswith("clean"):
        return bool(case["layout"] == LAYOUTS[number].name)
    return bool(case["what"] == PLANTS[number].what and case["kind"] == PLANTS[number].kind)


def examined(name: str, folder: Path, *, seed: int, keep: bool = False) -> dict[str, Any]:
    """Make the tree of a case, ask, and return the case with its answer.

    Args:
        name: Of the case.
        folder: Where trees and answers are.
        seed: Of the tree.
        keep: Whether the tree stays.
    """
    root = folder / "trees" / name
    shutil.rmtree(root, ignore_errors=True)
    sort, _, number = name.partition("_")
    case: dict[str, Any] = {"case": name, "seed": seed}
    if sort == "clean":
        tree = grown(LAYOUTS[int(number) - 1], root, seed)
    else:
        plant = PLANTS[int(number) - 1]
        tree, named = planted(plant, root, seed)
        case |= {"kind": plant.kind, "what": plant.what, "named": named}
    case |= _size(tree)
    begun = time.monotonic()
    case |= asked(tree.layout.words(root), folder / "answers" / f"{name}.json")
    case["seconds"] = round(time.monotonic() - begun, 1)
    if not keep:
        shutil.rmtree(root)
    return case


def _size(tree: Tree) -> dict[str, Any]:
    persons = int(tree.cast["person"].nunique())
    return {"layout": tree.layout.name, "persons": persons, "recordings": len(tree.cast)}


def _tell(name: str, case: dict[str, Any]) -> None:
    verdict = "no answer" if case["alarms"] is None else ", ".join(alarm["kind"] for alarm in case["alarms"])
    sys.stdout.write(f"{name} ({case.get('kind', 'clean')}), {case['layout']}: {verdict or 'no alarm'}\n")
    if case["alarms"] is None:
        sys.stdout.write(f"  status {case['status']}: {case['stderr'].strip()}\n")
    sys.stdout.flush()


def _colophon(cases: dict[str, dict[str, Any]], seed: int) -> str:
    seconds = sum(case["seconds"] for case in cases.values())
    return (
        f"`python -m studies.xray seed={seed}` on {datetime.now(UTC):%Y-%m-%d}: {len(cases)} commands, "
        f"{seconds:.0f} s in all, on {processor()}, {os.cpu_count()} cores."
    )


if __name__ == "__main__":
    sys.exit(run(main))
