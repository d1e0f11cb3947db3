"""Layouts with landmarks: OpenFace's of a laboratory, D-Vlog's at one row a second, MPDD's 709 columns."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from datamodules.series.channel_schema import EYE_POINTS
from datamodules.series.formats.openface import ORDER
from studies.xray.behavior import COLUMNS, face_of, lost_rows, measured, rows_of
from studies.xray.cast import by_person, draw_cast, shuffled_names
from studies.xray.faces import Face, landmarks, solid, wander
from studies.xray.layouts.files import TRAIT_COLUMNS, manifest_of, records, write_openface
from studies.xray.layouts.layout import Layout
from studies.xray.layouts.manifests import in_files, with_persons

LAB_FPS, VLOG_FPS, WINDOW_FPS = 15.0, 1.0, 1.0
POINTS = [f"{axis}_{number}" for axis in "xy" for number in range(68)]
_OPENFACE = ORDER[5:]
_MM = 62.0  # between the eyes
_EYES = np.array([36, 42])  # first landmark of the six of an eye


def _lab(rng: np.random.Generator) -> pd.DataFrame:
    cast = draw_cast(rng, persons=70, sites=("lab 1", "lab 2"), visits=True, seconds=16)
    return with_persons(cast, rng, "L{:03d}")


def points_of(face: Face, row: dict[str, Any], seed: int, fps: float, *, cuts: bool = False) -> np.ndarray:
    """Pixels `(T, 68, 2)` of somebody in the time of a recording."""
    rng = np.random.default_rng([seed, 7, int(row["key"])])
    return landmarks(face, rng, rows_of(row, fps), fps=fps, cuts=cuts)


def _write_lab(cast: pd.DataFrame, root: Path, seed: int) -> None:
    for row in records(cast):
        points = points_of(face_of(row, seed), row, seed, LAB_FPS)
        values, found = measured(row, seed, fps=LAB_FPS)
        whole = np.hstack([values, points[..., 0], points[..., 1]]) * found[:, None]
        rng = np.random.default_rng([seed, 4, int(row["key"])])
        write_openface(
            root / row["file"], whole, found, fps=LAB_FPS, rng=rng, columns=[*COLUMNS, *POINTS], between=", "
        )
    manifest_of(cast, columns=("site", "sex", "age")).to_csv(root / "manifest.csv", index=False)


def _vlogs(rng: np.random.Generator) -> pd.DataFrame:
    cast = draw_cast(rng, persons=110, tasks=("vlog",), seconds=70)
    return cast.assign(name=shuffled_names(rng, len(cast), "{:d}", first=0))


def _vlogs_named(cast: pd.DataFrame) -> pd.DataFrame:
    name = cast["name"]
    return cast.assign(recording_id="dvlog_" + name, file=name + "/" + name + "_visual.npy")


def _write_vlogs(cast: pd.DataFrame, root: Path, seed: int) -> None:
    for row in records(cast):
        points = points_of(face_of(row, seed), row, seed, VLOG_FPS, cuts=True)
        rng = np.random.default_rng([seed, 8, int(row["key"])])
        points[lost_rows(rng, len(points), float(row["lost"]), VLOG_FPS)] = 0
        (root / row["file"]).parent.mkdir(parents=True)
        np.save(root / row["file"], points.reshape(len(points), -1))
    parts = {"train": "train", "val": "valid", "test": "test"}
    table = pd.DataFrame(
        {
            "index": cast["name"].astype(int),
            "label": np.where(cast["label"] == 1, "depression", "normal"),
            "duration": [float(rows_of(row, VLOG_FPS)) for row in records(cast)],
            "gender": cast["sex"].str.lower(),
            "fold": cast["split"].map(parts),
        }
    )
    table.sort_values("index").to_csv(root / "labels.csv", index=False)


def _young(rng: np.random.Generator) -> pd.DataFrame:
    cast = draw_cast(rng, persons=90, tasks=("1", "2"), tasks_each=2, seconds=30)
    numbers = shuffled_names(rng, cast["person"].nunique(), "{:03d}")
    cast = cast.assign(subject=[numbers[person] for person in cast["person"]])
    return cast.assign(
        part=np.where(cast["split"] == "test", "Testing", "Training"), name="", age=17 + cast["age"] % 9
    )


def _young_named(cast: pd.DataFrame) -> pd.DataFrame:
    name = cast["subject"] + "_00" + cast["task"]
    file = "MPDD-Young/" + cast["part"] + "/1s/Visual/openface/" + name + ".npy"
    return cast.assign(name=name, recording_id="mpdd_young_" + name, file=file)


def _write_young(cast: pd.DataFrame, root: Path, seed: int) -> None:
    for row in records(cast):
        (root / row["file"]).parent.mkdir(parents=True, exist_ok=True)
        np.save(root / row["file"], windows(row, seed))
    for part, own in cast.groupby("part"):
        folder = root / "MPDD-Young" / str(part) / "labels"
        folder.mkdir(parents=True, exist_ok=True)
        training = part == "Training"
        entries = [_entry(row) for row in records(own.sort_values("name"))]
        _dump(folder / f"{'Training_Validation' if training else 'Testing'}_files.json", entries)
        persons = {str(int(row["subject"])): _person(row) for row in records(by_person(own))}
        _dump(folder / f"personalized_{'train' if training else 'test'}.json", persons)


def windows(row: dict[str, Any], seed: int) -> np.ndarray:
    """OpenFace's columns without the first five, one row a second: float32 `(T, 709)`; lost rows are 0."""
    rng = np.random.default_rng([seed, 7, int(row["key"])])
    own = np.random.default_rng([seed, 1, int(row["person"])])
    values, found = measured(row, seed, fps=WINDOW_FPS)
    face, rows = face_of(row, seed), len(values)
    turned = solid(face, rng, rows, fps=WINDOW_FPS)
    flat = turned[..., :2] * face.pixels + face.place + rng.normal(0, 0.3, (rows, 68, 2))
    deep = turned * _MM + np.array([0, 0, 550.0]) + rng.normal(0, 0.3, (rows, 68, 3))
    columns = dict(zip(COLUMNS, values.T, strict=True))
    for places, start, letters in ((flat, "", "xy"), (deep, "", "XYZ"), (_lids(flat), "eye_lmk_", "xy"),
                                   (_lids(deep), "eye_lmk_", "XYZ")):  # fmt: skip
        for axis, letter in enumerate(letters):
            names = [f"{start}{letter}_{number}" for number in range(places.shape[1])]
            columns |= dict(zip(names, places[..., axis].T, strict=True))
    rest = [name for name in _OPENFACE if name not in columns]  # the shape model
    model = own.normal(0, 8, len(rest)) + wander(rng, rows, len(rest), 2.0)
    model[:, [rest.index(name) for name in ("p_rx", "p_ry", "p_rz")]] *= 0.02
    columns |= dict(zip(rest, model.T, strict=True))
    whole = np.stack([columns[name] for name in _OPENFACE], axis=1)
    return np.asarray(whole * found[:, None], dtype=np.float32)


