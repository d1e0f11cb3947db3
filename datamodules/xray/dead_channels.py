"""Channels that rest in all recordings of one place and move in those of the others: `constant`.

An intensity of 0 throughout one recording is nothing strange; throughout a hospital it is.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence

import numpy as np
import pandas as pd
from scipy.stats import hypergeom

from datamodules.wording import first_few
from datamodules.xray.defect import Defect, defect_of
from datamodules.xray.measured import Measured
from datamodules.xray.survey import Survey
from datamodules.xray.table_facts import category_facts

# All our choices; docs/guide/xray.md says why.
_DEAD, _ALIVE = (
    0.9,
    0.9,
)  # share of the persons of a place in whom a channel rests, of the others in whom it moves
_PERSONS = 4  # of a place, fewer say nothing
_CHANCE = 0.001  # of an alarm by chance, over all channels and places of a set


def dead_channels(found: Survey, table: pd.DataFrame) -> list[Defect]:
    """Channels that are dead in one place.

    Of a place with n of N persons, in k of whom a channel rests as it does in K of all, chance would give as
    many with the upper tail of the hypergeometric distribution; it is corrected for all that is asked.

    Args:
        found: Facts of the files.
        table: Rows with `recording_id` and `subject_id`; its columns of places are asked about.
    """
    if table.empty:
        return []
    persons = dict(zip(table["recording_id"].astype(str), table["subject_id"].astype(str), strict=True))
    places = [fact for fact in category_facts(table) if fact.kind == "site"]
    told: list[Defect] = []
    for fact in places:
        place = dict(zip(table["recording_id"].astype(str), fact.values, strict=True))
        for own in found.sets().values():
            told += _of_set(own, place, persons, fact.name)
    return told


def _of_set(
    own: Sequence[Measured], place: Mapping[str, str], persons: Mapping[str, str], column: str
) -> Iterator[Defect]:
    files = defaultdict(list)  # of a person in a place
    for one in own:
        for owner in one.owners:
            if place.get(owner):
                files[place[owner], persons[owner]].append(one)
    names = sorted({place for place, _ in files})
    channels = sorted({name for one in own if not one.constant for name in one.still})
    for name in names:
        inside = [some for (where, _), some in files.items() if where == name]
        outside = [some for (where, _), some in files.items() if where != name]
        if len(inside) < _PERSONS or len(outside) < _PERSONS:
            continue
        asked = len(names) * len(channels)
        dead = [channel for channel in channels if _is_dead(channel, inside, outside, asked)]
        if dead:
            where = [one for some in inside for one in some if set(dead) & set(one.still)]
            yield defect_of(
                "constant",
                f"{own[0].column}: {len(dead)} channel(s) rest throughout the {len(where)} recordings of "
                f"{column} {name!r} and move in the others: {first_few(dead, 5)}",
                where,
            )


def _is_dead(
    channel: str, inside: Sequence[Sequence[Measured]], outside: Sequence[Sequence[Measured]], asked: int
) -> bool:
    there, elsewhere = (
        np.array([all(channel in one.still for one in some) for some in side]) for side in (inside, outside)
    )
    if there.mean() < _DEAD or (~elsewhere).mean() < _ALIVE:
        return False
    k, n, total = int(there.sum()), len(there), len(there) + len(elsewhere)
    tail = float(hypergeom.sf(k - 1, total, k + int(elsewhere.sum()), n))
    return bool(tail * asked < _CHANCE)
