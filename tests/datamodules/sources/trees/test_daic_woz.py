"""Column counts are those of the published files, counted by hand from their documentation."""

import pandas as pd
import pytest

from datamodules.sources.trees import daic_woz, edaic


@pytest.fixture(scope="module")
def woz(tmp_path_factory):
    root = tmp_path_factory.mktemp("woz")
    daic_woz.write(root, persons=8)
    return root


@pytest.mark.parametrize(
    ("name", "columns", "first", "last"),
    [
        ("AUs", 4 + 14 + 6, "AU01_r", "AU45_c"),
        ("gaze", 4 + 12, "x_0", "z_h1"),
        ("pose", 4 + 6, "Tx", "Rz"),
        ("features", 4 + 2 * 68, "x0", "y67"),
        ("features3D", 4 + 3 * 68, "X0", "Z67"),
    ],
)
def test_feature_files_have_the_published_columns(woz, name, columns, first, last):
    lines = (woz / "319_P" / f"319_CLNF_{name}.txt").read_text().splitlines()
    header = lines[0].split(", ")
    assert len(header) == columns
    assert header[:5] == ["frame", "timestamp", "confidence", "success", first]
    assert header[-1] == last
    assert 20 <= len(lines) - 1 <= 40
    assert {len(line.split(", ")) for line in lines} == {columns}


def test_lost_frames_are_zero_and_without_confidence(woz):
    table = pd.concat(
        pd.read_csv(path, sep=", ", engine="python") for path in sorted(woz.rglob("*_CLNF_AUs.txt"))
    )
    lost = table[table["success"] == 0]
    assert 0 < len(lost) < len(table) / 3
    assert (lost.drop(columns=["frame", "timestamp", "success"]) == 0).all(axis=None)
    assert table.filter(like="_r").stack().between(0, 5).all()
    assert table.filter(like="_c").drop(columns="confidence", errors="ignore").isin([0, 1]).all(axis=None)


def test_a_numeric_field_holds_text_and_the_transcript_is_separated_by_tabs(woz):
    assert ", -1.#IND" in (woz / "300_P" / "300_CLNF_gaze.txt").read_text()
    transcript = (woz / "300_P" / "300_TRANSCRIPT.csv").read_text()
    assert transcript.startswith("start_time\tstop_time\tspeaker\tvalue\n")


def test_the_same_seed_writes_the_same_tree(woz, tmp_path):
    daic_woz.write(tmp_path, persons=8)
    files = sorted(path.relative_to(woz) for path in woz.rglob("*") if path.is_file())
    assert files == sorted(path.relative_to(tmp_path) for path in tmp_path.rglob("*") if path.is_file())
    assert all((woz / file).read_bytes() == (tmp_path / file).read_bytes() for file in files)


def test_edaic_has_pose_gaze_and_action_units(tmp_path):
    edaic.write(tmp_path, persons=8)
    path = tmp_path / "300_P" / "features" / "300_OpenFace2.1.0_Pose_gaze_AUs.csv"
    header = path.read_text().splitlines()[0].split(", ")
    assert len(header) == 4 + 6 + 8 + 17 + 18
    assert (header[4], header[10], header[18], header[-1]) == ("pose_Tx", "gaze_0_x", "AU01_r", "AU45_c")
    assert "AU28_c" in header
    assert "AU28_r" not in header
