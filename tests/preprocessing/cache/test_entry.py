"""Entries survive JSON, and names of files are safe and their own."""

import json
import unicodedata
from pathlib import PurePosixPath, PureWindowsPath

import pytest

from preprocessing.cache.entry import Entry, file_stem

NAMES = [
    *(
        "plain",
        "P01_visit 1",
        "größe",
        "面接",
        "a/b",
        "a_b",
        "a\\b",
        "../up",
        "..",
        ".",
        ".hidden",
        "daic:300",
    ),
    *("x" * 300, "x" * 299 + "y", "ü" * 200, "CON/1", "a\nb", "a.", "a ", "tab\t", "", "a?b", "a*b", "-rf"),
]


def test_every_name_is_one_part_of_a_path_and_none_is_shared():
    stems = [file_stem(name) for name in NAMES]
    assert len(set(stems)) == len(NAMES)
    for stem in stems:
        for path in (PurePosixPath, PureWindowsPath):
            assert path(f"{stem}.json").name == f"{stem}.json"
        assert len(stem.encode()) < 200
        assert not stem.startswith((".", "-", " "))
        assert not any(unicodedata.category(letter).startswith("C") for letter in stem)
    assert [file_stem(name) for name in NAMES[:4]] == NAMES[:4]


def test_an_entry_is_read_as_it_was_written_and_nothing_else_is():
    entry = Entry(
        recording_id="a",
        fingerprint="f",
        source={"path": "a.mp4"},
        status="ok",
        reasons=("x",),
        lost={"dark": 3},
    )
    stored = json.loads(json.dumps(entry.plain()))
    assert Entry.read(stored) == entry
    assert Entry.read(stored | {"more": 1}) is None
    assert Entry.read(stored | {"status": "perhaps"}) is None
    assert Entry.read({}) is None


@pytest.mark.parametrize(("status", "used"), [("ok", True), ("warned", True), ("refused", False)])
def test_refused_recordings_are_not_used(status, used):
    assert Entry(recording_id="a", fingerprint="f", source={}, status=status).used is used
