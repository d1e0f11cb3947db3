import numpy as np
import pytest
from sklearn.metrics import mean_absolute_error, roc_auc_score

from evaluation.averaged import mean_difference, mean_prediction, summarize_mean
from evaluation.summary import summarize
from evaluation.uncertainty.estimates import paired_difference

pytestmark = pytest.mark.slow  # seconds each


def noisy(table, seed, noise=4.0):
    rng = np.random.default_rng(seed)
    return table.assign(score_prediction=table["score_prediction"] + rng.normal(0, noise, len(table)))


def close(found, expected):
    assert set(found) == set(expected)
    for name, value in expected.items():
        if isinstance(value, dict):
            close(found[name], value)
        else:
            assert found[name] == (value if isinstance(value, str | None) else pytest.approx(value)), name


def test_of_one_table_it_is_the_summary_and_the_paired_difference(recordings):
    close(summarize_mean([recordings]), summarize(recordings, threshold=None))
    other = noisy(recordings, 0)
    close(mean_difference([recordings], [other]), paired_difference(recordings, other))


def test_metrics_are_averaged_and_not_predictions(recordings):
    tables = [noisy(recordings, seed).sample(frac=1, random_state=seed) for seed in range(4)]
    errors = [mean_absolute_error(t["score_target"], t["score_prediction"]) for t in tables]
    found = summarize_mean(tables)
    assert found["mae"]["value"] == pytest.approx(np.mean(errors))
    assert found["mae"]["low"] < np.mean(errors) < found["mae"]["high"]
    assert found["auc"]["value"] == pytest.approx(
        np.mean([roc_auc_score(t["binary_target"], t["binary_prediction"]) for t in tables])
    )
    ensemble = mean_prediction(tables)
    expected = np.mean(
        [t.set_index("recording_id")["score_prediction"].loc[ensemble["recording_id"]] for t in tables],
        axis=0,
    )
    assert ensemble["score_prediction"].tolist() == pytest.approx(expected.tolist())
    flattering = mean_absolute_error(ensemble["score_target"], ensemble["score_prediction"])
    assert flattering < found["mae"]["value"]
    gap = mean_difference(tables, [recordings])["mae"]
    base = mean_absolute_error(recordings["score_target"], recordings["score_prediction"])
    assert gap["value"] == pytest.approx(np.mean(errors) - base)
    assert gap["low"] > 0


def test_what_one_table_leaves_undefined_is_undefined(recordings):
    flat = recordings.assign(score_prediction=3.0)
    found = summarize_mean([recordings, flat])
    assert found["pearson"]["value"] is None
    assert found["pearson"]["reason"]
    assert found["mae"]["value"] is not None
    assert mean_difference([recordings], [flat])["pearson"]["value"] is None
    with pytest.raises(ValueError, match="same recordings"):
        mean_difference([recordings], [recordings.iloc[1:]])


def test_one_person_has_no_interval(cohort):
    alone = cohort(subjects=1, visits=4)
    assert summarize_mean([alone])["mae"]["low"] is None
