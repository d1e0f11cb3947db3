"""The same content in two recordings, and blocks of rows that come twice in one: `repeated`."""

import logging
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from datamodules.manifests.columns import file_columns
from datamodules.manifests.manifest import Manifest
from datamodules.split_leakage.file_content import Content, contents
from datamodules.split_leakage.near_duplicates import Pair, pairs_of
from datamodules.wording import first_few
from datamodules.xray.arrays import ARRAY_SUFFIXES
from datamodules.xray.defect import Defect, defect_of
from datamodules.xray.measured import Measured
from datamodules.xray.survey import Survey

_log = logging.getLogger(__name__)

# All our choices; docs/guide/xray.md says why.
_MOST = 3000  # files of a set whose fingerprints are compared pair by pair; of more the digests alone are
_SHORTEST = 19  # rows below which an array has no fingerprint of its own
_FEWEST = 16  # numbers of a sketch
_NEAR = 1e-3  # of the spread, by which two short arrays may differ


def repeated(found: Survey, persons: Mapping[str, object], manifest: Manifest | None) -> list[Defect]:
    """Equal and nearly equal recordings, a file of two persons, and blocks that come twice.

    Args:
        found: What the pass found.
        persons: Whose each recording is.
        manifest: For its videos; None where there are none.
    """
    return [
        *_pairs(found, manifest),
        *_shared(found, persons),
        *(defect for own in found.sets().values() for defect in _blocks(own)),
    ]


def _pairs(found: Survey, manifest: Manifest | None) -> Iterator[Defect]:
    by_set: dict[str, list[Pair]] = defaultdict(list)
    files = {one.file: one for one in found.measured}
    for own in found.sets().values():
        by_set[own[0].column] += [*_equal(own), *_short(own)]
    if manifest is not None:
        videos = _videos(manifest)
        by_set["path"] += pairs_of(videos)
    for column, pairs in by_set.items():
        for group in _groups(pairs):
            some = [pair for pair in pairs if pair.first in group]
            text = f"{column}: {first_few(sorted(group), 6, between=' = ')}: {some[0].why}"
            measured = [files[name] for name in group if name in files]
            if measured:
                owners = [" / ".join(one.owners[:2]) for one in measured]
                text = f"{column}: {first_few(sorted(owners), 6, between=' = ')}: {some[0].why}"
                yield defect_of("repeated", text, measured)
            else:
                yield Defect(kind="repeated", text=text, recordings=tuple(sorted(group)))


def _equal(own: Sequence[Measured]) -> list[Pair]:
    """Pairs of files of one set: equal by their digest, or alike by their fingerprints."""
    many = len(own) > _MOST
    if many:
        _log.warning(
            "%s: of %d arrays equal ones are found, and not those that are nearly so", own[0].column, len(own)
        )
    known = {
        one.file: [
            Content(
                one.digest or f"nothing to compare: {one.file}",
                "series",
                replace(one.shown, steps=one.shown.steps[:0]) if many else one.shown,
            )
        ]
        for one in own
        if not one.constant
    }
    return [replace(pair, why=pair.why.replace("file", "content")) for pair in pairs_of(known)]


def _short(own: Sequence[Measured]) -> Iterator[Pair]:
    """Pairs of arrays of few rows and one shape that are nearly equal."""
    shapes: dict[tuple[int, int], list[Measured]] = defaultdict(list)
    for one in own:
        if one.digest and one.valid < _SHORTEST and len(one.sketch) >= _FEWEST and not one.constant:
            shapes[one.valid, one.width].append(one)
    for some in shapes.values():
        for first, second in _near(np.stack([one.sketch for one in some])) if len(some) > 2 else ():
            if some[first].digest != some[second].digest:
                yield Pair(some[first].file, some[second].file, "nearly the same content")


def _near(sketches: NDArray[np.float32]) -> Iterator[tuple[int, int]]:
    """Pairs of sketches (N, D) whose numbers differ by a thousandth of what they vary by."""
    spread = np.median(np.abs(sketches - np.median(sketches, axis=0)), axis=0)
    moving = spread > 0
    if moving.sum() < _FEWEST:
        return
    unit = sketches[:, moving] / spread[moving]
    for first in range(len(unit) - 1):
        apart = np.abs(unit[first + 1 :] - unit[first]).max(axis=1)
        for step in np.flatnonzero(apart <= _NEAR).tolist():
            yield first, first + 1 + step


def _videos(manifest: Manifest) -> dict[str, list[Content]]:
    """Contents of the videos alone."""
    table = manifest.table
    others = [name for name in file_columns(table) if name != "path"]
    if (
        "path" not in table
        or table["path"].str.endswith(ARRAY_SUFFIXES).all()
        or not (table["path"] != "").any()
    ):
        return {}
    return contents(replace(manifest, table=table.drop(columns=others)))


def _groups(pairs: Sequence[Pair]) -> list[set[str]]:
    """Everything that is the same, group by group."""
    groups: list[set[str]] = []
    for pair in pairs:
        own = {pair.first, pair.second}
        touching = [group for group in groups if group & own]
        groups = [group for group in groups if not group & own] + [own.union(*touching)]
    return groups


def _shared(found: Survey, persons: Mapping[str, object]) -> Iterator[Defect]:
    """Files that recordings of several persons name."""
    for one in found.measured:
        owners = {persons.get(name, name) for name in one.owners}
        if len(owners) > 1:
            yield defect_of(
                "repeated", f"{one.column}: {one.file} is the file of {len(owners)} persons", [one]
            )


def _blocks(own: Sequence[Measured]) -> Iterator[Defect]:
    tiled = [one for one in own if one.block is not None]
    if tiled:
        first = tiled[0]
        assert first.block is not None
        yield defect_of(
            "repeated",
            f"{first.column}: in {len(tiled)} of {len(own)} array(s) a block of rows comes again: "
            f"{first.file} has {first.block.rows} rows from row {first.block.again} on that are those from "
            f"row {first.block.first} on",
            tiled,
        )


def persons_of(table: pd.DataFrame, codes: NDArray[np.int64]) -> dict[str, object]:
    """Code of the person of every recording."""
    return dict(zip(table["recording_id"].astype(str), codes.tolist(), strict=True))
