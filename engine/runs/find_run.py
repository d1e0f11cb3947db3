"""Find the folder of a run: a new one, or the one that `resume=<folder>` or `resume=last` goes on with."""

import os
import sys
from pathlib import Path

from omegaconf import OmegaConf

from engine.runs.cluster import job
from engine.runs.provenance import FILE, RunFolderError, read_manifest_json, runs_above
from engine.runs.ranks import is_main

_CHOSEN = "EUTHYMIA_RESUME"  # the other ranks repeat the command line later, when another run may be newest


def run_folder(outputs: str, resume: str | None, now: str) -> str:
    """Where a run writes unless told: to the folder of the run that it goes on from, or to a new one.

    A job that Slurm put back into its queue gives the same command again: it goes on in the folder it had.
    """
    if resume is not None:
        return str(found_run(resume, outputs=Path(outputs)))
    return str(_of_job(Path(outputs)) or Path(outputs) / now)


def _of_job(outputs: Path) -> Path | None:
    """The folder that the same command began in the same job, if any."""
    own, number = [Path(sys.argv[0]).name, *sys.argv[1:]], job()
    for path in sorted(outputs.glob(f"*/{FILE}")) if number is not None else ():
        content = read_manifest_json(path.parent)
        if content.get("slurm_job") == number and content.get("argv") == own:
            return path.parent
    return None


def register() -> None:
    """Let `conf/train.yaml` use `run_folder`."""
    OmegaConf.register_new_resolver("run_folder", run_folder, replace=True)


def found_run(resume: str, *, outputs: Path) -> Path:
    """The folder of a run: itself, or with `last` the newest run of the experiment that has a checkpoint.

    Raises:
        RunFolderError: There is none.
    """
    if resume != "last":
        folder = Path(resume)
        if not (folder / FILE).is_file() and not (folder / "checkpoints").is_dir():
            raise RunFolderError(f"resume={resume}: {_no_run(folder)}")
        if above := _outer_run(folder):
            raise RunFolderError(
                f"resume={resume}: is a fold of the run in {above}. Give that: resume={above}"
            )
        return folder
    if not is_main() and (kept := os.environ.get(_CHOSEN)):
        return Path(kept)
    runs = [path.parent for path in outputs.glob(f"*/{FILE}")]
    if not runs:
        jobs = sorted(outputs.glob(f"multirun/*/*/{FILE}"))
        sweep = f" Runs of a sweep go on by their folder, e.g. resume={jobs[-1].parent}." if jobs else ""
        raise RunFolderError(
            f"resume=last: no run lies below {outputs}, where this command's runs go. Give the command of "
            "the run, experiment= and all, with resume=last behind it, or its folder: resume=<run folder>."
            f"{sweep}"
        )
    begun = [run for run in runs if any(run.glob("**/checkpoints/*.ckpt"))]
    newest = max(begun or runs, key=_started)  # what was refused has nothing to go on from
    os.environ[_CHOSEN] = str(newest.resolve())
    return newest.resolve()


def _no_run(folder: Path) -> str:
    """Why nothing can go on in a folder that is no run's, and what to give instead."""
    if not folder.is_dir():
        return "there is no such folder. Give the folder of a run, or resume=last for the newest."
    jobs = sorted(path.parent for path in folder.glob(f"*/{FILE}"))
    if jobs:
        return (
            f"no run lies there, but below it, as in the folder of a sweep ({len(jobs)} in all). Give one of "
            f"them with the settings that it had, e.g. resume={jobs[0]}; a search goes on by its own command."
        )
    return f"no run lies there. Give the folder that holds its {FILE}."


def _outer_run(folder: Path) -> Path | None:
    """The cross-validation that a folder is a fold of: folds go on with it, never as runs of their own."""
    if named := runs_above(folder):
        return named[-1]
    place = folder.resolve()  # before all folds are trained the run does not name them
    while place.name.startswith(("fold_", "repeat_")):
        place = place.parent
    return place if place != folder.resolve() and (place / FILE).is_file() else None


def _started(folder: Path) -> tuple[str, float]:
    written = (folder / FILE).stat().st_mtime
    try:
        return str(read_manifest_json(folder).get("started", "")), written
    except RunFolderError:  # named when it is chosen
        return "", written