def _lids(points: np.ndarray) -> np.ndarray:
    """The landmarks of both eyes between the corners and lids that the 68 have `(T, 56, D)`."""
    weights = np.random.default_rng(0).dirichlet(np.ones(6), EYE_POINTS // 2)
    return np.concatenate(
        [np.einsum("ki,tid->tkd", weights, points[:, eye : eye + 6]) for eye in _EYES], axis=1
    )


def _entry(row: dict[str, Any]) -> dict[str, Any]:
    third = 0 if not row["label"] else 1 + int(row["score"] >= 17)
    name = f"{row['name']}.npy"
    classes = {"bin_category": int(row["label"]), "tri_category": third}
    return {"audio_feature_path": name, "video_feature_path": name, **classes}


def _person(row: dict[str, Any]) -> dict[str, Any]:
    names = {
        "O": "Openness",
        "C": "Conscientiousness",
        "E": "Extraversion",
        "A": "Agreeableness",
        "N": "Neuroticism",
    }
    scores = {names[column[-1]]: round(2 * float(row[column])) for column in TRAIT_COLUMNS}
    sex = "Female" if row["sex"] == "F" else "Male"
    return {"id": str(int(row["subject"])), "age": str(row["age"]), "gender": sex, "big5_scores": scores}


def _dump(path: Path, content: object) -> None:
    path.write_text(json.dumps(content, indent=1), encoding="utf-8")


LAB = Layout(
    name="manifest of OpenFace landmarks", fps=LAB_FPS, scale="PHQ-9", source=None,
    draw=_lab, named=in_files(".csv"), write=_write_lab,
)  # fmt: skip
DVLOG = Layout(
    name="D-Vlog", fps=VLOG_FPS, scale="PHQ-9", source="dvlog",
    draw=_vlogs, named=_vlogs_named, write=_write_vlogs,
)  # fmt: skip
MPDD = Layout(
    name="MPDD", fps=WINDOW_FPS, scale="PHQ-9", source="mpdd",
    draw=_young, named=_young_named, write=_write_young,
)  # fmt: skip
