from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from datamodules.checks.rehearsal import next_command
from datamodules.checks.validate import main
from datamodules.command_line import run
from datamodules.manifests.manifest import manifest_from_table
from datamodules.manifests.scales import SCALES
from datamodules.sources.trees import folder

CONF = Path(__file__).parents[3] / "conf"


@pytest.fixture(scope="module")
def videos(tmp_path_factory):
    """A folder of videos of eight persons, and its table."""
    root = tmp_path_factory.mktemp("videos")
    folder.write(root)
    labels = pd.read_csv(root / "labels.csv").rename(
        columns={"file": "path", "subject": "subject_id", "session": "session_id"}
    )
    labels.insert(0, "recording_id", [f"r{row}" for row in range(len(labels))])
    return root, labels


@pytest.fixture
def validate(videos, capsys):
    """Write a table beside the videos, check it, and return status, output and errors."""

    def check(table, *words):
        path = videos[0] / "table.csv"
        table.to_csv(path, index=False)
        status = run(main, [f"manifest={path}", *words])
        shown = capsys.readouterr()
        return status, shown.out, shown.err

    return check


def test_a_good_table_ends_with_the_command_to_try_next(videos, validate):
    root, table = videos
    status, out, err = validate(table)
    assert status == 0, err
    assert "8 of 16" in out
    assert out.endswith(f"\nNext: python train.py data=manifest data.path={root / 'table.csv'} debug=fast\n")


def test_faults_of_a_table_are_told_with_row_and_remedy(videos, validate):
    _, table = videos
    status, out, err = validate(table.assign(score=[70, *table["score"][1:]]))
    assert (status, out) == (1, "")
    assert "'score' is outside BDI-II (0 to 63): row 1 (r0) = 70" in err


def test_what_stops_a_training_stops_here(videos, validate):
    _, table = videos
    parts = table.assign(split=["train"] * 7 + ["val"] * 5 + ["test"] * 4, colour="x")
    parts.loc[2, "path"] = parts.loc[0, "path"]
    status, out, err = validate(parts)
    assert status == 1
    assert "would stop a training" in err
    stops = out.partition("What would stop a training")[2]
    assert "a subject in two parts: person04 (train, val)" in stops
    assert "the same file content under two ids: r0 (train) = r2 (train)" in stops
    assert "columns nothing reads: 'colour'" in out.partition("Warnings")[2]
    assert "Next:" not in out


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda t: t.iloc[:4], "2 persons are too few"),
        (lambda t: t.drop(columns=["score", "scale"]), "no recording has a label"),
    ],
)
def test_too_little_for_a_training_is_told_without_opening_files(videos, validate, change, told):
    status, out, _ = validate(change(videos[1]), "probe=false")
    assert status == 1
    assert told in out
    assert "not opened" in out


def test_pictures_that_are_not_cropped_to_a_face_are_remarked(videos, validate):
    _, out, _ = validate(videos[1].assign(width=1280, height=720), "probe=false")
    assert "16 of 16 videos are not square" in out
    assert "crop videos to the face first" in out


@pytest.mark.parametrize("scale", SCALES)
def test_the_next_command_names_a_questionnaire_that_conf_has(scale, tmp_path):
    (tmp_path / "a.csv").write_text("au01,au02\n1,2\n3,4\n")
    row = {"recording_id": "r", "subject_id": "s", "session_id": "1", "path": "", "series_path": "a.csv"}
    table = pd.DataFrame([row | {"scale": scale, "score": "2", "split": "train"}])
    manifest = manifest_from_table(table, root=tmp_path, name="t", probe=False)
    words = next_command(manifest, Path("t.csv")).split()
    assert {"experiment=mpdrm_series", "data/clips=series", "data.channels=2", "protocol=given"} <= set(words)
    leaf = next((word.partition("=")[2] for word in words if word.startswith("data/scale=")), "bdi_ii")
    assert f"name: {scale}\n" in (CONF / "data" / "scale" / f"{leaf}.yaml").read_text()


def test_feature_sets_alone_are_tried_with_a_network_of_sets(tmp_path):
    np.save(tmp_path / "a.npy", np.random.default_rng(0).normal(size=(20, 3)))
    row = {"recording_id": "r", "subject_id": "p", "session_id": "1", "path": "", "features_pose": "a.npy"}
    table = pd.DataFrame([row | {"fps": 5.0, "scale": "BDI-II", "score": 9}])
    manifest = manifest_from_table(table, root=tmp_path, name="x")
    told = "python train.py experiment=feature_sets data=feature_sets data.path=t.csv debug=fast"
    assert next_command(manifest, Path("t.csv")) == told
