import numpy as np
import pandas as pd
import pytest

from evaluation.metrics import definitions as metrics
from evaluation.metrics.applicable import Resampler, measurements
from evaluation.metrics.catalog import METRICS
from evaluation.uncertainty.bootstrap import Resampling, subject_weights

DECISIONS = ["uar", "f1", "precision", "sensitivity", "specificity", "accuracy"]


@pytest.fixture
def holes(recordings):
    """Ties, rows without a target and a person that nobody knows."""
    table = recordings.assign(binary_prediction=recordings["binary_prediction"].round(1))
    table.loc[[3, 10], "score_target"] = np.nan
    table.loc[[5, 20], "binary_target"] = np.nan
    table.loc[[40, 41], "subject_id"] = "unknown"
    return table


def repeated(table, weights):
    """The table with each recording as often as it was drawn, every draw of a person a person of its own."""
    parts = []
    for copy in range(int(weights.max())):
        part = table[weights > copy]
        parts.append(part.assign(subject_id=[f"{s}/{i}/{copy}" for i, s in person_of(part)]))
    return pd.concat(parts, ignore_index=True)


def person_of(table):
    return [(row if s == "unknown" else 0, s) for row, s in table["subject_id"].items()]


def test_every_metric_in_one_pass_is_its_definition_on_repeated_rows(holes):
    weights = next(subject_weights(holes["subject_id"], Resampling(1000)))[:12]
    bound = list(measurements(holes, threshold=0.5))
    found = Resampler(bound)(weights)
    assert list(found) == [m.name for m in bound]
    direct = {
        name: getattr(metrics, name)
        for name in (*DECISIONS, "auc", "average_precision", "brier", "mae", "rmse")
    }
    for index, row in enumerate(weights):
        table = repeated(holes, row)
        labeled = table[table["binary_target"].notna()]
        scored = table[table["score_target"].notna()]
        for name, definition in direct.items():
            if name in ("mae", "rmse"):
                expected = definition(scored["score_target"], scored["score_prediction"])
            else:
                said = labeled["binary_prediction"]
                said = (said >= 0.5).astype(float) if name in DECISIONS else said
                expected = definition(labeled["binary_target"], said)
            assert found[name][index] == pytest.approx(expected.value, abs=1e-12), name
        known = table[~table["subject_id"].str.startswith("unknown")]
        for m in measurements(known, threshold=None):
            if m.name.startswith("change"):
                assert found[m.name][index] == pytest.approx(m.value().value, abs=1e-12), m.name
        within = metrics.pearson_within(
            scored["score_target"], scored["score_prediction"], scored["subject_id"]
        )
        assert found["pearson_within"][index] == pytest.approx(within.value, abs=1e-12)
    assert np.isnan(found["ece"]).all()


def test_one_pass_is_each_metric_alone(holes):
    weights = next(subject_weights(holes["subject_id"], Resampling(1000, 1)))
    bound = list(measurements(holes, threshold=None))
    together = Resampler(bound)(weights)
    for m in bound:
        alone = Resampler([m])(weights)[m.name]
        np.testing.assert_allclose(alone, together[m.name], rtol=1e-12, err_msg=m.name)
    assert np.isnan(together["f1"]).all()  # no threshold, no decision


def test_the_order_of_weights_in_memory_does_not_matter(holes):
    weights = next(subject_weights(holes["subject_id"], Resampling(1000, 1)))
    resampler = Resampler(measurements(holes, threshold=0.5))
    rows, columns = resampler(np.ascontiguousarray(weights)), resampler(np.asfortranarray(weights))
    for name, values in rows.items():
        np.testing.assert_allclose(values, columns[name], rtol=1e-12, err_msg=name)


def test_blocks_change_nothing(holes, monkeypatch):
    whole = np.concatenate(list(subject_weights(holes["subject_id"], Resampling(1000))))
    monkeypatch.setattr("evaluation.uncertainty.bootstrap._BLOCK", 1)
    monkeypatch.setattr("evaluation.uncertainty.bootstrap._ROWS", 7)
    parts = list(subject_weights(holes["subject_id"], Resampling(1000)))
    assert len(parts) > 100
    np.testing.assert_array_equal(np.concatenate(parts), whole)


@pytest.mark.parametrize("metric", METRICS.values(), ids=lambda metric: metric.name)
def test_a_better_prediction_moves_the_metric_in_its_direction_and_within_its_range(metric, cohort):
    table = cohort(subjects=60, seed=3)
    noise = np.random.default_rng(0).normal(0, 1, len(table))
    item = {"item_phq9_1_target": table["band_target"], "item_phq9_1_prediction": table["band_prediction"]}
    table = table.assign(**item)
    worse = table.assign(
        item_phq9_1_prediction=table["band_prediction"].to_numpy()[::-1],
        score_prediction=table["score_prediction"].to_numpy()[::-1],
        binary_prediction=1 / (1 + np.exp(-3 * noise)),
        band_prediction=table["band_prediction"].to_numpy()[::-1],
    )
    good, bad = (
        {m.name: m.value().value for m in measurements(t, threshold=0.5)}[metric.name] for t in (table, worse)
    )
    assert (good > bad) == metric.higher_is_better
    for value in (good, bad):
        assert metric.range[0] <= value <= metric.range[1]
    assert metric.label
    assert metric.meaning
