import time

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from datamodules.schema import natural_key
from evaluation.metrics.applicable import measurements
from evaluation.metrics.visit_changes import visit_changes
from evaluation.summary import summarize
from evaluation.uncertainty.table_estimates import estimates

ROWS = [  # person, visit, task, true score, predicted score, band
    ("a", "v10", "read", 30, 20, 3),
    ("a", "v2", "read", 10, 12, 0),
    ("a", "v2", "free", 10, 16, 0),
    ("a", "v9", "read", 12, 15, 0),
    ("b", "v1", "read", 25, 20, 2),
    ("b", "v2", "read", 5, 22, 0),
    ("c", "v1", "read", 8, 8, 0),
    ("unknown", "v1", "read", 8, 8, 0),
    ("unknown", "v2", "read", 30, 8, 3),
    ("d", "v1", "read", np.nan, 8, np.nan),
    ("d", "v2", "read", 20, 8, 2),
]


@pytest.fixture
def table():
    columns = ["subject_id", "session_id", "task", "score_target", "score_prediction", "band_target"]
    table = pd.DataFrame(ROWS, columns=columns)
    table["recording_id"] = [f"r{row}" for row in range(len(table))]
    return table.assign(split="test")


def values(table):
    return {m.name: m.value().value for m in measurements(table, threshold=None)}


def test_changes_by_hand(table):
    found = visit_changes(table)
    # a: 10 -> 12 -> 30 against (12 + 16) / 2 = 14 -> 15 -> 20; b: 25 -> 5 against 20 -> 22
    assert dict(zip(np.flatnonzero(found.rows), found.target, strict=True)) == {0: 18, 3: 2, 5: -20}
    assert found.prediction.tolist() == [5, 1, 2]
    assert found.banded.tolist() == [True, False, True]
    numbers = values(table)
    assert numbers["change_mae"] == pytest.approx((13 + 1 + 22) / 3)
    assert numbers["change_pearson"] == pytest.approx(stats.pearsonr([18, 2, -20], [5, 1, 2]).statistic)
    assert numbers["change_direction"] == 0.5  # a rose and was said to; b fell and was said to rise


def test_no_predicted_change_is_no_direction(table):
    assert values(table.assign(score_prediction=9.0))["change_direction"] == 0.0


def test_the_order_of_rows_does_not_matter(table):
    expected = values(table)
    found = values(table.sample(frac=1, random_state=3))
    assert {name: found[name] for name in expected} == pytest.approx(expected)


def test_without_bands_or_second_visits_less_is_said(table):
    assert not {name for name in values(table.drop(columns="band_target")) if name == "change_direction"}
    first = table[table["session_id"] == "v1"].reset_index(drop=True)
    assert visit_changes(first) is None
    assert not [name for name in values(first) if name.startswith("change")]


def by_loops(table):
    """Changes as (row of the later visit, change) by plain loops over persons and visits."""
    found, at = [], {}
    table = table.reset_index(drop=True)
    columns = [c for c in ("score_target", "score_prediction", "band_target") if c in table]
    for row, one in table.iterrows():
        if one["subject_id"] != "unknown" and np.isfinite(one["score_target"]):
            at.setdefault(one["subject_id"], {}).setdefault(one["session_id"], []).append(row)
    for visits in at.values():
        names = sorted(visits, key=natural_key)
        means = [table.loc[visits[name], columns].mean().to_numpy(dtype=float) for name in names]
        found += [(visits[n][0], b - a) for n, a, b in zip(names[1:], means, means[1:], strict=False)]
    return sorted(found, key=lambda change: change[0])


@pytest.mark.parametrize("dropped", [[], ["band_target"]])
def test_every_change_is_that_of_plain_loops(dropped):
    rng = np.random.default_rng(7)
    n = 300
    score = rng.integers(0, 40, n).astype(float)
    table = pd.DataFrame(
        {
            "recording_id": [f"r{row}" for row in range(n)],
            "subject_id": rng.choice(["unknown", *(f"p{i}" for i in range(25))], n),
            "session_id": rng.choice(["v1", "v2", "v9", "v10", "v100", "v33"], n),
            "score_target": np.where(rng.random(n) < 0.1, np.nan, score),
            "score_prediction": score + rng.normal(0, 5, n),
            "band_target": np.where(rng.random(n) < 0.2, np.nan, score // 10),
        }
    ).drop(columns=dropped)
    found, expected = visit_changes(table.set_index(rng.permutation(n))), by_loops(table)
    assert np.flatnonzero(found.rows).tolist() == [row for row, _ in expected]
    steps = np.array([step for _, step in expected])
    np.testing.assert_allclose(found.target, steps[:, 0], rtol=0, atol=1e-12)
    np.testing.assert_allclose(found.prediction, steps[:, 1], rtol=0, atol=1e-12)
    bands = steps[:, 2] if not dropped else np.zeros(len(steps))
    assert found.banded.tolist() == (np.isfinite(bands) & (bands != 0)).tolist()


def test_many_visits_take_no_time():
    table = pd.DataFrame(
        {
            "subject_id": np.repeat([f"p{i}" for i in range(5000)], 4),
            "session_id": np.tile([f"v{i}" for i in range(4)], 5000),
            "score_target": np.arange(20000.0),
            "score_prediction": np.zeros(20000),
        }
    )
    start = time.process_time()
    assert visit_changes(table).rows.sum() == 15000
    assert time.process_time() - start < 1  # a pandas group a visit takes 40 s


def test_intervals_leave_out_persons(cohort):
    table = cohort(subjects=40, visits=3)
    found = estimates([table])["change_mae"]
    wide = table.pivot_table(
        index="subject_id", columns="session_id", values=["score_target", "score_prediction"]
    )
    gaps = np.abs(
        np.diff(wide["score_prediction"].to_numpy(), axis=1)
        - np.diff(wide["score_target"].to_numpy(), axis=1)
    )
    assert found["value"] == pytest.approx(gaps.mean())
    rng = np.random.default_rng(1)
    drawn = [gaps[rng.integers(0, 40, 40)].mean() for _ in range(2000)]
    assert (found["low"], found["high"]) == pytest.approx(np.quantile(drawn, [0.025, 0.975]), abs=0.15)


def test_persons_have_no_changes_of_their_own(recordings):
    summary = summarize([recordings])
    assert summary["change_pearson"]["low"] < summary["change_pearson"]["value"]
    assert not [name for name in summary["by_subject"] if name.startswith("change")]
