import shutil
from itertools import combinations

import pytest

from datamodules.sources import avec2013
from datamodules.sources.shared.draft import SourceError
from datamodules.sources.trees import avec2013 as tree
from datamodules.sources.trees.shared.avec import AVEC2013, sessions


@pytest.fixture(scope="module")
def published(tmp_path_factory):
    root = tmp_path_factory.mktemp("avec2013")
    tree.write(root, persons=13)
    return root


@pytest.fixture
def root(published, tmp_path):
    return shutil.copytree(published, tmp_path / "avec2013")


def read(root):
    return avec2013.read(root=root, probe=False)


def test_the_pattern_of_shared_persons_is_the_official_one():
    found = sessions(AVEC2013, persons=None, seed=3)
    persons = {
        part: {session.name[:3] for session in found if session.part == part}
        for part in ("train", "dev", "test")
    }
    assert len(found) == 150
    assert [len(who) for who in persons.values()] == [41, 43, 42]
    assert [len(persons[a] & persons[b]) for a, b in combinations(persons, 2)] == [27, 10, 13]
    assert len(set.union(*persons.values())) == 82


def test_a_session_is_one_recording(published):
    manifest = read(published)
    assert manifest.errata == ()
    assert len(manifest.table) == len(sessions(AVEC2013, persons=13, seed=0))
    for recording in manifest.recordings():
        assert recording.recording_id == recording.session_id
        assert recording.task == ""
        assert recording.subject_id == f"avec:{recording.session_id[:3]}"
        [label] = published.rglob(f"{recording.session_id}_Depression.csv")
        assert recording.score == float(label.read_text())
        assert recording.path.parts[-3] in ("Training", "Development", "Testing")


def test_labels_for_matlab_are_refused_with_the_remedy(root):
    for path in root.rglob("*_Depression.csv"):
        path.unlink()
    (root / "Training" / "DepressionLabels" / "DepressionLabels_training.mat").write_bytes(b"MATLAB 5.0")
    with pytest.raises(SourceError, match=r"DepressionLabels_training\.mat holds them for MATLAB; write the"):
        read(root)


def test_both_corpora_name_the_same_person_alike(published, tmp_path):
    from datamodules.sources import avec2014
    from datamodules.sources.trees import avec2014 as other

    other.write(tmp_path, persons=2)
    second = avec2014.read(root=tmp_path, probe=False)
    assert set(second.table["subject_id"]) < set(read(published).table["subject_id"])


@pytest.mark.parametrize("persons", [0, 83])
def test_a_tree_has_as_many_persons_as_the_pattern(tmp_path, persons):
    with pytest.raises(ValueError, match="give 1 to 82"):
        tree.write(tmp_path, persons=persons)
