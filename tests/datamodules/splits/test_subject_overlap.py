import pandas as pd

from datamodules.manifests.manifest import Manifest
from datamodules.splits.protocols import Given
from datamodules.splits.subject_overlap import person_overlap

PLACES = {
    "train": ["a", "a", "b", "c", "unknown"],
    "val": ["b", "d"],
    "test": ["a", "b", "e", "unknown"],
    "": ["e", "f"],
}


def given(places):
    rows = [(person, part) for part, persons in places.items() for person in persons]
    table = pd.DataFrame(rows, columns=["subject_id", "split"])
    table["recording_id"] = [f"r{row}" for row in table.index]
    table["session_id"] = table["recording_id"]
    manifest = Manifest(table=table, root=None, name="corpus", truth=None)
    return manifest, Given(subject_disjoint=False).splits(manifest)[0]


def test_the_matrix_counts_persons_and_nobody_unknown():
    found = person_overlap(*given(PLACES))
    assert found.matrix == {
        "train": {"train": 3, "val": 1, "test": 2},
        "val": {"train": 1, "val": 2, "test": 1},
        "test": {"train": 2, "val": 1, "test": 3},
    }
    assert found.shared == ("a", "b")
    assert found.as_dict() == {"persons": found.matrix, "unknown_recordings": 2}


def test_ten_persons_are_named_and_the_rest_counted(caplog):
    persons = [f"p{number:02d}" for number in range(13)]
    manifest, split = given({"train": persons, "val": ["x"], "test": persons})
    person_overlap(manifest, split).log(manifest.name, split.name)
    assert "13 person(s) are in several parts: p00, p01" in caplog.text
    assert "p09 and 3 more" in caplog.text
    assert "p10" not in caplog.text
    assert "p00" not in str(person_overlap(manifest, split).as_dict())


def test_people_kept_apart_are_no_warning(caplog):
    manifest, split = given({"train": ["a"], "val": ["b"], "test": ["c"]})
    found = person_overlap(manifest, split)
    found.log(manifest.name, split.name)
    assert found.shared == ()
    assert caplog.text == ""
