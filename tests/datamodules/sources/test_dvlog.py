import shutil

import numpy as np
import pytest

from datamodules.manifests.manifest import ManifestError
from datamodules.sources import dvlog
from datamodules.sources.shared.draft import SourceError
from datamodules.sources.trees.dvlog import write
from datamodules.splits.protocols import Given


@pytest.fixture
def tree(tmp_path):
    write(tmp_path / "dvlog", persons=8)
    return tmp_path / "dvlog"


def relabel(tree, old, new):
    path = tree / "labels.csv"
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


def test_a_download_becomes_a_manifest(tree):
    manifest = dvlog.read(root=tree, probe=False)
    table = manifest.table.set_index("recording_id")
    assert table.index.tolist() == [f"dvlog_{vlog}" for vlog in range(8)]
    assert table["binary"].tolist() == [0, 1, 0, 1, 0, 1, 0, 1]
    assert table["split"].tolist() == ["train"] * 4 + ["val"] * 2 + ["test"] * 2
    assert set(table["subject_id"]) == {"unknown"}
    assert set(table["fps"]) == {1.0}
    assert set(table["sex"]) <= {"M", "F"}
    assert "scale" not in table
    assert "score" not in table
    values = np.load(manifest.recordings()[3].series_path)
    assert values.shape[1] == 136
    assert values.dtype == np.float64
    assert manifest.errata == ()


def test_the_official_parts_are_a_split(tree):
    (split,) = Given().splits(dvlog.read(root=tree, probe=False))
    assert (len(split.train), len(split.val), len(split.test)) == (4, 2, 2)


def test_readers_of_results_learn_that_nobody_knows_who_it_is_and_that_lengths_differ(tree):
    picture = len(np.load(tree / "0" / "0_visual.npy"))
    speakers, lengths = dvlog.read(root=tree, probe=False).notes
    assert "no speakers" in speakers
    assert f"1 recording(s) differ in length: dvlog_0 ({picture} and {picture - 5} s)" in lengths
    for sound in tree.glob("*/*_acoustic.npy"):
        sound.unlink()
    assert len(dvlog.read(root=tree, probe=False).notes) == 1


def test_what_is_missing_or_unknown_is_listed(tree):
    (tree / "5" / "5_visual.npy").unlink()
    (tree / "99").mkdir()
    manifest = dvlog.read(root=tree, probe=False)
    assert len(manifest.table) == 7
    assert [str(erratum) for erratum in manifest.errata] == [
        "missing_file: 5/5_visual.npy: left out: labelled, but there is no such file",
        "extra_folder: 99: left out: no label names it",
    ]


def test_an_archive_unpacked_into_its_own_folder_is_found(tree):
    manifest = dvlog.read(root=tree.parent, probe=False)
    assert manifest.root == tree
    assert [erratum.rule for erratum in manifest.errata] == ["nested_folder"]
    shutil.copytree(tree, tree.parent / "again")
    with pytest.raises(SourceError, match="several folders \\(again, dvlog\\)"):
        dvlog.read(root=tree.parent, probe=False)


def test_a_missing_label_file_is_named(tree):
    (tree / "labels.csv").unlink()
    with pytest.raises(SourceError, match=r"no labels\.csv here"):
        dvlog.read(root=tree, probe=False)


def test_a_tree_without_recordings_is_refused(tree):
    for file in tree.glob("*/*_visual.npy"):
        file.unlink()
    with pytest.raises(SourceError, match="no recording of dvlog"):
        dvlog.read(root=tree, probe=False)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("index,label,duration,gender,fold\n", "", "no column 'index'"),
        (",", "|", "another separator"),
        ("normal", "0", "'label' is '0' in line 2; known are depression, normal"),
        (",valid", ",held out", "'fold' is 'held out' in line 6"),
    ],
)
def test_other_label_files_are_refused(tree, old, new, message):
    relabel(tree, old, new)
    with pytest.raises(SourceError, match=message):
        dvlog.read(root=tree, probe=False)


def test_an_id_that_comes_twice_is_refused(tree):
    relabel(tree, "\n3,", "\n2,")
    with pytest.raises(ManifestError, match="'recording_id' repeats"):
        dvlog.read(root=tree, probe=False)


def test_the_same_seed_writes_the_same_tree(tree, tmp_path):
    write(tmp_path / "again", persons=8)
    write(tmp_path / "other", persons=8, seed=1)
    files = [file.relative_to(tree) for file in sorted(tree.rglob("*.*"))]
    assert len(files) == 17
    assert all((tmp_path / "again" / file).read_bytes() == (tree / file).read_bytes() for file in files)
    assert all((tmp_path / "other" / file).read_bytes() != (tree / file).read_bytes() for file in files)
    assert len({(tree / file).read_bytes() for file in files}) == len(files)
