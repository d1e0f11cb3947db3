import shutil
from itertools import combinations

import pytest

from datamodules.feature_leakage.channels import LeakageError
from datamodules.manifests.manifest import ManifestError
from datamodules.sources import avec2014
from datamodules.sources.shared.draft import SourceError
from datamodules.sources.trees import avec2014 as tree
from datamodules.split_leakage.split_checks import check_split
from datamodules.splits.protocols import Given

TRAINING = "AVEC2014_AudioVisual/Video/Training"
LABELS = "Final_Labels/Training_DepressionLabels"


@pytest.fixture(scope="module")
def published(tmp_path_factory):
    root = tmp_path_factory.mktemp("avec2014")
    tree.write(root, persons=13)
    return root


@pytest.fixture
def root(published, tmp_path):
    return shutil.copytree(published, tmp_path / "avec2014")


def read(root):
    return avec2014.read(root=root, probe=False)


def rules(manifest):
    return {(erratum.rule, erratum.where) for erratum in manifest.errata}


def first(root, pattern):
    return sorted(root.rglob(pattern))[0]


@pytest.mark.slow
def test_the_official_pattern_of_shared_persons(tmp_path):
    tree.write(tmp_path)
    table = read(tmp_path).table
    assert len(table) == 300
    persons = {part: set(rows["subject_id"]) for part, rows in table.groupby("split")}
    assert {part: len(who) for part, who in persons.items()} == {"train": 41, "dev": 43, "test": 42}
    shared = {
        pair: len(persons[pair[0]] & persons[pair[1]]) for pair in combinations(("train", "dev", "test"), 2)
    }
    assert shared == {("train", "dev"): 26, ("train", "test"): 10, ("dev", "test"): 12}
    sessions = table.drop_duplicates("session_id")
    assert sessions["split"].value_counts().to_dict() == {"train": 50, "dev": 50, "test": 50}
    visits = sessions["subject_id"].value_counts()
    assert visits.value_counts().to_dict() == {1: 34, 2: 31, 3: 18}


def test_a_session_is_two_recordings_with_one_label(published):
    manifest = read(published)
    assert manifest.errata == ()
    for recording in manifest.recordings():
        person, visit, task = recording.recording_id.split("_")
        assert (recording.subject_id, recording.session_id) == (f"avec:{person}", f"{person}_{visit}")
        assert recording.task == task
        label = first(published, f"{person}_{visit}_Depression.csv")
        assert recording.score == float(label.read_text())
        assert recording.binary == int(recording.score >= 14)
    assert (manifest.table.groupby("session_id")["task"].nunique() == 2).all()


def test_all_videos_are_readable_and_no_two_are_the_same(root):
    table = avec2014.read(root=root).table
    assert table["n_frames"].between(10, 19).all()
    assert (table["fps"] == 30).all()
    assert table["content_hash"].is_unique


def test_the_official_parts_pass_the_guard_only_where_shared_people_are_admitted(published):
    manifest = read(published)
    [split] = Given(subject_disjoint=False).splits(manifest)
    check_split(manifest, split, subject_disjoint=split.subject_disjoint)
    with pytest.raises(LeakageError, match="a subject in two parts: avec:9"):
        check_split(manifest, split, subject_disjoint=True)
    assert "persons in two parts: train and dev 4, train and test 2, dev and test 3" in manifest.notes[0]


def test_rearranged_folders_read_the_same(root, tmp_path):
    expected = read(root).table.drop(columns="path")
    other = tmp_path / "other"
    for path in sorted(root.rglob("*.mp4")):
        part = {"Training": "train", "Development": "dev", "Testing": "test"}[path.parts[-3]]
        folder = other / "data" / part / path.parent.name
        folder.mkdir(parents=True, exist_ok=True)
        shutil.copy(path, folder)
    for path in sorted(root.rglob("*_Depression.csv")):
        part = next(name for name in ("Training", "Development", "Testing") if name in str(path.parent))
        folder = other / "Label" / part / "Depression"
        folder.mkdir(parents=True, exist_ok=True)
        shutil.copy(path, folder)
    found = read(other).table.drop(columns="path")
    keys = ["recording_id"]
    assert found.sort_values(keys).to_dict("list") == expected.sort_values(keys).to_dict("list")


def test_labels_of_all_parts_may_lie_in_one_folder(root):
    expected = read(root).table
    (root / "labels").mkdir()
    for path in list(root.rglob("*_Depression.csv")):
        shutil.move(path, root / "labels")
    assert read(root).table.equals(expected)


