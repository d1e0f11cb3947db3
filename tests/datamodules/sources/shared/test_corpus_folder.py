import pytest

from datamodules.manifests.errata import Erratum
from datamodules.sources.shared.corpus_folder import leave_out, open_corpus
from datamodules.sources.shared.draft import Draft, SourceError


def opened(root):
    return open_corpus(root, name="corpus", marks=["labels.csv", "Videos"])


def test_a_corpus_begins_where_one_of_its_marks_is(tmp_path):
    (tmp_path / "Videos").mkdir()
    assert opened(tmp_path) == Draft(name="corpus", root=tmp_path)


def test_one_folder_too_deep_is_found_and_noted(tmp_path):
    (tmp_path / "corpus v2" / "Videos").mkdir(parents=True)
    draft = opened(tmp_path)
    assert draft.root == tmp_path / "corpus v2"
    assert draft.errata == [
        Erratum(rule="nested_folder", where="corpus v2", change="read as the folder of the corpus")
    ]


def test_no_folder_several_and_too_deep_ones_are_refused(tmp_path):
    with pytest.raises(SourceError, match="absent: no such folder"):
        opened(tmp_path / "absent")
    (tmp_path / "a" / "b" / "Videos").mkdir(parents=True)
    with pytest.raises(SourceError, match=r"no labels\.csv or Videos here or one folder below"):
        opened(tmp_path)
    for name in ("c", "d"):
        (tmp_path / name / "Videos").mkdir(parents=True)
    with pytest.raises(SourceError, match=r"several folders \(c, d\)"):
        opened(tmp_path)


def test_what_is_left_out_is_counted_and_the_first_are_named(tmp_path):
    draft = Draft(name="corpus", root=tmp_path)
    leave_out(draft, "missing_file", [], "no such file")
    leave_out(draft, "missing_file", ["a"], "no such file")
    leave_out(draft, "extra_file", list("abcdefg"), "unknown")
    assert [str(erratum) for erratum in draft.errata] == [
        "missing_file: a: left out: no such file",
        "extra_file: 7: a, b, c, d, e and 2 more: left out: unknown",
    ]
