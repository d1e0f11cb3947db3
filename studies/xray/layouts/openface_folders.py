"""Folders of OpenFace tables: one's own with a table of labels, CMDC, LMVD and E-DAIC."""

from pathlib import Path

import numpy as np
import pandas as pd

from datamodules.sources.shared.phq8 import ITEMS
from datamodules.sources.trees.shared.daic import answers, write_table
from studies.xray.cast import by_person, draw_cast, shuffled_names
from studies.xray.layouts.files import records, write_behavior
from studies.xray.layouts.layout import Layout

_FPS = 30.0
_QUESTIONS = 3  # of the twelve of CMDC, to keep trees small
_LMVD_IDS = 1824  # as many as LMVD counts; four digits from 602 on


def _own(rng: np.random.Generator) -> pd.DataFrame:
    tasks = ("conversation", "reading")
    cast = draw_cast(rng, persons=80, tasks=tasks, visits=True, scale="BDI-II", seconds=14)
    names = shuffled_names(rng, cast["person"].nunique(), "person{:02d}", first=11)
    cast = cast.assign(subject=[names[person] for person in cast["person"]])
    return cast.assign(folder=cast["subject"], name="visit" + cast["visit"].astype(str))


def _own_named(cast: pd.DataFrame) -> pd.DataFrame:
    whole = cast["folder"] + "/" + cast["name"]
    return cast.assign(recording_id=whole.str.replace("/", "_"), file=whole + ".csv")


def _write_own(cast: pd.DataFrame, root: Path, seed: int) -> None:
    for row in records(cast):
        write_behavior(root / row["file"], row, seed, fps=_FPS, between=", ")
    columns = {"file": "file", "subject": "subject", "visit": "session", "scale": "scale", "score": "score"}
    labels = cast[[*columns, "task", "sex", "age"]].rename(columns=columns)
    labels.to_csv(root / "labels.csv", index=False)


def _cmdc(rng: np.random.Generator) -> pd.DataFrame:
    questions = [f"Q{number}" for number in range(1, _QUESTIONS + 1)]
    cast = draw_cast(rng, persons=60, tasks=questions, tasks_each=_QUESTIONS, seconds=12)
    names = shuffled_names(rng, cast["person"].nunique(), "S{:02d}")
    return cast.assign(name=[names[person] for person in cast["person"]])


def _cmdc_named(cast: pd.DataFrame) -> pd.DataFrame:
    ids = "cmdc_" + cast["name"] + "_" + cast["task"]
    return cast.assign(recording_id=ids, file=cast["name"] + "/" + cast["task"] + ".csv")


def _write_cmdc(cast: pd.DataFrame, root: Path, seed: int) -> None:
    for row in records(cast):
        write_behavior(root / row["file"], row, seed, fps=_FPS, between=", ")
    rows = []
    for row in records(by_person(cast)):
        items = _nine(int(row["score"]), np.random.default_rng([seed, 6, int(row["key"])]))
        rows.append([row["name"], row["label"], *items])
    rows.sort(key=lambda cells: str(cells[0]))
    write_table(root / "SubjectInfo.csv", ["ID", "MDD", *(f"PHQ-{item}" for item in range(1, 10))], rows)


def _nine(total: int, rng: np.random.Generator) -> list[int]:
    """Answers to nine items that add up to the total."""
    items = [0] * 9
    while sum(items) < total:
        items[int(rng.choice([place for place, answer in enumerate(items) if answer < 3]))] += 1
    return items


def _lmvd(rng: np.random.Generator) -> pd.DataFrame:
    cast = draw_cast(rng, persons=100, tasks=("vlog",), seconds=14)
    numbers = rng.choice(np.arange(1, _LMVD_IDS), size=len(cast), replace=False)
    return cast.assign(name=[f"{number:04d}" for number in numbers.tolist()])


def _lmvd_named(cast: pd.DataFrame) -> pd.DataFrame:
    return cast.assign(recording_id="lmvd_" + cast["name"], file="Video_feature/" + cast["name"] + ".csv")


def _write_lmvd(cast: pd.DataFrame, root: Path, seed: int) -> None:
    (root / "label").mkdir()
    for row in records(cast):
        write_behavior(root / row["file"], row, seed, fps=_FPS, between=", ")
        (root / "label" / f"{row['name']}_Depression.csv").write_text(str(row["label"]), encoding="utf-8")


def _edaic(rng: np.random.Generator) -> pd.DataFrame:
    cast = draw_cast(rng, persons=90, scale="PHQ-8", seconds=14)
    place = {part: iter(shuffled_names(rng, 90, "{:d}", first=first)) for part, first in _FIRST.items()}
    names = [next(place["test" if part == "test" else "train"]) for part in cast["split"]]
    return cast.assign(name=names, site=["ai" if int(name) >= 600 else "woz" for name in names])


_FIRST = {"train": 300, "test": 600}
_PARTS = {"train": "train", "val": "dev", "test": "test"}


def _edaic_named(cast: pd.DataFrame) -> pd.DataFrame:
    name = cast["name"]
    file = name + "_P/features/" + name + "_OpenFace2.1.0_Pose_gaze_AUs.csv"
    return cast.assign(recording_id=name, file=file)


def _write_edaic(cast: pd.DataFrame, root: Path, seed: int) -> None:
    for row in records(cast):
        write_behavior(root / row["file"], row, seed, fps=_FPS, between=", ")
    people = sorted(records(cast), key=lambda row: str(row["name"]))
    sexes = {"F": "female", "M": "male"}
    for part, english in _PARTS.items():
        rows = [
            [row["name"], sexes[row["sex"]], row["label"], row["score"]]
            for row in people
            if row["split"] == part
        ]
        header = ["Participant_ID", "Gender", "PHQ_Binary", "PHQ_Score"]
        write_table(root / "labels" / f"{english}_split.csv", header, rows)
    header = ["Participant_ID", *(names[1] for names in ITEMS.values()), "PHQ_8Total"]
    items = [
        [
            row["name"],
            *answers(int(row["score"]), np.random.default_rng([seed, 6, int(row["key"])])),
            row["score"],
        ]
        for row in people
        if row["split"] != "test"
    ]
    write_table(root / "labels" / "Detailed_PHQ8_Labels.csv", header, items)


FOLDER = Layout(
    name="folder of OpenFace tables", fps=_FPS, scale="BDI-II", source="folder",
    draw=_own, named=_own_named, write=_write_own,
)  # fmt: skip
CMDC = Layout(
    name="CMDC", fps=_FPS, scale="PHQ-9", source="cmdc", draw=_cmdc, named=_cmdc_named, write=_write_cmdc
)
LMVD = Layout(
    name="LMVD", fps=_FPS, scale="PHQ-9", source="lmvd", draw=_lmvd, named=_lmvd_named, write=_write_lmvd
)
EDAIC = Layout(
    name="E-DAIC",
    fps=_FPS,
    scale="PHQ-8",
    source="edaic",
    draw=_edaic,
    named=_edaic_named,
    write=_write_edaic,
)
