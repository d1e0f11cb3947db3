"""CPU time of evaluation, manifests, epochs and loaders, compared with an earlier commit.

`python -m benchmarks.costs before=<checkout of the earlier commit>` runs each workload in both checkouts in
turn, each time in a fresh process of one thread, and shows CPU seconds and their ratio. Ratios travel between
machines, seconds do not. The workloads call what both commits have.
"""

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from inspect import signature
from pathlib import Path
from statistics import median

import numpy as np
import pandas as pd

import datamodules

ROOT = Path(__file__).resolve().parents[1]
Work = Callable[[], object]


def main(*, before: Path, rounds: int = 3, only: tuple[str, ...] = ()) -> None:
    """Measure workloads in two checkouts, each in a process of its own.

    Args:
        before: A checkout of the commit to compare with.
        rounds: Of each workload; the median counts.
        only: Workloads; all by default.
    """
    sys.stdout.write(table(before, names=only or list(WORKLOADS), rounds=rounds))


def measure(name: str) -> float:
    """CPU seconds of a workload in this process, without its preparation.

    Raises:
        RuntimeError: The packages found are not those of the folder it runs in.
    """
    if not Path(datamodules.__file__).is_relative_to(Path.cwd()):
        raise RuntimeError(f"{Path.cwd()} is no checkout: the packages found are {datamodules.__file__}")
    work = WORKLOADS[name][1]()
    start = time.process_time()
    work()
    return time.process_time() - start


def table(before: Path, *, names: Sequence[str], rounds: int) -> str:
    """Markdown: a row a workload, with the median of the rounds and the range of their ratios."""
    rows = ["| what | before, CPU s | after, CPU s | ratio |", "|---|---:|---:|---:|"]
    for name in names:
        pairs = [(_in(before, name), _in(ROOT, name)) for _ in range(rounds)]
        ratios = sorted(old / new for old, new in pairs)
        old, new = (median(column) for column in zip(*pairs, strict=True))
        rows.append(
            f"| {WORKLOADS[name][0]} | {old:.3g} | {new:.3g} | {median(ratios):.1f} "
            f"[{ratios[0]:.1f}, {ratios[-1]:.1f}] |"
        )
        sys.stderr.write(f"{rows[-1]}\n")
    return "\n".join(rows) + "\n"


def _in(checkout: Path, name: str) -> float:
    """The workload in a process whose packages are those of a checkout."""
    command = [sys.executable, "-P", str(Path(__file__).resolve()), name]
    with tempfile.TemporaryDirectory() as cache:  # nothing is known from an earlier round
        own = {"PYTHONPATH": str(checkout), "OMP_NUM_THREADS": "1", "XDG_CACHE_HOME": cache}
        environment = os.environ | own
        done = subprocess.run(
            command, cwd=checkout, env=environment, capture_output=True, text=True, check=False
        )
    if done.returncode:
        raise RuntimeError(f"{name} in {checkout} failed:\n{done.stderr[-2000:]}")
    return float(json.loads(done.stdout))


def recordings(count: int, *, visits: int = 6) -> pd.DataFrame:
    """A table of recordings with targets and predictions, `visits` of each person."""
    rng = np.random.default_rng(0)
    score = rng.integers(0, 64, count).astype(float)
    return pd.DataFrame(
        {
            "recording_id": [f"r{row}" for row in range(count)],
            "subject_id": [f"p{row // visits}" for row in range(count)],
            "session_id": [f"V{row % visits}" for row in range(count)],
            "split": "test",
            "score_target": score,
            "score_prediction": score + rng.normal(0, 8, count),
            "binary_target": (score >= 14).astype(float),
            "binary_prediction": np.clip(score / 63 + rng.normal(0, 0.2, count), 0, 1),
        }
    )


def _changes() -> Work:
    from evaluation.metrics.visit_changes import visit_changes

    found = recordings(1002)
    return lambda: visit_changes(found)


def _summary() -> Work:
    from evaluation.summary import summarize

    found = recordings(300)
    if "tables" in signature(summarize).parameters:
        return lambda: summarize([found], [0.5])
    return lambda: summarize(found, threshold=0.5)  # type: ignore[call-arg,arg-type]  # of an earlier commit


def _manifest_table(count: int) -> pd.DataFrame:
    found = recordings(count)[["recording_id", "subject_id", "session_id"]]
    facts = {
        "fps": 12.0,
        "n_frames": 96.0,
        "duration_s": 8.0,
        "width": 64.0,
        "height": 64.0,
        "brightness": 0.5,
    }
    hashes = [f"{row:064x}" for row in range(count)]
    return found.assign(
        path="", series_path=[f"{row}.npz" for row in range(count)], content_hash=hashes, **facts
    )


