import numpy as np
import pandas as pd
import pytest

from datamodules.manifests.manifest import ManifestError, manifest_from_table
from datamodules.manifests.questionnaires import ItemError, subscale
from datamodules.manifests.scales import SCALES
from datamodules.manifests.transforms.rescaled import rescaled


def table_of(answers, name="DASS-21-A"):
    items = subscale(name)
    rows = len(answers)
    return pd.DataFrame(answers, columns=items.columns, dtype=float).assign(
        recording_id=[f"r{row}" for row in range(rows)],
        subject_id=[f"s{row}" for row in range(rows)],
        session_id="1",
        path="here.mp4",
        scale="BDI-II",
        score=20.0,
    )


@pytest.fixture
def manifest(tmp_path):
    (tmp_path / "here.mp4").touch()

    def build(answers, name="DASS-21-A"):
        return manifest_from_table(table_of(answers, name), root=tmp_path, name="own", probe=False)

    return build


def test_labels_are_the_totals_of_the_items(manifest):
    answers = np.random.default_rng(0).integers(0, 4, (30, 7))
    plain = manifest(answers)
    found = rescaled(manifest=plain, scale="DASS-21-A")
    assert found.table["score"].tolist() == (2 * answers.sum(axis=1)).tolist()
    assert found.table["binary"].tolist() == (2 * answers.sum(axis=1) >= 8).astype(float).tolist()
    assert set(found.table["scale"]) == {"DASS-21-A"}
    assert [r.band for r in found.recordings()] == [
        SCALES["DASS-21-A"].band(total) for total in found.table["score"]
    ]
    labels = ["scale", "score", "binary"]
    pd.testing.assert_frame_equal(found.table.drop(columns=labels), plain.table.drop(columns=labels))
    assert found.name == "own_dass_21_a"
    assert found.digest() != plain.digest()
    assert "0 recordings have none" in found.notes[-1]


def test_who_answered_nothing_has_no_label_and_is_counted(manifest):
    answers = np.ones((4, 7))
    answers[2] = np.nan
    found = rescaled(manifest=manifest(answers), scale="DASS-21-A")
    np.testing.assert_array_equal(found.table["score"], [14, 14, np.nan, 14])
    np.testing.assert_array_equal(found.table["binary"], [1, 1, np.nan, 1])
    assert "1 recordings have none" in found.notes[-1]


def test_an_incomplete_questionnaire_follows_the_rule(manifest):
    answers = np.ones((3, 7))
    answers[0, 3] = np.nan
    with pytest.raises(ItemError, match=r"r0 \(1 of 7\)"):
        rescaled(manifest=manifest(answers), scale="DASS-21-A")
    assert rescaled(manifest=manifest(answers), scale="DASS-21-A", missing="prorate").table["score"][0] == 14
    assert np.isnan(
        rescaled(manifest=manifest(answers), scale="DASS-21-A", missing="unknown").table["score"][0]
    )


def test_a_table_without_answers_is_refused(manifest):
    with pytest.raises(ManifestError, match="no recording has the items of DASS-21-A"):
        rescaled(manifest=manifest(np.full((3, 7), np.nan)), scale="DASS-21-A")
    with pytest.raises(ItemError, match="PHQ-9 needs the columns"):
        rescaled(manifest=manifest(np.ones((3, 7))), scale="PHQ-9")


def test_the_labels_of_a_phq9_corpus_can_be_phq8(manifest):
    found = rescaled(manifest=manifest(np.tile([1.0] * 8 + [3.0], (2, 1)), "PHQ-9"), scale="PHQ-8")
    assert found.table["score"].tolist() == [8, 8]
