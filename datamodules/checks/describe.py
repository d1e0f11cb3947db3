"""Description of a manifest in text tables: counts, labels, files, shared persons, duplicates, errata."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import numpy as np
import pandas as pd

from datamodules.manifests.identity import person_keys, visit_keys
from datamodules.manifests.manifest import Manifest
from datamodules.manifests.scales import SCALES
from datamodules.schema import UNKNOWN

Row = tuple[str, ...]

_ORDER = ("train", "val", "valid", "validation", "dev", "test")
_ALL = "all"
_GROUPS = ("task", "site", "school", "sex")
_NONE = "-"


@dataclass(frozen=True, kw_only=True)
class Section:
    """A titled table; `empty` is what to say where it has no rows, `remark` what to say under it.

    `urgency` is that of its rows: 0 describes, 1 alarms or warns, 2 is an error.
    """

    title: str
    header: Row
    rows: Sequence[Row] = ()
    empty: str = "none"
    remark: str = ""
    urgency: int = 0


def overview(manifest: Manifest) -> list[Section]:
    """All sections of a manifest in the order they are read."""
    visits = ["/".join(key) for key in visit_keys(manifest.table)]
    table = manifest.table.assign(person=person_keys(manifest.table), visit=visits)
    possible = [_counts(table), _labels(table), _traits(table), _files(table, manifest), _groups(table)]
    possible += [_overlap(table), _missing(table), _duplicates(table)]
    sections = [section for section in possible if section is not None]
    errata = [(erratum.rule, erratum.where, erratum.change) for erratum in manifest.errata]
    sections.append(Section(title="Errata applied", header=("rule", "where", "change"), rows=errata))
    sections.append(Section(title="Notes", header=("",), rows=[(note,) for note in manifest.notes]))
    return sections


def shared_persons(first: Manifest, second: Manifest) -> Section:
    """Persons by part of two corpora, found by equal subject ids; unknown ones are not compared."""
    ours, theirs = (
        {part: set(rows["subject_id"]) - {UNKNOWN} for part, rows in _parts(manifest.table)}
        for manifest in (first, second)
    )
    rows = [
        (part, *(str(len(persons & other)) for other in theirs.values())) for part, persons in ours.items()
    ]
    shared = ours[_ALL] & theirs[_ALL]
    remark = f"{len(shared)} persons are in both: one of the corpora cannot test what the other trained"
    return Section(
        title=f"Persons shared with {second.name}",
        header=(first.name, *theirs),
        rows=rows,
        remark=remark if shared else "no one is in both",
    )


def unreadable(table: pd.DataFrame) -> list[str]:
    """Recordings whose file was opened in vain; empty where no file was opened."""
    if "n_frames" not in table or "content_hash" not in table:
        return []
    return table.loc[table["n_frames"].isna() & (table["content_hash"] != ""), "recording_id"].tolist()


def _parts(table: pd.DataFrame) -> Iterator[tuple[str, pd.DataFrame]]:
    """Each part in the order of its use, then all rows."""
    if "split" in table:
        names = sorted(
            set(table["split"]), key=lambda name: (_ORDER.index(name) if name in _ORDER else 99, name)
        )
        for name in names:
            yield name or "no part", table[table["split"] == name]
    yield _ALL, table


def _counts(table: pd.DataFrame) -> Section:
    broken = set(unreadable(table))
    rows = [
        (
            part,
            str(len(rows)),
            str(rows["visit"].nunique()),
            str(rows["person"].nunique()),
            str(len(_unlabeled(rows))),
            str(rows["recording_id"].isin(broken).sum()) if _probed(table) else "not opened",
        )
        for part, rows in _parts(table)
    ]
    anonymous = int((table["subject_id"] == UNKNOWN).sum())
    remark = f"{anonymous} recording(s) of unknown persons, counted one by one" if anonymous else ""
    header = ("part", "recordings", "sessions", "persons", "without label", "unreadable")
    return Section(title="Recordings", header=header, rows=rows, remark=remark)


def _labels(table: pd.DataFrame) -> Section | None:
    if "binary" not in table and "score" not in table:
        return None
    blank: dict[str, Any] = {"scale": "", "score": np.nan, "binary": np.nan}
    table = table.assign(**{name: value for name, value in blank.items() if name not in table})
    table = table.drop_duplicates([*blank, "visit", *(name for name in ("split",) if name in table)])
    rows = [
        (
            part,
            str(scale) or _NONE,
            *_spread(group["score"]),
            _bands(str(scale), group["score"]),
            _share(group["binary"]),
        )
        for part, rows in _parts(table)
        for scale, group in rows.groupby("scale")
    ]
    scales = [SCALES[name] for name in SCALES if name in set(table["scale"])]
    remark = "; ".join(
        f"{scale.name}: {', '.join(scale.band_names)}; positive from {scale.binary_threshold}"
        for scale in scales
    )
    told = "sd: standard deviation with n - 1, here over sessions, in forecasts and reports over recordings"
    remark = "; ".join([*([remark] if remark else []), told])
    header = ("part", "scale", "scores", "lowest", "highest", "mean", "sd", "by band", "positive")
    return Section(title="Labels, one a session", header=header, rows=rows, remark=remark)


def _traits(table: pd.DataFrame) -> Section | None:
    traits = [str(name) for name in table if str(name).startswith("trait_")]
    if not traits:
        return None
    rows = [(part, name, *_spread(rows[name])) for part, rows in _parts(table) for name in traits]
    header = ("part", "trait", "scores", "lowest", "highest", "mean", "sd")
    return Section(title="Traits, of recordings", header=header, rows=rows)


def _files(table: pd.DataFrame, manifest: Manifest) -> Section | None:
    if not _probed(table):
        return None
    size = [
        sum(path.stat().st_size for path in (recording.path, recording.series_path) if path is not None)
        for recording in manifest.recordings()
    ]
    table = table.assign(size=np.asarray(size) / 2**20)
    rows = [
        (
            part,
            _range(rows["duration_s"], "{:.1f}"),
            _range(rows["n_frames"], "{:.0f}"),
            _range(rows["fps"], "{:.4g}"),
            _pictures(rows),
            f"{rows['size'].sum():.3g}",
        )
        for part, rows in _parts(table)
    ]
    header = ("part", "seconds", "frames", "frames/s", "width x height", "MiB")
    remark = "lowest / median / highest"
    return Section(title="Files", header=header, rows=rows, remark=remark)


def _groups(table: pd.DataFrame) -> Section | None:
    columns = [name for name in _GROUPS if name in table and table[name].nunique() > 1]
    if not columns:
        return None
    rows = [
        (name, str(value) or _NONE, str(len(rows)), str(rows["person"].nunique()), _share(rows.get("binary")))
        for name in columns
        for value, rows in table.groupby(name)
    ]
    header = ("by", "value", "recordings", "persons", "positive")
    return Section(title="Groups", header=header, rows=rows)


def _overlap(table: pd.DataFrame) -> Section | None:
    """Persons in both of two parts; the diagonal counts the persons of a part."""
    parts = {part: set(rows["person"]) for part, rows in _parts(table) if part != _ALL}
    if len(parts) < 2:
        return None
    rows = [
        (first, *(str(len(persons & parts[second])) for second in parts)) for first, persons in parts.items()
    ]
    shared = sum(len(parts[a] & parts[b]) for a, b in combinations(parts, 2))
    remark = (
        "persons are in more than one part: a model can recognize them"
        if shared
        else "no one is in two parts"
    )
    return Section(title="Persons shared by parts", header=("", *parts), rows=rows, remark=remark)


def _missing(table: pd.DataFrame) -> Section:
    rows = [(name, "no label") for name in _unlabeled(table)]
    broken = [(name, "file cannot be read") for name in unreadable(table)]
    return Section(
        title="Missing labels, unreadable files",
        header=("recording", "what"),
        rows=[*broken, *rows],
        urgency=2 if broken else 0,
    )


def _duplicates(table: pd.DataFrame) -> Section | None:
    if not _probed(table):
        return None
    known = table[table["content_hash"] != ""]
    parts = known["split"] if "split" in known else pd.Series("", index=known.index)
    names = known["recording_id"] + parts.map(lambda part: f" ({part})" if part else "")
    groups = names.groupby(known["content_hash"]).agg(list)
    rows = [(" = ".join(group),) for group in groups if len(group) > 1]
    title = "The same file content under several ids"
    return Section(title=title, header=("recordings",), rows=rows, urgency=1)


def _probed(table: pd.DataFrame) -> bool:
    return "content_hash" in table and "n_frames" in table


def _unlabeled(table: pd.DataFrame) -> list[str]:
    labels = [name for name in table if name in ("score", "binary") or str(name).startswith("trait_")]
    return table.loc[table[labels].isna().all(axis=1), "recording_id"].tolist()


def _spread(values: pd.Series) -> Row:
    known = values.dropna()
    if not len(known):
        return ("0", *[_NONE] * 4)
    deviation = f"{known.std(ddof=1):.4g}" if len(known) > 1 else _NONE
    return (str(len(known)), f"{known.min():.4g}", f"{known.max():.4g}", f"{known.mean():.4g}", deviation)


def _bands(scale: str, scores: pd.Series) -> str:
    if scale not in SCALES or not scores.notna().any():
        return _NONE
    bands = [SCALES[scale].band(score) for score in scores.dropna()]
    return " / ".join(str(bands.count(band)) for band in range(len(SCALES[scale].bands)))


def _share(binary: pd.Series | None) -> str:
    if binary is None or not binary.notna().any():
        return _NONE
    return f"{binary.sum():.0f} of {binary.notna().sum()}"


def _range(values: pd.Series, form: str) -> str:
    known = values.dropna()
    return " / ".join(map(form.format, (known.min(), known.median(), known.max()))) if len(known) else _NONE


def _pictures(table: pd.DataFrame) -> str:
    known = table[["width", "height"]].dropna().drop_duplicates()
    shown = [f"{width:.0f} x {height:.0f}" for width, height in known.itertuples(index=False)]
    return shown[0] if len(shown) == 1 else f"{len(shown)} sizes" if shown else _NONE
