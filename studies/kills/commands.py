"""The commands that are killed: their words, and what of their results is compared."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from studies.interruptions.compare import different as different_runs
from studies.preprocess_kills.__main__ import different as different_caches
from studies.preprocess_kills.videos import write_videos

_COHORT = ["n_subjects=10", "n_visits=2", "fps=10", "duration_s=2", "workers=1"]
_TRAIN = [
    "experiment=mpdrm_series", "model.network.depression.trunk.blocks=1", "width=16", "trainer.max_epochs=2",
    "+trainer.enable_progress_bar=false", "evaluation.n_boot=1000", "evaluation.lines=[statistics]",
    "data.module.num_workers=1", "data.module.subjects=4", "data.module.train_clips.length=8",
    "data.module.eval_clips.length=8", "protocol.val=0.3",
    *(f"data.cohort.{setting}" for setting in _COHORT),
]  # fmt: skip
_ENCODE = [
    "model.network.depression.trunk.backbone=resnet18", "data.module.source.video.height=32",
    "data.module.source.video.width=32", "grid.stride=1", "grid.hop=3", "clips=4",
]  # fmt: skip
_TABLES = ("metrics.json", "predictions.csv", "folds.csv")
_VIDEOS = 4


@dataclass(frozen=True)
class Command:
    """A command that is killed.

    Attributes:
        line: Script and words, from the folder that it writes to and that of its input.
        different: What differs between an undisturbed folder and one that was gone on with.
        since: The file with whose last change the moments begin; None from the start on.
    """

    line: Callable[[Path, Path], list[str]]
    different: Callable[[Path, Path], list[str]]
    since: str | None = None


def _train(folder: Path, data: Path, *more: str) -> list[str]:
    return ["train.py", *_TRAIN, *more, f"paths.data={data}", f"hydra.run.dir={folder}"]


def _folds(folder: Path, data: Path) -> list[str]:
    return _train(folder, data, "protocol=kfold", "protocol.folds=2")


def _preprocess(folder: Path, data: Path) -> list[str]:
    return ["preprocess.py", f"input={_videos(data)}", f"output={folder}", "executor=in_process"]


def _encode(folder: Path, data: Path) -> list[str]:
    return ["encode.py", f"data.path={_videos(data)}/table.csv", f"output={folder}", *_ENCODE]


def _videos(data: Path) -> Path:
    """Videos of drawn persons, and the table of those that can be read, made once."""
    folder = data / "videos"
    if not (folder / "table.csv").is_file():
        write_videos(folder, _VIDEOS)
        rows = [f"r{number},p{number},1,person {number}.mp4" for number in range(_VIDEOS)]
        (folder / "table.csv").write_text(
            "\n".join(["recording_id,subject_id,session_id,path", *rows]) + "\n"
        )
    return folder


def _different_folds(whole: Path, again: Path) -> list[str]:
    """The pooled tables byte by byte, and every fold as a run of its own."""
    faults = [name for name in _TABLES if _bytes(whole / name) != _bytes(again / name)]
    for fold in sorted(whole.glob("fold_*")):
        faults += [f"{fold.name}: {fault}" for fault in different_runs(fold, again / fold.name)]
    return faults + _cut(again)


def _different_report(whole: Path, again: Path) -> list[str]:
    return different_runs(whole, again) + _cut(again)


def _cut(folder: Path) -> list[str]:
    """The report tells times, so that it is not compared, but it has to be whole."""
    text = (_bytes(folder / "report.html") or b"").rstrip()
    return [] if text.endswith(b"</html>") else ["report.html is not whole"]


def _bytes(path: Path) -> bytes | None:
    return path.read_bytes() if path.is_file() else None


# Sweeps lose, double and leave running no trial: a study of their own, whose kills meet several workers.
COMMANDS = {
    "folds": Command(_folds, _different_folds),
    "preprocessing": Command(_preprocess, different_caches),
    "encoding": Command(_encode, different_caches),
    "report": Command(_train, _different_report, since="checkpoints/last.ckpt"),
}
