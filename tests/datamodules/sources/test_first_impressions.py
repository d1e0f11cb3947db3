import os
import pickle
import shutil

import numpy as np
import pytest

from datamodules.feature_leakage.channels import LeakageError
from datamodules.sources import first_impressions
from datamodules.sources.shared.draft import SourceError
from datamodules.sources.trees.first_impressions import write
from datamodules.split_leakage.split_checks import check_split
from datamodules.splits.protocols import Given, KFold

TRAITS = ["trait_O", "trait_C", "trait_E", "trait_A", "trait_N", "trait_interview"]


@pytest.fixture(scope="module")
def original(tmp_path_factory):
    folder = tmp_path_factory.mktemp("corpus") / "fi"
    write(folder, persons=4)
    return folder


@pytest.fixture
def tree(original, tmp_path):
    shutil.copytree(original, tmp_path / "fi")
    return tmp_path / "fi"


def annotation(tree, part="training"):
    return pickle.loads((tree / f"annotation_{part}.pkl").read_bytes())


def annotate(tree, table, part="training"):
    (tree / f"annotation_{part}.pkl").write_bytes(pickle.dumps(table, protocol=2))


def test_a_download_becomes_a_manifest(original):
    manifest = first_impressions.read(root=original)
    table = manifest.table
    assert len(table) == 12
    assert table["subject_id"].nunique() == 4
    assert table["split"].value_counts().to_dict() == {"train": 6, "val": 3, "test": 3}
    assert set(table["n_frames"]) == {10, 11, 12, 13}
    assert set(table["width"]) == {32}
    assert table["content_hash"].nunique() == 12
    assert "binary" not in table
    first = table.iloc[0]
    name = first["path"].rsplit("/")[-1]
    assert first["recording_id"] == f"first_impressions_{name[:-4]}"
    assert first["subject_id"] == f"first_impressions:{name[:11]}"
    published = annotation(original)
    assert first["trait_O"] == published["openness"][name]
    assert first["trait_interview"] == published["interview"][name]
    assert first["trait_N"] == pytest.approx(1 - published["neuroticism"][name])


def test_neuroticism_alone_runs_against_the_others(original):
    manifest = first_impressions.read(root=original, probe=False)
    assert [erratum.rule for erratum in manifest.errata] == ["neuroticism_reversed"]
    correlations = np.corrcoef(manifest.table[TRAITS].to_numpy().T)
    assert (correlations[4, [0, 1, 2, 3, 5]] < 0).all()
    assert (correlations[0, [1, 2, 3, 5]] > 0).all()


def test_the_official_parts_share_videos_and_folds_do_not(original):
    manifest = first_impressions.read(root=original, probe=False)
    assert "3 of 3 test clips are from one that is also in train or val" in manifest.notes[0]
    (official,) = Given().splits(manifest)
    with pytest.raises(LeakageError, match="a subject in two parts: first_impressions:"):
        check_split(manifest, official, subject_disjoint=True)
    for split in KFold(folds=2, val=0.5).splits(manifest):
        check_split(manifest, split, subject_disjoint=True)


def test_clips_may_lie_in_one_folder(tree):
    scattered = first_impressions.read(root=tree, probe=False).table
    for file in list(tree.rglob("*.mp4")):
        file.rename(tree / file.name)
    flat = first_impressions.read(root=tree, probe=False).table
    assert flat.drop(columns="path").equals(scattered.drop(columns="path"))


def test_what_is_missing_or_extra_is_listed(tree):
    clip = next(tree.rglob("*.mp4"))
    name = clip.name
    clip.rename(clip.with_name("ABCDEFGHIJK.999.mp4"))
    (tree / "annotation_test.pkl").unlink()
    manifest = first_impressions.read(root=tree, probe=False)
    found = [(erratum.rule, erratum.where) for erratum in manifest.errata]
    assert ("missing_file", name) in found
    assert ("missing_annotation", "annotation_test.pkl") in found
    extra = found[-2]
    assert extra[0] == "missing_annotation"
    assert extra[1].startswith("4: ")
    assert "ABCDEFGHIJK.999.mp4" in extra[1]
    assert len(manifest.table) == 8


def test_an_archive_unpacked_into_its_own_folder_is_found(tree):
    manifest = first_impressions.read(root=tree.parent, probe=False)
    assert (manifest.root, manifest.errata[0].rule) == (tree, "nested_folder")


def test_a_missing_annotation_is_named(tree):
    (tree / "annotation_training.pkl").unlink()
    with pytest.raises(SourceError, match=r"no annotation_training\.pkl here"):
        first_impressions.read(root=tree, probe=False)


def test_a_clip_in_two_folders_or_of_no_video_is_refused(tree):
    clip = next(tree.rglob("*.mp4"))
    (tree / "again").mkdir()
    shutil.copy(clip, tree / "again")
    with pytest.raises(SourceError, match="the clip is there twice"):
        first_impressions.read(root=tree, probe=False)
    shutil.rmtree(tree / "again")
    table = annotation(tree)
    name = next(iter(table["openness"]))
    annotate(tree, {trait: {"me.mp4": 0.5} for trait in table})
    next(tree.rglob(name)).rename(tree / "me.mp4")
    with pytest.raises(SourceError, match=r"me\.mp4: the name is not <11 characters>"):
        first_impressions.read(root=tree, probe=False)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda table: table.pop("interview"), "not a table of openness"),
        (lambda table: table["openness"].update({"ABCDEFGHIJK.001.mp4": 0.5}), "are of other clips"),
        (
            lambda table: table["openness"].update(dict.fromkeys(table["openness"], 1.5)),
            "is 1.5, not a number",
        ),
        (
            lambda table: table["openness"].update(dict.fromkeys(table["openness"], "a")),
            "is 'a', not a number",
        ),
        (
            lambda table: table["openness"].update(dict.fromkeys(table["openness"], float("nan"))),
            "is nan, not a number",
        ),
    ],
)
def test_other_annotations_are_refused(tree, change, message):
    table = annotation(tree)
    change(table)
    annotate(tree, table)
    with pytest.raises(SourceError, match=message):
        first_impressions.read(root=tree, probe=False)


def test_an_annotation_that_runs_code_is_refused(tree, tmp_path):
    class Malicious:
        def __reduce__(self):
            return os.mkdir, (str(tmp_path / "proof"),)

    annotate(tree, {"openness": Malicious()})
    with pytest.raises(SourceError, match="it asks for"):
        first_impressions.read(root=tree, probe=False)
    assert not (tmp_path / "proof").exists()
