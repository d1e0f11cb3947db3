"""How long a training takes to its first step: `python -m benchmarks.start_up`.

`train.py` on a small made-up cohort of facial series, in a process of its own each time. The bound is what
nobody's training can avoid: the import of pytorch_lightning, with torch and torchvision. The cohort is made
before. Clock and CPU seconds; those of the clock hold on an idle machine only.
"""

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import median

from benchmarks.speed.paired import written
from datamodules.command_line import run

ROOT = Path(__file__).resolve().parents[1]
SMALL = (
    *("experiment=mpdrm_series", "logger=none", "data.cohort.n_subjects=10", "data.cohort.n_visits=2"),
    *("data.cohort.fps=10", "data.cohort.duration_s=2", "data.cohort.workers=1", "protocol.val=0.3"),
    *("data.module.train_clips.length=8", "data.module.eval_clips.length=8", "data.module.subjects=2"),
)
PARTS = {"import": "import of pytorch_lightning", "first step": "from there to the first step"}
_CHILD = """
import json, os, runpy, sys, time
begun = time.perf_counter(), time.process_time()
import pytorch_lightning
imported = time.perf_counter(), time.process_time()
def first(*given):
    stepped = time.perf_counter(), time.process_time()
    pairs = {"import": (begun, imported), "first step": (imported, stepped)}
    print(json.dumps({name: [b - a for a, b in zip(*pair)] for name, pair in pairs.items()}), flush=True)
    os._exit(0)
pytorch_lightning.LightningModule.on_train_batch_end = first
import models.task
models.task.Task.on_train_batch_end = first
runpy.run_path("train.py", run_name="__main__")
"""


def main(*, rounds: int = 5, out: Path = Path("outputs/benchmarks")) -> None:
    """Start trainings, write `start_up.json`, and show the table.

    Args:
        rounds: Trainings that are started one after another.
        out: Folder of the file.
    """
    with tempfile.TemporaryDirectory() as folder:
        first_step(Path(folder), "made")  # with the cohort, which is not counted
        found = [first_step(Path(folder), str(number)) for number in range(rounds)]
    sys.stdout.write(shown(found))
    written(out, "start_up", {"rounds": found})


def first_step(folder: Path, name: str) -> dict[str, list[float]]:
    """Start one training and end it behind its first step; clock and CPU seconds of each part."""
    words = [*SMALL, f"paths.data={folder / 'data'}", f"hydra.run.dir={folder / name}"]
    done = subprocess.run(
        [sys.executable, "-c", _CHILD, *words], cwd=ROOT, capture_output=True, text=True, check=False,
        env=os.environ | {"OMP_NUM_THREADS": "1", "PYTHONPATH": str(ROOT)},
    )  # fmt: skip
    if done.returncode:
        raise RuntimeError(f"the training did not start:\n{done.stderr[-3000:]}")
    found: dict[str, list[float]] = json.loads(done.stdout.splitlines()[-1])
    return found


def shown(found: Sequence[Mapping[str, Sequence[float]]]) -> str:
    """Markdown: medians with the smallest and the largest."""
    lines = ["| part | clock s, median [range] | CPU s, median [range] |", "|---|---:|---:|"]
    for part, words in PARTS.items():
        columns = list(zip(*(one[part] for one in found), strict=True))
        cells = [f"{median(one):.2f} [{min(one):.2f}, {max(one):.2f}]" for one in columns]
        lines.append(f"| {words} | {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    sys.exit(run(main))
