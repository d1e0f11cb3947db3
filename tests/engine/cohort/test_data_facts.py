"""What `manifest.json` says of the parts of a split."""

import pandas as pd

from datamodules.manifests.manifest import Manifest
from datamodules.splits.partition import Split
from engine.cohort.data_facts import data_facts


def test_recordings_of_unknown_persons_are_counted_apart(tmp_path):
    table = pd.DataFrame({"recording_id": list("abcd"), "subject_id": ["p", "p", "unknown", "unknown"]})
    table = table.assign(session_id=list("1212"), path=[f"{name}.mp4" for name in "abcd"])
    manifest = Manifest(name="four", table=table, root=tmp_path, truth=None)
    split = Split(name="one", train=("a", "b"), val=(), test=("b", "c", "d"))
    parts = data_facts(manifest, [split])["parts"]["one"]
    assert {key: parts["test"][key] for key in ("recordings", "persons", "visits", "unknown")} == {
        "recordings": 3, "persons": 1, "visits": 1, "unknown": 2,
    }  # fmt: skip
    assert "unknown" not in parts["train"]
