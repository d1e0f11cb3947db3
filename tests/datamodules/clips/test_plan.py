import pickle
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from datamodules.clips.dataset import ClipDataset, PixelClips
from datamodules.clips.history import VisitFacts
from datamodules.clips.plan import ClipPlan
from datamodules.clips.samplers import RandomClips, UniformClips
from datamodules.manifests.known_visits import known_visits
from datamodules.manifests.manifest import Manifest
from tests.datamodules.manifests.test_known_visits import TABLE


class Blank(PixelClips):
    """Clips without a file."""

    def __init__(self):
        pass

    def clip(self, recording, indices):
        return {"frames": np.zeros(len(indices))}


def made(table):
    return Manifest(table=table, root=Path("/r"), name="m", truth=None)


def people(count):
    ids = [f"r{row}" for row in range(count)]
    facts = {"session_id": [f"V{row % 3}" for row in range(count)], "path": ids, "n_frames": 90.0}
    return pd.DataFrame(
        {"recording_id": ids, "subject_id": [f"p{row // 3}" for row in range(count)], **facts}
    )


def test_entries_are_the_rows_asked_for_with_codes_of_person_and_visit():
    entries = ClipPlan(made(people(9))).trained(["r7", "r0", "r1"], Blank())
    assert [one.row for one in entries] == [7, 0, 1]
    assert [one.recording.recording_id for one in entries] == ["r7", "r0", "r1"]
    assert [(one.subject, one.visit) for one in entries] == [(2, 7), (0, 0), (0, 1)]
    assert [tuple(row) for row in entries.members().tolist()] == [tuple(one.member) for one in entries]
    assert entries[1] == entries.of_row(0)
    assert [one.row for one in entries[1:]] == [0, 1]
    with pytest.raises(KeyError):
        entries.of_row(2)


def test_the_other_recordings_of_predicted_persons_are_context():
    found, counts = ClipPlan(made(people(9))).evaluated(
        ["r4"], Blank(), UniformClips(length=4, stride=1, clips=2)
    )
    assert [(one.row, one.scored) for one in found] == [(4, True), (3, False), (5, False)]
    assert counts == {3: 2, 4: 2, 5: 2}


def test_facts_of_known_visits_are_those_of_the_table():
    visits = known_visits(TABLE, 2)
    entries = ClipPlan(made(TABLE.assign(path="x", n_frames=9.0)), visits).trained(
        TABLE["recording_id"].tolist(), Blank()
    )
    assert entries[1].facts == VisitFacts(1.0, True, 11.0)
    assert entries[0].facts[:2] == (2.0, False)
    assert np.isnan(entries[0].facts.score)
    assert [one.member.early for one in entries] == visits.known.tolist()


def test_what_workers_are_sent_does_not_grow_with_the_recordings():
    sizes = []
    for count in (30, 30_000):
        manifest = made(people(count))
        entries = ClipPlan(manifest).trained(manifest.table["recording_id"].tolist(), Blank())
        dataset = ClipDataset(
            entries=entries, source=Blank(), sampler=RandomClips(length=2), seed=0, training=False
        )
        content = pickle.dumps(dataset)
        sizes.append(len(content))
        assert pickle.loads(content).entry(count - 1) == entries[-1]
    assert sizes[1] < 5000
    assert sizes[1] < 3 * sizes[0]
