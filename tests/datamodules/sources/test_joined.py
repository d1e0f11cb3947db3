from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from datamodules.manifests.errata import Erratum
from datamodules.manifests.manifest import ManifestError, manifest_from_table
from datamodules.sources.joined import read


@pytest.fixture
def corpus(tmp_path):
    """A corpus in a folder of its own: `corpus("daic", persons=[...], **columns)`."""

    def make(name, persons, *, column=True, **columns):
        root = tmp_path / name
        root.mkdir()
        rows = [{"recording_id": f"{row}", "subject_id": person} for row, person in enumerate(persons)]
        for row in rows:
            (root / f"{row['recording_id']}.mp4").write_bytes(name.encode())
            row |= {"session_id": "1", "path": f"{row['recording_id']}.mp4"}
        table = pd.DataFrame(rows).assign(**columns)
        if column:
            table = table.assign(corpus=name)
        return manifest_from_table(table, root=root, name=name, probe=False)

    return make


def test_rows_files_corrections_and_remarks_of_all_are_kept(corpus, tmp_path):
    erratum = Erratum(rule="r", where="w", change="c")
    first = replace(corpus("a", ["fam:1", "fam:2"], sex=["f", ""]), errata=(erratum,), notes=("small",))
    second = corpus("b", ["fam:2", "9", "unknown"], score=[1, 2, None], scale=["PHQ-8", "PHQ-8", ""])
    joined = read(manifests=[first, second])
    table = joined.table
    assert table["corpus"].tolist() == ["a", "a", "b", "b", "b"]
    assert table["subject_id"].tolist() == ["fam:1", "fam:2", "fam:2", "b:9", "unknown"]
    assert table["recording_id"].tolist() == ["a/0", "a/1", "b/0", "b/1", "2"]
    assert np.array_equal(table["score"], [np.nan, np.nan, 1, 2, np.nan], equal_nan=True)
    assert table["sex"].tolist() == ["f", "", "", "", ""]
    assert joined.root == tmp_path
    assert [r.path.read_text() for r in joined.recordings()] == ["a", "a", "b", "b", "b"]
    assert joined.errata == (erratum,)
    assert joined.notes == ("a: small",)
    assert joined.truth is None


def test_the_digest_does_not_depend_on_the_place(corpus, tmp_path):
    parts = [corpus("a", ["1"]), corpus("b", ["2"])]
    here = read(manifests=parts).digest()
    (tmp_path / "moved").mkdir()
    for part in parts:
        part.root.rename(tmp_path / "moved" / part.name)
    moved = [replace(part, root=tmp_path / "moved" / part.name) for part in parts]
    assert read(manifests=moved).digest() == here


def test_tables_without_a_corpus_go_by_their_names(corpus):
    first, second = corpus("a", ["1"], column=False), corpus("b", ["1"], column=False)
    joined = read(manifests=[first, second])
    assert joined.table["corpus"].tolist() == ["a", "b"]
    assert joined.table["subject_id"].tolist() == ["a:1", "b:1"]
    with pytest.raises(ManifestError, match="two tables are named 'a'; give them a column 'corpus'"):
        read(manifests=[first, replace(second, name="a")])
    with pytest.raises(ManifestError, match="two or more manifests, not 1"):
        read(manifests=[first])
    with pytest.raises(ManifestError, match="'recording_id' repeats"):
        read(manifests=[corpus("c", ["1"]), replace(first, table=first.table.assign(corpus="c"))])