def test_a_label_of_another_part_is_refused(root):
    shutil.move(first(root / LABELS, "*.csv"), root / "AVEC2014_Labels_Testset/Testing/DepressionLabels")
    with pytest.raises(SourceError, match="is in 'test' here and in 'train' at"):
        read(root)


def test_a_nested_archive_folder_reads_the_same(root):
    expected = read(root).table["recording_id"].tolist()
    video = root / "AVEC2014_AudioVisual"
    video.rename(root / "inner")
    video.mkdir()
    (root / "inner").rename(video / "AVEC2014_AudioVisual")
    assert read(root).table["recording_id"].tolist() == expected


def test_a_video_without_a_label_has_no_score_and_is_listed(root):
    label = first(root / LABELS, "*.csv")
    label.unlink()
    manifest = read(root)
    session = label.name.removesuffix("_Depression.csv")
    assert rules(manifest) == {("missing_label", f"session {session}")}
    bare = [recording for recording in manifest.recordings() if recording.score is None]
    assert {recording.session_id for recording in bare} == {session}
    assert {recording.binary for recording in bare} == {None}
    assert len(bare) == 2


def test_without_the_archive_of_test_labels_the_part_stays_unlabeled(root):
    shutil.rmtree(root / "AVEC2014_Labels_Testset")
    manifest = read(root)
    assert manifest.errata == ()
    assert any(note.startswith("'test' has no labels") for note in manifest.notes)
    assert manifest.table.groupby("split")["score"].count()["test"] == 0


def test_without_any_label_file_nothing_is_read(root):
    for path in root.rglob("*_Depression.csv"):
        path.unlink()
    with pytest.raises(SourceError, match=r"no label files PPP_S_Depression\.csv"):
        read(root)


def test_a_label_of_an_unknown_person_is_listed(root):
    (root / LABELS / "777_1_Depression.csv").write_text("9")
    manifest = read(root)
    assert rules(manifest) == {("label_without_video", "session 777_1")}
    assert "avec:777" not in set(manifest.table["subject_id"])


def test_a_missing_task_is_listed(root):
    video = first(root, "*_Northwind_video.mp4")
    video.unlink()
    assert rules(read(root)) == {("missing_task", f"session {video.name[:5]}")}


def test_extra_files_are_listed(root):
    (root / TRAINING / "Freeform" / "intro.mp4").write_bytes(b"x")
    (root / TRAINING / "Freeform" / "._901_1_Freeform_video.mp4").write_bytes(b"x")
    (root / "readme.txt").write_text("x")
    assert rules(read(root)) == {
        ("unknown_file", f"{TRAINING}/Freeform/intro.mp4"),
        ("hidden_files", f"{TRAINING}/Freeform/._901_1_Freeform_video.mp4"),
    }


@pytest.mark.parametrize("text", ["", "Depression\n12\n", "12;1", "12,1\n", "twelve", "nan"])
def test_a_label_file_holds_one_number_and_no_header(root, text):
    label = first(root, "*_Depression.csv")
    label.write_text(text)
    with pytest.raises(SourceError, match=rf"{label.name}: expected one number without a header"):
        read(root)


@pytest.mark.parametrize("text", ["64", "-1"])
def test_a_score_outside_the_questionnaire_is_refused(root, text):
    first(root, "*_Depression.csv").write_text(text)
    with pytest.raises(ManifestError, match=r"outside BDI-II \(0 to 63\)"):
        read(root)


def test_a_session_in_two_parts_is_refused(root):
    video = first(root / TRAINING, "*_Freeform_video.mp4")
    shutil.move(video, root / "AVEC2014_AudioVisual/Video/Testing/Freeform")
    with pytest.raises(SourceError, match=r"is in '(test|train)' here and in '(test|train)' at"):
        read(root)


def test_a_recording_in_two_places_is_refused(root):
    video = first(root, "*_Freeform_video.mp4")
    shutil.copy(video, root)
    with pytest.raises(SourceError, match="keep one of the two files"):
        read(root)


def test_a_video_outside_the_parts_is_refused(root):
    shutil.move(first(root, "*_Freeform_video.mp4"), root)
    with pytest.raises(SourceError, match="lies in no folder Training, Development or Testing"):
        read(root)


def test_archives_that_were_not_unpacked_are_named(root):
    shutil.rmtree(root / "AVEC2014_AudioVisual")
    (root / "AVEC2014_AudioVisual.zip").touch()
    with pytest.raises(SourceError, match=r"unpack the archives first \(AVEC2014_AudioVisual\.zip\)"):
        read(root)
