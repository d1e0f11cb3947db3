"""Time and memory of a manifest from its table to the batches of an epoch, at 10,000 to 1,000,000 recordings.

`python -m benchmarks.index rows=1000000` makes tables of a hundredth, a tenth and all of the rows with a file
for each, opens each of them twice, splits, checks and plans, and lets eight workers read. Every stage runs in
a fresh process of one thread; the page is `docs/results/index_scale.md`.
"""

import json
import math
import os
import platform
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "docs" / "results" / "index_scale.md"
VISITS = 6
WORKERS = 8
_FOLDER_OF = 1000  # files of a folder
_READ = 4000  # clips that the workers read before their memory is looked at
Seconds = dict[str, tuple[float, float]]  # wall, CPU


def main(*, rows: int = 1_000_000, write: bool = True, place: Path | None = None) -> None:
    """Measure, print the tables, and write the page.

    Args:
        rows: Of the largest table.
        write: Whether to write `docs/results/index_scale.md`.
        place: Folder for the made files; a temporary one by default.
    """
    sizes = [rows // 100, rows // 10, rows]
    with tempfile.TemporaryDirectory(dir=place) as folder:
        found = [_measured(make(Path(folder) / str(size), size)) for size in sizes]
    text = tables(sizes, found)
    sys.stdout.write(text)
    if write:
        PAGE.write_text(page(text), encoding="utf-8")


def make(folder: Path, rows: int) -> Path:
    """A table of recordings with all facts and an empty file for each, a thousand in a folder."""
    folder.mkdir(parents=True)
    number = np.arange(rows)
    names = [f"videos/{row // _FOLDER_OF:04d}/r{row:07d}.mp4" for row in number.tolist()]
    for at in range(0, rows, _FOLDER_OF):
        (folder / names[at]).parent.mkdir(parents=True)
    for name in names:
        os.close(os.open(folder / name, os.O_CREAT, 0o644))
    rng = np.random.default_rng(0)
    table = pd.DataFrame(
        {
            "recording_id": [f"r{row:07d}" for row in number.tolist()],
            "subject_id": [f"p{row // VISITS:06d}" for row in number.tolist()],
            "session_id": [f"V{row % VISITS + 1}" for row in number.tolist()],
            "path": names,
            "task": "interview",
            "site": np.where(number // VISITS % 2, "north", "south"),
            "sex": np.where(number // VISITS % 3, "female", "male"),
            "age": 20 + number // VISITS % 50,
            "fps": 25,
            "n_frames": 1500,
            "duration_s": 60,
            "width": 64,
            "height": 64,
            "brightness": 0.5,
            "scale": "BDI-II",
            "score": rng.integers(0, 64, rows),
            "content_hash": [f"{row:064x}" for row in number.tolist()],
        }
    )
    table.to_csv(folder / "manifest.csv", index=False)
    return folder


def _measured(folder: Path) -> dict[str, Any]:
    """Every stage of one table, the first opening with an empty cache."""
    found: dict[str, Any] = {"the table on disk": (folder / "manifest.csv").stat().st_size / 2**20}
    for name in CHILDREN:
        found |= _child(name, folder)
    kept = (folder / "cache").rglob("*")
    return found | {"its index on disk": sum(one.stat().st_size for one in kept if one.is_file()) / 2**20}


def _child(name: str, folder: Path) -> dict[str, Any]:
    own = {"PYTHONPATH": os.environ.get("PYTHONPATH", str(ROOT)), "OMP_NUM_THREADS": "1"}
    environment = os.environ | own | {"XDG_CACHE_HOME": str(folder / "cache")}
    done = subprocess.run(
        [sys.executable, str(Path(__file__).resolve()), name, str(folder)],
        env=environment, capture_output=True, text=True, check=False,
    )  # fmt: skip
    if done.returncode:
        raise RuntimeError(f"{name} of {folder} failed:\n{done.stderr[-3000:]}")
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    sys.stderr.write(f"{folder.name} {name} {json.dumps(found)}\n")
    return found


@contextmanager
def clocked(found: dict[str, Any], name: str) -> Iterator[None]:
    """Note seconds of the clock and of the processor under a name."""
    wall, cpu = time.perf_counter(), time.process_time()
    yield
    found[name] = (time.perf_counter() - wall, time.process_time() - cpu)


def opening(folder: Path, name: str) -> dict[str, Any]:
    """Open the table once in this process."""
    from datamodules.manifests.manifest import read_manifest

    found: dict[str, Any] = {}
    before = memory("self", "Rss")  # what is forked on the way makes private pages shared ones
    with clocked(found, name):
        manifest = read_manifest(folder / "manifest.csv")
    found[f"memory after {name}"] = memory("self", "Rss") - before
    with clocked(found, f"digest after {name}"):
        manifest.digest()
    return found


def stages(folder: Path) -> dict[str, Any]:
    """Split, checks, what a fold is given, and the plan of an epoch."""
    import datamodules.datamodule  # noqa: F401  # its seconds are none of the stages
    from datamodules.manifests.manifest import read_manifest
    from datamodules.split_leakage.split_checks import check_split
    from datamodules.splits.protocols import Holdout, KFold

    found: dict[str, Any] = {}
    manifest = read_manifest(folder / "manifest.csv")
    with clocked(found, "split: holdout"):
        split = Holdout().splits(manifest)[0]
    with clocked(found, "split: 5 folds"):
        KFold(folds=5).splits(manifest)
    with clocked(found, "check of a split"):
        check_split(manifest, split, subject_disjoint=True)
    with clocked(found, "check of a split, again"):
        check_split(manifest, split, subject_disjoint=True)
    with clocked(found, "labels of the test part hidden"):
        hidden = manifest.without_labels(split.test)
    with clocked(found, "recordings of the training part"):
        sum(one.n_frames for one in hidden.recordings(split.train))
    with clocked(found, "data module with its training loader"):
        loader = _data(hidden, split, workers=0).train_dataloader()
    with clocked(found, "plan of an epoch"):
        count = sum(len(batch) for batch in loader.batch_sampler)
    with clocked(found, "evaluation loader"):
        _data(hidden, split, workers=0).test_dataloader()
    return found | {"clips of an epoch": count}


def workers(folder: Path) -> dict[str, Any]:
    """Memory of the main process and of eight workers that read."""
    from datamodules.manifests.manifest import read_manifest
    from datamodules.splits.protocols import Holdout

    start = memory("self", "Pss")
    manifest = read_manifest(folder / "manifest.csv")
    split = Holdout().splits(manifest)[0]
    loader = _data(manifest.without_labels(split.test), split, workers=WORKERS).train_dataloader()
    reader, read = iter(loader), 0
    for batch in reader:
        read += len(batch["row"])
        if read >= _READ:
            break
    children = [int(one) for one in Path("/proc/self/task").joinpath(
        str(os.getpid()), "children").read_text().split()]  # fmt: skip
    private = sorted(memory(str(one)) for one in children)
    return {
        "all processes": memory("self", "Pss") - start + sum(memory(str(one), "Pss") for one in children),
        "one worker": private[len(private) // 2],
        "workers": len(private),
        "a pickled dataset": _pickled(loader.dataset),
    }


def _pickled(dataset: Any) -> float:
    from multiprocessing.reduction import ForkingPickler

    import torch.multiprocessing  # noqa: F401  # registers how tensors travel

    return len(ForkingPickler.dumps(dataset)) / 2**20


def memory(process: str, kind: str = "Private") -> float:
    """MiB of a process: its own, with its share of what others have too (Pss), or all of it (Rss)."""
    lines = Path(f"/proc/{process}/smaps_rollup").read_text(encoding="utf-8").splitlines()
    kilobytes = {line.split(":")[0]: int(line.split()[1]) for line in lines[1:]}
    own = kilobytes["Private_Dirty"] + kilobytes["Private_Clean"]
    return (own if kind == "Private" else kilobytes[kind]) / 2**10


class BlankClips:
    """Frames without a file: what is measured is the way to them."""

    def prepared(self, recordings: Sequence[Any]) -> "BlankClips":
        """Return itself."""
        return self

    def measured(self, recording: Any) -> None:
        """Return None: all frames count."""
        return

    def length(self, recording: Any) -> int:
        """Frames the table states."""
        return int(recording.n_frames)

    def clip(self, recording: Any, indices: Sequence[int]) -> dict[str, Any]:
        """Black frames."""
        import torch

        return {"frames": torch.zeros(len(indices), 3, 4, 4, dtype=torch.uint8)}


def _data(manifest: Any, split: Any, *, workers: int) -> Any:
    from datamodules.clips.samplers import RandomClips, UniformClips
    from datamodules.datamodule import ClipDataModule

    return ClipDataModule(
        manifest=manifest, split=split, source=BlankClips(), train_clips=RandomClips(length=2, strides=(1,)),
        eval_clips=UniformClips(length=2, stride=1, clips=1), num_workers=workers,
    )  # fmt: skip


CHILDREN: Mapping[str, Callable[[Path], dict[str, Any]]] = {
    "first": lambda folder: opening(folder, "first opening"),
    "second": lambda folder: opening(folder, "second opening"),
    "stages": stages,
    "workers": workers,
}


STAGES = (
    "first opening", "second opening", "split: holdout", "split: 5 folds", "check of a split",
    "check of a split, again", "labels of the test part hidden", "recordings of the training part",
    "data module with its training loader", "plan of an epoch", "evaluation loader",
)  # fmt: skip
MEMORY = (
    "the table on disk", "its index on disk", "memory after first opening", "memory after second opening",
    "one worker", "all processes", "a pickled dataset",
)  # fmt: skip


def tables(sizes: Sequence[int], found: Sequence[Mapping[str, Any]]) -> str:
    """Markdown: seconds of every stage with their growth, then memory."""
    names = " | ".join(f"{size:,}" for size in sizes)
    rule = "---:|" * len(sizes)
    lines = [
        f"| stage, CPU s (clock s) | {names} | exponent, first step | second step |", f"|---|{rule}---:|---:|"
    ]  # fmt: skip
    for stage in STAGES:
        cells = [f"{one[stage][1]:.3g} ({one[stage][0]:.3g})" for one in found]
        steps = [exponent(found[at][stage][1], found[at + 1][stage][1], sizes[at : at + 2]) for at in (0, 1)]
        lines.append(f"| {stage} | {' | '.join(cells)} | {steps[0]:.2f} | {steps[1]:.2f} |")
    lines += ["", f"| memory, MiB | {names} |", f"|---|{rule}"]
    lines += [f"| {one} | {' | '.join(f'{own[one]:.3g}' for own in found)} |" for one in MEMORY]
    return "\n".join(lines) + "\n"


def exponent(small: float, large: float, sizes: Sequence[int]) -> float:
    """The power of the number of rows by which seconds grow."""
    return math.log(large / small) / math.log(sizes[1] / sizes[0])


def page(text: str) -> str:
    """The page: what was measured, by its marks between the words that are written by hand."""
    before, _, rest = PAGE.read_text(encoding="utf-8").partition(MARK)
    machine = f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}"
    machine += f", {datetime.now(UTC):%d %B %Y}"
    return f"{before}{MARK}\n\n{machine}.\n\n{text}\n{MARK}{rest.partition(MARK)[2]}"


MARK = "<!-- measured -->"


if __name__ == "__main__":
    if sys.argv[1:] and sys.argv[1] in CHILDREN:  # asked by the measuring process
        sys.stdout.write(json.dumps(CHILDREN[sys.argv[1]](Path(sys.argv[2]))))
    else:
        from datamodules.command_line import run

        sys.exit(run(main))
