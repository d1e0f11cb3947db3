"""Planted leaks of content and identity, and what the real commands say of them.

A training, with or without `init_from`, must stop before it begins; an evaluation must say in its report that
it is none. A cohort that nothing was planted into must train, start from and be evaluated without a word.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from tqdm import tqdm

from datamodules.manifests.columns import file_columns
from datamodules.manifests.manifest import Manifest
from engine.evaluate import evaluate
from engine.train import train
from engine.training.prepare import compose_training
from studies.leaks.cohorts import drawn
from studies.leaks.content_plants import SERIES, VIDEOS, Plant

_SMALL = [
    "width=16", "trainer.max_epochs=1", "+trainer.enable_progress_bar=false", "logger=none",
    "evaluation.n_boot=1000", "evaluation.filmstrips=0", "data.module.subjects=4",
    "data.module.train_clips.length=8", "data.module.eval_clips.length=8", "selection.monitor=val/mae",
]  # fmt: skip
_KINDS = {
    "series": [
        "experiment=mpdrm_series", "data=manifest", "data/clips=series", "data.channels=17",
        "model.network.depression.trunk.blocks=1",
    ],
    "video": [
        "experiment=mpdrm", "data=manifest", "data.module.source.video.height=32",
        "data.module.source.video.width=32", "model.network.depression.trunk.widths=[8,16]",
        "model.network.depression.trunk.mmp_stages=[1]",
    ],
}  # fmt: skip
_SIDE = 32  # pixels of videos in which nothing is planted
_NOWHERE = Path("/nowhere/output")  # of the composed config: half a second each, so that one serves all
_PARTS = ("train", "train", "val", "test")  # of the persons in turn


@dataclass(frozen=True, kw_only=True)
class Cohort:
    """Persons of three visits, whose `kind` the network reads; `pixels` is the side of videos, if any."""

    kind: str
    persons: int
    confound: float
    pixels: int | None

    def __str__(self) -> str:
        seen = "series" if self.pixels is None else f"videos of {self.pixels} pixels, and series"
        return f"{seen}, {self.persons} persons, confound {self.confound:g}"


COHORTS = {
    "series": (
        Cohort(kind="series", persons=48, confound=0.0, pixels=None),
        Cohort(kind="series", persons=64, confound=1.0, pixels=None),
        Cohort(kind="series", persons=24, confound=1.0, pixels=32),
    ),
    "video": (
        Cohort(kind="video", persons=8, confound=1.0, pixels=192),
        Cohort(kind="video", persons=12, confound=0.0, pixels=192),
        Cohort(kind="video", persons=8, confound=0.5, pixels=256),
    ),
}
PLANTS = {"series": SERIES, "video": VIDEOS}


def planted(folder: Path, *, seed: int = 0) -> tuple[dict[str, list[str | None]], list[str]]:
    """Leak -> what was said of it in each cohort, None where it was missed; and all false alarms."""
    found: dict[str, list[str | None]] = {name: [] for plants in PLANTS.values() for name in plants}
    alarms = []
    for kind, cohorts in COHORTS.items():
        for number, cohort in enumerate(cohorts):
            place = folder / f"{kind}{number}"
            commands = Commands(cohort, place, seed=seed + number)
            alarms += commands.alarms()
            for name, plant in tqdm(PLANTS[kind].items(), desc=f"{kind}, cohort {number + 1}"):
                found[name].append(commands.said(plant, np.random.default_rng([seed, number])))
    return found, alarms


class Commands:
    """The commands, given a cohort with and without leaks.

    Args:
        cohort: Which one.
        folder: For everything that is written.
        seed: Of the cohort.
    """

    def __init__(self, cohort: Cohort, folder: Path, *, seed: int) -> None:
        self._folder, self._count = folder, 0
        overrides = [*_KINDS[cohort.kind], "data.path=none.csv", "protocol=given", *_SMALL]
        self._config = json.dumps(compose_training(overrides, output=_NOWHERE))
        self._table = listed(_small(cohort, folder, seed=seed))
        small = replace(cohort, pixels=cohort.pixels and _SIDE)
        strangers = listed(_small(small, folder, seed=seed + 100))
        self._strangers = strangers.assign(
            subject_id="s" + strangers["subject_id"], recording_id="s" + strangers["recording_id"]
        )
        self._best = folder / "clean" / "checkpoints" / "best.ckpt"

    def alarms(self) -> list[str]:
        """False alarms: objections to a clean cohort, in a training, one after it, and an evaluation."""
        try:
            train(self._settings(self._table, "clean"), folder=self._folder / "clean")
            after = self._settings(self._strangers, "again", init_from=str(self._best))
            train(after, folder=self._folder / "again")
            return self._evaluated(self._strangers, self._folder / "strangers")
        except ValueError as stop:
            return [str(stop)]

    def said(self, plant: Plant, rng: np.random.Generator) -> str | None:
        """What was said of a planted leak, None where it was missed."""
        self._count += 1
        folder = self._folder / f"leak{self._count}"
        folder.mkdir()
        table = plant.table(self._table.copy(), folder, rng)
        told: list[str] = []
        if plant.command == "eval":
            told = self._evaluated(table, folder / "run")
        else:
            start = {"init_from": str(self._best)} if plant.command == "init_from" else {}
            try:
                config = self._settings(table, f"leak{self._count}", protocol=plant.protocol, **start)
                train(config, folder=folder / "run")
            except ValueError as stop:  # every refusal of ours is one
                told = [str(stop)]
        hits = [hit for text in told if (hit := re.search(plant.said, text, re.DOTALL))]
        return " ".join(hits[0][0].split()) if hits else None

    def _settings(
        self, table: pd.DataFrame, name: str, *, protocol: str = "given", **more: str
    ) -> dict[str, Any]:
        place = self._folder / f"{name}.csv"
        table.to_csv(place, index=False)
        config: dict[str, Any] = json.loads(self._config.replace(str(_NOWHERE), str(self._folder / name)))
        config |= more
        config["data"]["manifest"]["path"] = str(place)
        if protocol == "longitudinal":
            config["protocol"] = {"_target_": "datamodules.splits.longitudinal.Longitudinal"}
        return config

    def _evaluated(self, table: pd.DataFrame, folder: Path) -> list[str]:
        place = folder.with_suffix(".csv")
        table.to_csv(place, index=False)
        asked: Mapping[str, Any] = {
            "ckpt_path": str(self._best), "manifest": str(place), "paths": {"data": str(self._folder)},
        }  # fmt: skip
        evaluate(asked, folder=folder)
        record = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
        return [str(note) for note in record["notes"]]


def _small(own: Cohort, folder: Path, *, seed: int) -> Manifest:
    return drawn(
        folder / "cohorts", persons=own.persons, visits=3, seconds=6.0, seed=seed, confound=own.confound,
        pixels=own.pixels,
    )  # fmt: skip


def listed(manifest: Manifest) -> pd.DataFrame:
    """A cohort as somebody's own table: absolute paths, parts by person, nothing that the files tell."""
    table = manifest.table
    files = {
        name: [str(manifest.root / value) if value else "" for value in table[name]]
        for name in file_columns(table)
    }
    persons = pd.factorize(table["subject_id"])[0]
    told = ["n_frames", "fps", "duration_s", "width", "height", "brightness", "content_hash", "landmark_path"]
    parts = [_PARTS[number % len(_PARTS)] for number in persons]
    return table.assign(**files, split=parts).drop(columns=told, errors="ignore")


