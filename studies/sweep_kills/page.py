"""The page `docs/results/sweep_kills.md`."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

_COLUMNS = (
    *(
        "sampler",
        "storage",
        "trainings",
        "trials",
        "worker",
        "command",
        "restarts",
        "from a checkpoint",
        "seconds",
    ),
    "faults",
)
_HEAD = """# Sweeps whose workers are killed

Made by `python -m studies.sweep_kills kills=20` (and `server=true` for PostgreSQL). `sweep.py` trains a
small network on the synthetic cohort with 4 workers; at random moments SIGKILL meets one of them (column
*worker*) or the command with all its workers (*command*), after which the same command is given again.
*restarts* counts attempts at a trial that ended with its worker, *from a checkpoint* those trainings that
went on from a state on disk before their last epoch; a trial that was killed before its first epoch begins
anew, and one that was killed after its last epoch only has its validation predicted. A fault is a trial
that is lost, finished twice or left running, a test part that was looked at by another trial than the
chosen one or twice, and, for random and grid, a table of settings and values (to the last digit) other than
that of an undisturbed sweep. Pretended trainings (`pretend=true`) only wait, and go on from a state on disk
as real ones do: they try the hands that trials go through, at no cost.

"""


def write_page(path: Path, cases: Sequence[Mapping[str, Any]]) -> None:
    """Write the table of all cases."""
    rows = [[_cell(case, name) for name in _COLUMNS] for case in cases]
    lines = [list(_COLUMNS), ["---"] * len(_COLUMNS), *rows]
    path.write_text(_HEAD + "\n".join(f"| {' | '.join(line)} |" for line in lines) + "\n", encoding="utf-8")


def _cell(case: Mapping[str, Any], name: str) -> str:
    if name != "faults":
        return str(case[name])
    return "; ".join(case[name]) if case[name] else "none"