def _facts() -> Work:
    from datamodules.manifests.probing import fill_facts

    found = _manifest_table(10_000)
    return lambda: fill_facts(found, root=Path(), sidecar=Path("none"))


def _plan(persons: int, visits: int) -> Work:
    from datamodules.clips.batches import Member, SubjectVisitBatches

    members = [Member(row, row // visits, row) for row in range(persons * visits)]
    batches = SubjectVisitBatches(members=members, subjects=8, visits=6, clips=1, seed=0)
    return lambda: list(batches)


def _digests() -> Work:
    from datamodules.manifests.manifest import Manifest
    from datamodules.split_leakage.split_checks import check_split
    from datamodules.splits.partition import Split

    found = _manifest_table(10_000)
    manifest = Manifest(table=found, root=Path(), name="m", truth=None)
    ids = tuple(found["recording_id"])
    split = Split(name="s", train=ids[:6000], val=ids[6000:7998], test=ids[7998:])

    def work() -> None:
        for _ in range(6):
            manifest.digest()
        for _ in range(4):
            check_split(manifest, split, subject_disjoint=True)

    return work


def _arrays() -> Work:
    """Three epochs over 528 stored series, in the order of a training."""
    files = _stored(528)
    order = np.concatenate([np.random.default_rng(0).permutation(528) for _ in range(3)])
    return lambda: _read([files[number] for number in order], fps=12.0)


def _arrays_again() -> Work:
    """A further epoch over stored series: all were read before."""
    files = _stored(528)
    _read(files, fps=12.0)
    return lambda: _read(files, fps=12.0)


def _stored(count: int) -> list[Path]:
    folder = Path(tempfile.mkdtemp())
    rng = np.random.default_rng(0)
    for number in range(count):
        channels = np.array([f"c{at}" for at in range(17)])
        np.savez(
            folder / f"{number}.npz",
            values=rng.normal(size=(90, 17)).astype(np.float32),
            channels=channels,
            fps=np.float64(12.0),
            valid=np.ones(90, dtype=bool),
        )
    return [folder / f"{number}.npz" for number in range(count)]


def _tables() -> Work:
    """Twenty clips of each of forty OpenFace tables of a minute, one after another."""
    files = _openface(40)
    order = np.concatenate([np.random.default_rng(0).permutation(40) for _ in range(20)])
    return lambda: _read([files[number] for number in order], fps=30.0)


def _tables_again() -> Work:
    """A further epoch over OpenFace tables: all were read before."""
    files = _openface(40)
    _read(files, fps=30.0)
    return lambda: _read(files, fps=30.0)


def _openface(count: int) -> list[Path]:
    folder = Path(tempfile.mkdtemp())
    rng = np.random.default_rng(0)
    head = "frame, face_id, timestamp, confidence, success, " + ", ".join(
        f"AU{at:02d}_r" for at in range(1, 18)
    )
    for number in range(count):
        values = np.clip(rng.normal(1, 0.5, (1800, 17)), 0, 5)
        lines = [
            f"{row + 1}, 0, {row / 30:.3f}, 0.98, 1, " + ", ".join(f"{value:.2f}" for value in values[row])
            for row in range(1800)
        ]
        (folder / f"{number}.csv").write_text("\n".join([head, *lines]) + "\n")
    return [folder / f"{number}.csv" for number in range(count)]


def _read(files: Sequence[Path], *, fps: float) -> None:
    from datamodules.series import read_series

    for file in files:
        read_series(file, channels=None, fps=fps)


WORKLOADS: dict[str, tuple[str, Callable[[], Work]]] = {
    "changes": ("changes between visits, 1,002 recordings", _changes),
    "summary": (
        "all measures of one table with intervals, 300 recordings, by recording and by person",
        _summary,
    ),
    "facts": ("look for missing facts, 10,000 recordings, none missing", _facts),
    "plan": ("plan of an epoch, 4,000 persons of 6 visits", lambda: _plan(4000, 6)),
    "plan_single": ("plan of an epoch, 8,000 persons of 1 visit", lambda: _plan(8000, 1)),
    "plan_long": ("plan of an epoch, one person of 400 visits", lambda: _plan(1, 400)),
    "digests": ("six digests and four checks of a split, 10,000 recordings", _digests),
    "arrays": ("three epochs over 528 stored series of 90 rows", _arrays),
    "arrays_again": ("a further epoch over them", _arrays_again),
    "tables": ("twenty clips of each of 40 OpenFace tables of a minute", _tables),
    "tables_again": ("a further epoch over them, a clip of each", _tables_again),
}


if __name__ == "__main__":
    if sys.argv[1:] and sys.argv[1] in WORKLOADS:  # asked by the measuring process, in either checkout
        sys.stdout.write(json.dumps(measure(sys.argv[1])))
    else:
        from datamodules.command_line import run  # an earlier checkout may lack it

        sys.exit(run(main))
