import pandas as pd
import pytest

from datamodules.manifests.manifest import read_manifest
from datamodules.manifests.transforms.keep_labels import keep_labels


@pytest.fixture
def manifest(cohort):
    path = cohort(3, 2)
    table = pd.read_csv(path, dtype=str).assign(trait_O="0.5", item_phq9_1="2", binary="")
    table.to_csv(path, index=False)
    return read_manifest(path)


def test_a_corpus_of_traits_only(manifest):
    found = keep_labels(manifest=manifest, kinds=["traits"], corpus="other")
    assert found.table[["score", "binary", "item_phq9_1"]].isna().all(axis=None)
    assert (found.table["trait_O"] == 0.5).all()
    assert set(found.table["corpus"]) == {"other"}
    assert found.recordings()[0].score is None
    assert found.recordings()[0].band is None
    assert found.notes == ("labels of depression are left out on purpose",)
    assert manifest.table["score"].notna().all()


def test_a_corpus_of_depression_only(manifest):
    found = keep_labels(manifest=manifest, kinds=["depression"])
    assert found.table["trait_O"].isna().all()
    assert found.table["score"].equals(manifest.table["score"])


def test_an_unknown_kind_is_refused(manifest):
    with pytest.raises(ValueError, match="'stress'"):
        keep_labels(manifest=manifest, kinds=["stress"])
