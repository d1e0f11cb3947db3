"""Groups of persons who followed one stimulus: alike by their task, and not because one was copied."""

from collections.abc import Mapping, Sequence

import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from datamodules.split_leakage.near_duplicates import Pair

# All our choices.
FEWEST = 5  # persons of a group: two or three of one content are copies
SHARE = 0.2  # of all persons: a task of a study is done by many
DENSITY = 0.8  # of the pairs of a group are alike: each with nearly each other
COPIED = 0.9995  # correlation of a file saved again; that of persons with 5 % of own movement is lower


def stimulus_groups(pairs: Sequence[Pair], person_of: Mapping[str, str]) -> list[set[str]]:
    """Recordings of many persons that are alike with nearly each other, as where all follow one target.

    Args:
        pairs: Of recordings that show the same; of them those of a file saved again count as copies.
        person_of: Recording id -> key of its person, of all recordings.
    """
    near = [pair for pair in pairs if pair.correlation < COPIED]
    ids = list(dict.fromkeys(name for pair in near for name in (pair.first, pair.second)))
    place = {name: number for number, name in enumerate(ids)}
    edges = np.array([(place[pair.first], place[pair.second]) for pair in near], dtype=int).reshape(-1, 2)
    graph = coo_array((np.ones(len(edges)), edges.T), shape=(len(ids), len(ids)))
    if not len(edges):
        return []
    _, label = connected_components(graph, directed=False)
    fewest = max(FEWEST, SHARE * len(set(person_of.values())))
    groups = []
    for number in range(label.max() + 1):
        own = np.flatnonzero(label == number)
        persons = {person_of.get(ids[row], ids[row]) for row in own}
        alike = int((label[edges[:, 0]] == number).sum())
        if len(persons) >= fewest and alike >= DENSITY * len(own) * (len(own) - 1) / 2:
            groups.append({ids[row] for row in own})
    return groups
