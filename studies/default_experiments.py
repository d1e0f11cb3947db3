"""Results of every experiment card at several commits, on a small cohort, compared digit by digit.

`python -m studies.default_experiments before=<folder> after=<folder> out=build/experiments`
trains each card of conf/experiment in each checkout and in this one, with the defaults but for the size of
the cohort and two epochs, and shows the test results and whether this checkout has those of the last one
before it; a checkout must know the keys of `_FEW`. Runs that are done are kept in `out`.
"""

import json
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from datamodules.command_line import run

ROOT = Path(__file__).resolve().parents[1]
CARDS = tuple(sorted(path.stem for path in (ROOT / "conf" / "experiment").glob("*.yaml")))
SHOWN = {"auc": "AUC", "mae": "MAE", "quadratic_kappa": "kappa"}
_FEW = ["data.cohort.n_subjects=24", "data.module.subjects=4"]
_SHORT = ["trainer.max_epochs=2", "evaluation.n_boot=1000"]
# Parts of an estimate that belong to its interval, not to the point.
_INTERVAL = {"low", "high", "reason", "method", "warning"}


def main(*, out: Path, only: tuple[str, ...] = CARDS, **checkouts: str) -> None:
    """Train what is not trained yet and print the table.

    Args:
        out: Runs that are done are kept there.
        only: Cards.
        checkouts: Any name, and the folder of a checkout.
    """
    folders = {name: Path(folder) for name, folder in checkouts.items()} | {"now": ROOT}
    for card in only:
        for name, checkout in folders.items():
            train(card, checkout, out=out.resolve() / name)
    sys.stdout.write(table(out, list(folders), only))


def train(card: str, checkout: Path, *, out: Path) -> None:
    """Train a card in a checkout, in a process of one thread, with a data folder of the checkout's own."""
    if (out / card / "metrics.json").is_file():
        return
    line = [sys.executable, "train.py", f"experiment={card}", *_FEW, *_SHORT]
    line += [f"paths.data={out / 'data'}", f"hydra.run.dir={out / card}"]
    done = subprocess.run(line, cwd=checkout, capture_output=True, text=True, check=False)
    if done.returncode:
        sys.stderr.write(f"{card} in {checkout} did not run:\n{done.stderr[-500:]}\n")


def points(run: Path) -> dict[str, Any]:
    """Every number of `metrics.json` but those of intervals, by its path in the file."""
    found = dict(_leaves(json.loads((run / "metrics.json").read_text(encoding="utf-8"))))
    return {key: value for key, value in found.items() if key.rsplit("/", 1)[-1] not in _INTERVAL}


def same(run: Path, other: Path) -> str:
    """Whether two runs have the same points and predictions, digit by digit, in words."""
    ours, theirs = points(run), points(other)
    shared = ours.keys() & theirs.keys()
    moved = sum(ours[key] != theirs[key] for key in shared)
    frames = [
        pd.read_csv(one / "predictions.csv", dtype=str).set_index("recording_id") for one in (run, other)
    ]
    columns = [name for name in map(str, frames[0]) if name.endswith("_prediction") and name in frames[1]]
    tables = [frame[columns].sort_index() for frame in frames]
    rows = "equal" if tables[0].equals(tables[1]) else "DIFFERENT"
    return f"{len(shared) - moved} of {len(shared)} numbers equal, {len(tables[0])} predictions {rows}"


def table(out: Path, names: Sequence[str], cards: Sequence[str]) -> str:
    """Markdown: a row a card, with the test results of each checkout."""
    heads = ["card", "metric", *names, f"{names[-1]} against {names[-2]}"]
    rows = ["| " + " | ".join(heads) + " |", "|---" * len(heads) + "|"]
    for card in cards:
        runs = [out / name / card for name in names]
        if not all((run / "metrics.json").is_file() for run in runs):
            rows.append(f"| {card} | did not run |" + " |" * (len(heads) - 2))
            continue
        found = [points(run) for run in runs]
        verdict = same(runs[-1], runs[-2])
        for key, label in SHOWN.items():
            values = [one.get(f"/test/{key}/value") for one in found]
            if None not in values:
                rows.append(
                    f"| {card} | {label} | {' | '.join(f'{value:.6f}' for value in values)} | {verdict} |"
                )
    return "\n".join(rows) + "\n"


def _leaves(node: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    if isinstance(node, dict | list):
        for key, value in node.items() if isinstance(node, dict) else enumerate(node):
            yield from _leaves(value, f"{path}/{key}")
    else:
        yield path, node


if __name__ == "__main__":
    sys.exit(run(main))
