from dataclasses import replace

import pandas as pd

from datamodules.manifests.made_up import is_made_up, mark
from datamodules.manifests.manifest import manifest_from_table
from datamodules.sources import joined
from datamodules.sources.folder import read
from datamodules.sources.trees.__main__ import main


def table(root, name):
    (root / name).mkdir()
    (root / name / "r.mp4").touch()
    row = {"recording_id": f"{name}_1", "subject_id": "a", "session_id": "1", "path": "r.mp4", "binary": 1}
    return manifest_from_table(pd.DataFrame([row]), root=root / name, name=name, probe=False)


def test_what_lies_in_a_marked_folder_is_made_up_wherever_its_table_lies(tmp_path):
    video = tmp_path / "cohort" / "videos" / "r1.mp4"
    assert not is_made_up(tmp_path, [video])
    video.parent.mkdir(parents=True)
    mark(tmp_path / "cohort")
    assert is_made_up(tmp_path, [video])
    assert is_made_up(tmp_path / "cohort", [])
    assert not is_made_up(tmp_path, [tmp_path / "mine" / "r1.mp4"])


def test_a_made_up_tree_is_read_as_such(tmp_path):
    assert main("folder", tmp_path / "tree") == 0
    assert read(root=tmp_path / "tree", probe=False).synthetic


def test_joined_tables_are_synthetic_where_one_of_them_is_and_say_which(tmp_path):
    real, made = table(tmp_path, "real"), table(tmp_path, "made")
    assert not joined.read(manifests=[real, made]).synthetic
    both = joined.read(manifests=[real, replace(made, synthetic=True)])
    assert both.synthetic
    assert both.notes == ("made: synthetic, beside others that are not",)
