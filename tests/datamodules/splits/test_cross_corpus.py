import pandas as pd
import pytest

from datamodules.feature_leakage.channels import LeakageError
from datamodules.manifests.manifest import Manifest
from datamodules.split_leakage.split_checks import check_split
from datamodules.splits.cross_corpus import CrossCorpus
from datamodules.splits.partition import Split, SplitError


def make(corpora, unknown=()):
    """Corpus name -> person ids, one recording each; odd persons are positive."""
    rows = [
        {
            "recording_id": f"{corpus}/{person}",
            "subject_id": "unknown" if person in unknown else f"fam:{person}",
            "session_id": "1",
            "corpus": corpus,
            "score": 20.0 * (person % 2),
            "binary": float(person % 2),
            "content_hash": f"{corpus}{person}",
        }
        for corpus, persons in corpora.items()
        for person in persons
    ]
    return Manifest(table=pd.DataFrame(rows), root=None, name="joined", truth=None)


def test_people_of_the_tested_corpus_do_not_train():
    manifest = make({"old": range(20), "new": range(12, 30), "other": range(50, 60)})
    (split,) = CrossCorpus(train=["old"], test=["new"], val=0.25).splits(manifest)
    assert split.name == "old-to-new"
    assert set(split.test) == {f"new/{person}" for person in range(12, 30)}
    assert set(split.train) | set(split.val) == {f"old/{person}" for person in range(12)}
    assert len(split.val) == 4  # a quarter of the six of each class, rounded
    assert split.notes == (
        "8 person(s) of old are also in new: their 8 recording(s) there neither train nor select",
    )
    check_split(manifest, split, subject_disjoint=CrossCorpus.subject_disjoint)
    naive = Split("naive", (*split.train, "old/15"), split.val, split.test)
    with pytest.raises(LeakageError, match="fam:15"):
        check_split(manifest, naive, subject_disjoint=True)


def test_several_corpora_on_both_sides_and_nothing_to_remark():
    manifest = make({"a": range(10), "b": range(10, 20), "c": range(20, 24), "d": range(30, 34)})
    (split,) = CrossCorpus(train=["a", "b"], test=["c", "d"]).splits(manifest)
    assert split.name == "a+b-to-c+d"
    assert split.notes == ()
    assert len(split.test) == 8
    assert len(split.train + split.val) == 20
    assert split == CrossCorpus(train=["a", "b"], test=["c", "d"]).splits(manifest)[0]
    assert split != CrossCorpus(train=["a", "b"], test=["c", "d"], seed=1).splits(manifest)[0]


def test_unknown_people_are_remarked():
    manifest = make({"a": range(20), "b": range(30, 40)}, unknown=(3, 31))
    (split,) = CrossCorpus(train=["a"], test=["b"]).splits(manifest)
    assert "of 2 recording(s) nobody knows" in split.notes[0]


@pytest.mark.parametrize(
    ("protocol", "message"),
    [
        (CrossCorpus(train=["daic"], test=["b"]), "no corpus 'daic'; there are a, b"),
        (CrossCorpus(train=["a"], test=["a", "b"]), "'a' would train and be tested"),
        (CrossCorpus(train=["a"], test=[]), "must each name a corpus"),
        (CrossCorpus(train=["a"], test=["b"], val=1.0), "val=1.0"),
    ],
)
def test_what_cannot_be_meant_is_refused(protocol, message):
    with pytest.raises(SplitError, match=message):
        protocol.splits(make({"a": range(10), "b": range(20, 30)}))


def test_a_table_of_one_corpus_and_corpora_of_the_same_people_are_refused():
    one = make({"a": range(10)})
    bare = Manifest(table=one.table.drop(columns="corpus"), root=None, name="own", truth=None)
    with pytest.raises(SplitError, match="own: no column 'corpus'"):
        CrossCorpus(train=["a"], test=["b"]).splits(bare)
    with pytest.raises(SplitError, match="0 persons are too few"):
        CrossCorpus(train=["a"], test=["b"]).splits(make({"a": range(10), "b": range(10)}))
