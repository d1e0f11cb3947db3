"""The made-up folder of raw videos: what a clinic would hand over, and the same every time."""

import av
import pandas as pd
import pytest

from datamodules.checks import validate
from datamodules.command_line import run
from datamodules.manifests.made_up import is_made_up
from datamodules.sources.folder import read
from datamodules.synthetic.cohort import synthetic_manifest
from datamodules.synthetic.room.film import main


def test_a_folder_of_raw_videos_that_the_source_folder_reads(tmp_path, capsys):
    words = ["persons=2", "visits=2", "seconds=2.5", "fps=6", "workers=1"]
    assert run(main, [f"output={tmp_path / 'clinic'}", *words]) == 0
    assert f"source=folder root={tmp_path / 'clinic'}" in capsys.readouterr().out
    found = read(root=tmp_path / "clinic")
    assert found.table["subject_id"].tolist() == ["person01", "person01", "person02", "person02"]
    assert is_made_up(found.root, [])
    for path in found.table["path"]:
        with av.open(str(found.root / path)) as video:
            stream = video.streams.video[0]
            assert (stream.width, stream.height, stream.average_rate) == (640, 480, 6)
            assert 2.25 * 6 - 1 <= sum(1 for _ in video.decode(stream)) <= 2.5 * 6
    assert run(validate.main, ["source=folder", f"root={found.root}"]) == 0
    raw = f"\nNext: python preprocess.py input={found.root} output=faces\n"  # pictures of rooms, not of faces
    assert capsys.readouterr().out.endswith(raw)
    left = {path.name for path in (tmp_path / "clinic").iterdir()}
    assert left == {"SYNTHETIC.txt", "labels.csv", "person01", "person02"}  # nothing of the work remains


def test_everyone_has_the_scores_of_the_same_person_of_the_cohort(tmp_path):
    words = ["persons=2", "visits=2", "seconds=2.5", "fps=6", "workers=1", "seed=3"]
    run(main, [f"output={tmp_path / 'clinic'}", *words])
    labels = pd.read_csv(tmp_path / "clinic" / "labels.csv")
    sizes = {"n_subjects": 2, "n_visits": 2, "duration_s": 2.5, "fps": 6.0, "size": None, "seed": 3}
    dials = {"confound": 1.0, "habit_visibility": 0.1, "workers": 1, "landmarks": False}
    cohort = synthetic_manifest(root=tmp_path / "unfilmed", **sizes, **dials).table
    cohort = cohort.sort_values(["subject_id", "session_id"])
    assert labels["score"].tolist() == cohort["score"].tolist()
    assert labels["session"].tolist() == [1, 2, 1, 2]


def test_a_folder_with_something_in_it_is_left_alone(tmp_path, capsys):
    (tmp_path / "real.mp4").write_bytes(b"a patient")
    assert run(main, [f"output={tmp_path}"]) == 2
    assert "give a new folder" in capsys.readouterr().err
    assert [path.name for path in tmp_path.iterdir()] == ["real.mp4"]


@pytest.mark.parametrize("word", ["persons=0", "visits=0"])
def test_nobody_is_refused(word, tmp_path, capsys):
    assert run(main, [f"output={tmp_path / 'clinic'}", word]) == 2
    assert word in capsys.readouterr().err
