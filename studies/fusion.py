"""Which fusion of feature sets pays? `python -m studies.fusion` writes docs/results/fusion.md.

The made-up sets of `experiment=feature_sets`: early, gated and late fusion of all of them, and each set
alone; the same persons, splits, trunk, epochs and learning rate. Every training leaves
`<out>/<seed>/<arm>/result.json`; started again, the study goes on with what is missing.
"""

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pandas as pd
import torch

from datamodules.command_line import run, spelled
from engine.runs.environment import hardware
from engine.runs.quiet_warnings import quiet
from studies.face_crops.page import compared, paired, reached
from studies.face_crops.plan import Unit
from studies.face_crops.work import done

_COMMON = (
    "experiment=feature_sets",
    "data.cohort.n_visits=4",
    "protocol.val=0.2",
    "protocol.test=0.4",
    "data.module.eval_clips.clips=2",
    "data.module.num_workers=0",
    "callbacks.last=null",
    "logger=none",
    "+trainer.enable_progress_bar=false",
)
ARMS = {
    "early": "all sets side by side, one trunk",
    "gated": "all sets, mixed at every step, one trunk",
    "late": "a network for each set, the mean of their predictions",
    "action_units": "that set alone, 11 channels at 6 rows/s",
    "head_gaze": "that set alone, 6 channels at 4 rows/s",
    "embedding": "that set alone, 64 columns at 2 rows/s; a tenth of the recordings lack it",
}
_REFERENCE = "early"
_WIDTHS = {"action_units": 11, "head_gaze": 6, "embedding": 64}

_HEAD = """# Which fusion of feature sets pays?

{persons} made-up persons of 4 visits each ([cohort.md](../guide/cohort.md)), seen through three made-up
extractors ([feature_sets.md](../guide/feature_sets.md)): noise of half a usual spread, 5 % of the rows lost,
and an embedding that a tenth of the recordings lack. One trunk of series (width 64) with the mean of its
tokens, {epochs} epochs, the learning rate of `experiment=feature_sets` for all; nothing was tuned for an arm.
Depression is a BDI-II of 14 or more.

    {command}

{seconds:.0f} CPU seconds of training in all on {hardware}.

| arm | test AUC, mean of {seeds} seeds | by seed | minus early | interval over persons | over seeds |
|---|---|---|---|---|---|
{rows}

{legend}

Recordings that not all arms predict, as those without an embedding: {left_out}; they count in no row.
*Over persons*: percentiles of 2,000 draws of the tested persons, paired over arms and seeds. *Over seeds*:
Student's t of the {seeds} paired differences. A seed is a split and an initialization of the one cohort. The
sets are made of one series, so that the embedding holds what the two others do: this compares forms of
fusion where sets overlap, and says nothing of real extractors.
"""


def plan(*, seeds: int, subjects: int, epochs: int, out: Path, data: Path) -> list[Unit]:
    """All trainings, seed by seed, so that an early look sees every arm."""
    units = []
    for seed in range(seeds):
        for arm in ARMS:
            own: tuple[str, ...] = (f"model/fusion={arm}",)
            if arm in _WIDTHS:  # of one set the forms of fusion differ by a map; early has none
                own = ("model/fusion=early", "data.sets=null", f"data.sets={{{arm}:{_WIDTHS[arm]}}}")
                own = (*own, "data.manifest.width=64")
            sizes = (
                f"data.cohort.n_subjects={subjects}",
                f"trainer.max_epochs={epochs}",
                f"paths.data={data}",
            )
            seeded = (f"seed={seed}", f"protocol.seed={seed}")
            units.append(Unit(arm, seed, (*_COMMON, *sizes, *own, *seeded), out / str(seed) / arm))
    return units


def page(results: Sequence[dict[str, Any]], *, command: str, subjects: int, epochs: int) -> str:
    """The page of these results."""
    seeds = sorted({result["seed"] for result in results})
    tables, left_out = paired({(r["arm"], r["seed"]): pd.read_csv(r["predictions"]) for r in results})
    machine, rows = hardware(), []
    for arm in ARMS:
        cells = [arm, *reached([tables[arm, seed] for seed in seeds])]
        pairs = [(tables[arm, seed], tables[_REFERENCE, seed]) for seed in seeds]
        rows.append(f"| {' | '.join([*cells, *(['', '', ''] if arm == _REFERENCE else compared(pairs))])} |")
    return _HEAD.format(
        persons=subjects,
        epochs=epochs,
        command=command,
        seconds=sum(result["seconds"] for result in results),
        hardware=f"one thread of {machine['cores']} {machine['machine']} cores",
        seeds=len(seeds),
        rows="\n".join(rows),
        legend="\n".join(f"- *{arm}*: {what}." for arm, what in ARMS.items()),
        left_out=left_out,
    )


def main(
    *,
    seeds: int = 3,
    subjects: int = 80,
    epochs: int = 12,
    out: Path = Path("outputs/fusion"),
    data: Path = Path("data"),
    docs: Path = Path("docs/results"),
) -> None:
    """Train what is not trained yet, and write the page.

    Args:
        seeds: Splits and initializations.
        subjects: Persons of the cohort.
        epochs: Of a training.
        out: Results are kept there.
        data: Where cohorts are kept.
        docs: Folder of the page.
    """
    quiet()
    torch.set_num_threads(1)
    units = plan(seeds=seeds, subjects=subjects, epochs=epochs, out=out.resolve(), data=data.resolve())
    results = [done(unit) for unit in units]
    command = "python -m studies.fusion " + spelled(seeds=seeds, subjects=subjects, epochs=epochs)
    text = page(results, command=command, subjects=subjects, epochs=epochs)
    (docs / "fusion.md").write_text(text, encoding="utf-8")
    sys.stdout.write(text)


if __name__ == "__main__":
    sys.exit(run(main))