def lines(found: Mapping[str, list[str | None]], alarms: list[str]) -> tuple[list[str], int]:
    """Lines of the page, and how many leaks were missed."""
    plants = {name: plant for own in PLANTS.values() for name, plant in own.items()}
    text = ["## Content and identity", ""]
    for kind, cohorts in COHORTS.items():
        told = "; ".join(map(str, cohorts))
        text.append(f"Cohorts for {kind} rows: {told}. All persons have three visits.")
    text += [
        "",
        "Each leak went through the whole command: `train.py` and `init_from` must refuse, `eval.py` must "
        "say in its report that this is no test.",
        "",
        "| Leak | Found by | What is said | Cohorts 1, 2, 3 |",
        "| --- | --- | --- | --- |",
    ]
    for name, answers in found.items():
        plant = plants[name]
        said = next((answer for answer in answers if answer), "")
        caught = ", ".join("missed" if answer is None else "caught" for answer in answers)
        text.append(f"| {name} | {plant.by} | {_cut(said)} | {caught} |")
    missed = sum(answer is None for answers in found.values() for answer in answers)
    text += [
        "",
        f"Missed: {missed} of {sum(map(len, found.values()))}. Remarks on the same cohorts with nothing "
        f"planted, trained on, started from and evaluated on strangers: {len(alarms)}.",
    ]
    return text, missed


def _cut(text: str, longest: int = 90) -> str:
    text = text.replace("|", "\\|")
    return text if len(text) <= longest else text[:longest].rsplit(" ", 1)[0] + " ..."
