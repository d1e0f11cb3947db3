"""Leaks of content and identity to plant: one file twice, one person under two names."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pandas as pd

from datamodules.series import Series, read_series

Rng = np.random.Generator
Change = Callable[[Series, Rng], Series]
Planted = Callable[[pd.DataFrame, Path, Rng], pd.DataFrame]

CONTENT, IDENTITY = "content", "identity"
ENCODINGS = {
    "H.264, crf 23": (1, "libx264", "mp4", {"crf": "23"}),
    "half the size, H.264, crf 23": (2, "libx264", "mp4", {"crf": "23"}),
    "half the size, H.264, crf 28": (2, "libx264", "mp4", {"crf": "28"}),
    "half the size, H.264, crf 35, Matroska": (2, "libx264", "mkv", {"crf": "35"}),
    "half the size, MPEG-4, AVI": (2, "mpeg4", "avi", {}),
}
"""What -> divisor of the sides, codec, ending, options of the codec."""


@dataclass(frozen=True, kw_only=True)
class Plant:
    """A leak: how it changes a cohort's table and files, and what must be said of it.

    `by` is what must find it; `command` the command that it is given to, `train`, `init_from` or `eval`;
    `said` a pattern of the message. `table` gets a table with absolute paths and a column `split`.
    """

    by: str
    said: str
    table: Planted
    command: str = "train"
    protocol: str = "given"


def encoded(source: Path, target: Path, *, divided: int, codec: str, options: dict[str, str]) -> None:
    """Encode a video anew, smaller by a divisor of its sides."""
    with av.open(str(source)) as old, av.open(str(target), "w") as new:
        stream = old.streams.video[0]
        rate = Fraction(stream.average_rate or 25)
        out = new.add_stream(codec, rate=rate, options=options)
        out.width, out.height = (side // divided // 2 * 2 for side in (stream.width, stream.height))
        out.pix_fmt = "yuv420p"
        for number, frame in enumerate(old.decode(stream)):
            picture = frame.reformat(width=out.width, height=out.height)
            picture.pts, picture.time_base = number, 1 / rate
            new.mux(out.encode(picture))
        new.mux(out.encode(None))


def saved(series: Series, target: Path) -> Path:
    """Write a series in the format that the name ends in."""
    if target.suffix == ".csv":
        table = pd.DataFrame(series.values, columns=list(series.channels))
        table.insert(0, "valid", series.valid.astype(int))
        table.insert(0, "timestamp", np.arange(len(table)) / (series.fps or 25.0))
        table.to_csv(target, index=False)
        return target
    told: Any = {"fps": series.fps, "channels": np.array(series.channels)}
    np.savez_compressed(target, values=series.values, valid=series.valid, **told)
    return target


def _again(series: Series, rng: Rng) -> Series:
    return series


def _one_value(series: Series, rng: Rng) -> Series:
    values = series.values.copy()
    values[len(values) // 2, 0] += 1e-4
    return replace(series, values=values)


def _noise(share: float) -> Change:
    def change(series: Series, rng: Rng) -> Series:
        spread = share * series.values.std(axis=0)
        values = series.values + spread * rng.normal(size=series.values.shape)
        return replace(series, values=values.astype(np.float32))

    return change


def _shifted(series: Series, rng: Rng) -> Series:
    noisy, first = _noise(0.01)(series, rng), round(series.fps or 25.0)
    return replace(noisy, values=noisy.values[first:], valid=noisy.valid[first:], seconds=None)


def _first(table: pd.DataFrame, part: str) -> int:
    return int(np.flatnonzero(table["split"] == part)[0])


def _set(table: pd.DataFrame, row: int, **cells: str) -> None:
    for name, value in cells.items():
        table.loc[row, name] = value


def _file(change: Change, ending: str = ".npz") -> Planted:
    """A training series becomes that of a tested person, who keeps a video of their own."""

    def plant(table: pd.DataFrame, folder: Path, rng: Rng) -> pd.DataFrame:
        series = _series(table, _first(table, "train"))
        _set(table, _first(table, "test"), series_path=str(saved(change(series, rng), folder / f"b{ending}")))
        return table

    return plant


def _series(table: pd.DataFrame, row: int) -> Series:
    return read_series(Path(str(table.loc[row, "series_path"])), channels=None)


def _bytes(table: pd.DataFrame, folder: Path, rng: Rng) -> pd.DataFrame:
    copy = folder / "copy.npz"
    copy.write_bytes(Path(str(table.loc[_first(table, "train"), "series_path"])).read_bytes())
    _set(table, _first(table, "test"), series_path=str(copy))
    return table


def _two_persons(table: pd.DataFrame, folder: Path, rng: Rng) -> pd.DataFrame:
    series = _series(table, _first(table, "train"))
    for part in ("train", "test"):
        noisy = _noise(0.05)(series, rng)
        _set(table, _first(table, part), series_path=str(saved(noisy, folder / f"{part}.npz")))
    return table


def _validation(table: pd.DataFrame, folder: Path, rng: Rng) -> pd.DataFrame:
    val, test = (np.flatnonzero(table["split"] == part).tolist() for part in ("val", "test"))
    for number, (row, other) in enumerate(zip(val, test, strict=False)):
        _set(table, row, series_path=str(saved(_series(table, other), folder / f"val{number}.npz")), path="")
    return table


def _videos(table: pd.DataFrame, folder: Path, rng: Rng) -> pd.DataFrame:
    """One series under two ids, each with a video of its own in `path`."""
    series = str(table.loc[_first(table, "train"), "series_path"])
    for part in ("train", "test"):
        video = folder / f"{part}.mp4"
        _drawn(video, rng)
        _set(table, _first(table, part), path=str(video), series_path=series)
    return table


def _drawn(target: Path, rng: Rng) -> None:
    with av.open(str(target), "w") as file:
        stream = file.add_stream("libx264", rate=10)
        stream.width = stream.height = 32
        stream.pix_fmt = "yuv420p"
        for picture in rng.integers(0, 256, (20, 32, 32, 3), dtype=np.uint8):
            file.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        file.mux(stream.encode(None))


def _hashes(table: pd.DataFrame, folder: Path, rng: Rng) -> pd.DataFrame:
    """Equal files, and a column that says they are not."""
    table = _bytes(table, folder, rng)
    made_up = [hashlib.sha256(name.encode()).hexdigest() for name in table["recording_id"]]
    return table.assign(content_hash=made_up)


def _video(what: str) -> Planted:
    """A training video, encoded anew, becomes that of a tested person."""

    def plant(table: pd.DataFrame, folder: Path, rng: Rng) -> pd.DataFrame:
        divided, codec, ending, options = ENCODINGS[what]
        copy = folder / f"b.{ending}"
        source = Path(str(table.loc[_first(table, "train"), "path"]))
        encoded(source, copy, divided=divided, codec=codec, options=options)
        _set(table, _first(table, "test"), path=str(copy))
        return table

    return plant


def _anew(change: Change | None = None, *, persons: str = "other{}") -> Planted:
    """The cohort again under other recording ids; what trained is tested now, and the other way round."""

    def plant(table: pd.DataFrame, folder: Path, rng: Rng) -> pd.DataFrame:
        turned = {"train": "test", "val": "val", "test": "train"}
        for row in np.flatnonzero(table["split"] == "train").tolist() if change else []:
            assert change is not None
            series = change(_series(table, row), rng)
            _set(table, row, series_path=str(saved(series, folder / f"{row}.npz")), path="")
        return table.assign(
            recording_id="new_" + table["recording_id"],
            subject_id=[persons.format(name) for name in table["subject_id"]],
            split=[turned[side] for side in table["split"]],
        )

    return plant


def _fresh(series: Series, rng: Rng) -> Series:
    """Another recording: nothing of the old one is left but its length."""
    return replace(series, values=rng.normal(size=series.values.shape).astype(np.float32))


def _spelt(one: str, other: str) -> Planted:
    """A training person whose last visit is tested, under another spelling of the name."""

    def plant(table: pd.DataFrame, folder: Path, rng: Rng) -> pd.DataFrame:
        rows = _visits(table)
        for row in rows:
            _set(table, row, subject_id=one)
        _set(table, rows[-1], subject_id=other, split="test")
        return table

    return plant


def _visits(table: pd.DataFrame) -> list[int]:
    person = table.loc[_first(table, "train"), "subject_id"]
    return [int(row) for row in np.flatnonzero(table["subject_id"] == person)]


def _nobody(table: pd.DataFrame, folder: Path, rng: Rng) -> pd.DataFrame:
    for part in ("train", "test"):
        _set(table, _first(table, part), subject_id="NA")
    return table


def _sessions(*names: str) -> Planted:
    """The visits of a training person under these names; of two spellings the second is tested."""

    def plant(table: pd.DataFrame, folder: Path, rng: Rng) -> pd.DataFrame:
        rows = _visits(table)
        for row, name in zip(rows, names, strict=False):
            _set(table, row, session_id=name)
        if len(names) == 2:
            _set(table, rows[1], split="test")
        return table

    return plant


def _all_sessions(*names: str) -> Planted:
    def plant(table: pd.DataFrame, folder: Path, rng: Rng) -> pd.DataFrame:
        turn = table.groupby("subject_id").cumcount()
        return table.assign(session_id=[names[number % len(names)] for number in turn])

    return plant


_SAME = r"the same content in two parts: .*{}"
_NEAR = _SAME.format("nearly the same content")
_TWO = "'subject_id' would make two persons of"
_SHARED = "a subject in two parts: "
_ORDER = "the order of the visits .* is not known"

SERIES: dict[str, Plant] = {
    "a tested file is a copy of a training file": Plant(
        by=CONTENT, said=f"the same file content under two ids|{_SAME.format('the same file')}", table=_bytes
    ),
    "it is that series, saved again": Plant(by=CONTENT, said=_NEAR, table=_file(_again)),
    "as CSV": Plant(by=CONTENT, said=_NEAR, table=_file(_again, ".csv")),
    "with one value changed in the 4th decimal": Plant(by=CONTENT, said=_NEAR, table=_file(_one_value)),
    "with noise of 1 % and without its first second": Plant(by=CONTENT, said=_NEAR, table=_file(_shifted)),
    "all validation files are test files, saved again": Plant(by=CONTENT, said=_NEAR, table=_validation),
    "one series under two ids, with a video each": Plant(
        by=CONTENT, said=_SAME.format("the same file"), table=_videos
    ),
    "equal files, and a made-up content_hash": Plant(
        by=CONTENT, said="'content_hash' of .* is not the SHA-256 of the file", table=_hashes
    ),
    "one visit under two persons, with noise of its own each": Plant(
        by=CONTENT, said=_NEAR, table=_two_persons
    ),
    "init_from: tested here, trained there, under other ids": Plant(
        by=CONTENT, said="share files with what trained it", table=_anew(), command="init_from"
    ),
    "init_from: the same, shifted and with noise": Plant(
        by=CONTENT,
        said="share nearly the same content with what trained it",
        table=_anew(_shifted),
        command="init_from",
    ),
    "eval.py: training files under other ids": Plant(
        by=CONTENT, said="recordings are files that the network was trained", table=_anew(), command="eval"
    ),
    "eval.py: the same, shifted and with noise": Plant(
        by=CONTENT,
        said="recordings hold nearly the content that the network was trained",
        table=_anew(_shifted),
        command="eval",
    ),
    "a name in NFC and in NFD": Plant(by=IDENTITY, said=_SHARED, table=_spelt("M\u00fc7", "Mu\u03087")),
    "in capitals and small": Plant(by=IDENTITY, said=_TWO, table=_spelt("Q7", "q7")),
    "with zeros in front": Plant(by=IDENTITY, said=_TWO, table=_spelt("7", "007")),
    "with .0 behind": Plant(by=IDENTITY, said=_TWO, table=_spelt("Q7", "Q7.0")),
    "with a blank inside": Plant(by=IDENTITY, said=_TWO, table=_spelt("Q7", "Q 7")),
    "with a blank behind": Plant(by=IDENTITY, said=_SHARED, table=_spelt("Q7", "Q7\u00a0")),
    "with a zero-width sign": Plant(by=IDENTITY, said=_SHARED, table=_spelt("Q7", "Q\u200b7")),
    "NA as a person": Plant(by=IDENTITY, said="'subject_id' says that there is none", table=_nobody),
    "one visit as V1 and v01 in two parts": Plant(
        by=IDENTITY, said="'session_id' would make two visits of", table=_sessions("V1", "v01")
    ),
    "order of visits by dd.mm.yyyy": Plant(
        by=IDENTITY,
        said=_ORDER,
        table=_all_sessions("15.01.2021", "03.02.2021", "01.12.2021"),
        protocol="longitudinal",
    ),
    "order of visits by words": Plant(
        by=IDENTITY, said=_ORDER, table=_all_sessions("pre", "mid", "post"), protocol="longitudinal"
    ),
    "init_from: tested persons trained there, respelt, with other files": Plant(
        by=IDENTITY,
        said=r"share persons \(by subject_id\) with what trained it",
        table=_anew(_fresh, persons="  {}.0"),
        command="init_from",
    ),
    "eval.py: training persons, respelt, with other files": Plant(
        by=IDENTITY,
        said="recordings show persons, by subject_id, that the network was trained",
        table=_anew(_fresh, persons="  {}.0"),
        command="eval",
    ),
}
"""What is planted into cohorts with series -> how, and what must be said of it."""

VIDEOS: dict[str, Plant] = {
    f"a training video as a tested one: {what}": Plant(by=CONTENT, said=_NEAR, table=_video(what))
    for what in list(ENCODINGS)[:2]
}
"""Likewise for cohorts of videos; `studies.leaks.near_duplicates` tries the stronger encodings."""
