"""Cells of the scale study: what they say of a planted signal, of none, and that they are kept."""

import numpy as np
import pandas as pd
import pytest

from studies.scale import __main__ as scale_study
from studies.scale import cells as scale_cells
from studies.scale.cells import SELECTED, measure
from studies.scale.material import FEATURES, Condition, Persons, draw
from studies.scale.page import write

LOGISTIC = ("logistic regression",)


def persons(n, signal, seed=0):
    rng = np.random.default_rng(seed)
    y = rng.integers(0, 2, n)
    x = rng.standard_normal((n, len(FEATURES)))
    x[:, FEATURES.index("au12_mean")] += signal * y
    return x, y


@pytest.mark.slow  # 250 small fits
def test_without_a_signal_the_best_setting_reports_one_and_the_truth_is_chance():
    unseen = persons(500, 0, seed=99)
    cells = [measure(*persons(40, 0, seed), unseen, seed=seed, names=LOGISTIC) for seed in range(12)]
    reported, true = (np.mean([cell[SELECTED][key] for cell in cells]) for key in ("test", "true"))
    assert reported > 0.65
    assert true == pytest.approx(0.5, abs=0.03)
    plain = [cell["logistic regression"] for cell in cells]
    assert np.mean([own["training"] for own in plain]) > 0.99
    assert np.mean([own["cross_validated"] for own in plain]) == pytest.approx(0.5, abs=0.08)


def test_a_signal_is_found_on_unseen_persons():
    found = measure(*persons(300, 3.0), persons(300, 3.0, seed=1), seed=0, names=LOGISTIC)
    assert found["logistic regression"]["true"] > 0.8
    assert found[SELECTED]["true"] > 0.9


def test_persons_are_kept_and_faces_are_shared(tmp_path):
    plain = draw(Condition(name="a", heterogeneity=0.0), persons=8, folder=tmp_path, workers=1)
    assert plain.x.shape == (8, len(FEATURES))
    assert set(plain.y) <= {0, 1}
    kept = sorted(tmp_path.iterdir())
    again = draw(Condition(name="a", heterogeneity=0.0), persons=8, folder=tmp_path, workers=1)
    np.testing.assert_array_equal(again.x, plain.x)
    other = draw(Condition(name="b", heterogeneity=0.9), persons=8, folder=tmp_path, workers=1)
    np.testing.assert_array_equal(other.x, plain.x)  # symptoms alone do not change a face
    assert len(list(tmp_path.iterdir())) == len(kept) + 1
    faces = draw(
        Condition(name="c", heterogeneity=0.9, facial_heterogeneity=0.9),
        persons=8,
        folder=tmp_path,
        workers=1,
    )
    assert not np.array_equal(faces.x, plain.x)


def test_a_cell_is_made_once(tmp_path, monkeypatch):
    x, y = persons(scale_study.UNSEEN + 60, 1.0)
    found = Persons(x, y, y.astype(float))
    first = scale_study._cell(tmp_path, "shuffled", found, 50, 0)
    assert {row["model"] for row in first} == {*LOGISTIC, SELECTED}
    monkeypatch.setattr(scale_study, "measure", None)
    assert scale_study._cell(tmp_path, "shuffled", found, 50, 0) == first


def test_the_page_names_its_command_and_holds_a_row_a_size(tmp_path):
    models = [*scale_cells.models(), SELECTED]
    cells = pd.DataFrame(
        [
            {"condition": "h = 0", "ceiling": 0.9, "size": size, "draw": d, "model": model, "training": 0.99,
             "test": 0.7, "cross_validated": np.nan if model == SELECTED else 0.65, "true": 0.6}
            for size in (50, 200) for d in range(2) for model in models
        ]
    )  # fmt: skip
    write(cells, tmp_path, command="python -m studies.scale sizes=50,200", seconds=60)
    page = (tmp_path / "scale_study.md").read_text()
    assert "| h = 0 | 50 | 2 | 0.99 | 0.65 | 0.70 | 0.70-0.70 | 0.60 | 0.70 | 0.60 | 0.70 |" in page
    assert "`python -m studies.scale sizes=50,200`" in page
    assert (tmp_path / "images/scale_study.png").stat().st_size > 10_000
