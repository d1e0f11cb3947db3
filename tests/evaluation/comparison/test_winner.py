import numpy as np
import pandas as pd
import pytest
from scipy.stats import norm

from evaluation.comparison.sweep_table import read_sweep
from evaluation.comparison.winner import Winner, judge, model_values, resampled_values, would_win_again
from evaluation.comparison.winner_page import winner_figure, winner_rows, winner_sentence
from evaluation.metrics.definitions import auc, ccc, mae


def sweep(strengths, *, persons=60, visits=2, seeds=1, shared=0.7, seed=0, binary=True):
    """Trials that see the label this strongly; part of their errors is common to all."""
    rng = np.random.default_rng(seed)
    person = np.repeat(np.arange(persons), visits)
    target = (person % 2).astype(float) if binary else rng.standard_normal(persons)[person]
    common = rng.standard_normal(len(person))
    rows = []
    for trial, strength in enumerate(strengths):
        for number in range(seeds):
            own = np.sqrt(shared) * common + np.sqrt(1 - shared) * rng.standard_normal(len(person))
            predicted = strength * target + own if binary else target + own / strength
            rows.append(
                pd.DataFrame(
                    {
                        "trial": trial, "seed": number, "subject_id": [f"p{p}" for p in person],
                        "recording_id": [f"r{r}" for r in range(len(person))], "target": target,
                        "prediction": predicted,
                    }
                )
            )  # fmt: skip
    return pd.concat(rows, ignore_index=True)


def test_a_trial_far_ahead_is_told_apart_from_all_others():
    found = would_win_again(sweep([0.2, 3.0, 0.5, 0.4], seeds=3), "auc")
    assert found.winner.trial == 1
    assert found.winner.probability > 0.97
    assert [one.trial for one in found.together] == [1]
    assert found.winner.regret < 0.002
    true = norm.cdf(np.array([0.2, 3.0]) / np.sqrt(2))
    assert found.trials[-1].regret == pytest.approx(true[1] - true[0], abs=0.1)


def test_equal_trials_cannot_be_told_apart_and_the_winner_is_expected_to_fall():
    found = would_win_again(sweep([1.0] * 12), "auc")
    assert len(found.together) >= 10
    assert found.winner.probability < 0.5
    assert found.winner.expected < found.winner.value - 0.01
    assert sum(one.probability for one in found.trials) == pytest.approx(1)


@pytest.mark.parametrize(("metric", "value"), [("auc", auc), ("mae", mae), ("ccc", ccc)])
def test_values_are_means_over_seeds_of_the_metric_and_rank_by_its_direction(metric, value):
    own = sweep([1.0, 2.5, 1.5], seeds=2, binary=metric == "auc")
    found = would_win_again(own, metric)
    means = {
        trial: np.mean([value(one["target"], one["prediction"]).value for _, one in models.groupby("seed")])
        for trial, models in own.groupby("trial")
    }
    for one in found.trials:
        assert one.value == pytest.approx(means[one.trial], abs=1e-12)
        assert one.low < one.value < one.high
        assert one.seeds == 2
    assert found.winner.trial == 1 == max(found.trials, key=lambda one: one.probability).trial
    assert all(one.regret >= 0 for one in found.trials)
    assert found.seeds_seen


def test_the_covariance_of_resampled_persons_is_that_of_a_mean():
    """MAE of one visit a person is a mean of independent errors: covariance of errors over persons."""
    own = read_sweep(sweep([1.0, 2.0], persons=50, visits=1, binary=False), "mae")
    drawn = np.concatenate([resampled_values(own, seed=seed) for seed in range(40)])
    errors = np.stack([np.abs(m.target - m.prediction) for m in own.models])
    np.testing.assert_allclose(np.cov(drawn.T), np.cov(errors, bias=True) / 50, rtol=0.08)
    np.testing.assert_allclose(model_values(own), errors.mean(axis=1))


def test_the_interval_grows_with_the_spread_of_seeds():
    own = sweep([1.0, 1.2, 0.8], seeds=3)
    calm = would_win_again(own, "auc")
    restless = own.assign(prediction=own["prediction"] + (own["seed"] - 1) * 1.5 * own["target"])
    wide = would_win_again(restless, "auc")
    assert wide.seed_sd > 2 * calm.seed_sd

    def width(found):
        return np.mean([one.high - one.low for one in found.trials])

    assert width(wide) > 1.2 * width(calm)


def test_two_copies_share_their_probability():
    own = sweep([1.0, 2.0])
    both = pd.concat([own, own[own["trial"] == 1].assign(trial=7)])
    found = {one.trial: one for one in would_win_again(both, "auc").trials}
    assert found[1].probability == pytest.approx(found[7].probability, abs=0.04)
    assert found[1].together
    assert found[7].together


def test_the_order_of_rows_changes_nothing():
    own = sweep([1.0, 1.4, 1.1], seeds=2)
    assert would_win_again(own.sample(frac=1, random_state=0), "auc") == would_win_again(own, "auc")


def test_one_trial_is_the_best_of_one():
    found = would_win_again(sweep([1.0]), "auc")
    assert (found.winner.probability, found.winner.regret, len(found.together)) == (1.0, 0.0, 1)
    assert winner_sentence(found) == "Trial 0 is the only one with a value of AUC."


def test_nothing_to_rank_by_is_a_reason():
    one_class = would_win_again(sweep([1.0, 2.0]).assign(target=1.0), "auc")
    assert one_class.winner is None
    assert "only one class" in one_class.reason
    few = would_win_again(sweep([1.0, 2.0], persons=2), "auc")
    assert few.winner.probability is None
    assert "2 persons" in few.reason
    own = sweep([1.0, 2.0], persons=40)
    rare = own.assign(target=(own["subject_id"] == "p3").astype(float))
    assert "resamples of persons" in would_win_again(rare, "auc").reason
    perfect = own.assign(prediction=own["target"] * (own["trial"] == 1))
    assert "noise is not known" in would_win_again(perfect, "auc").reason


def test_constant_predictions_of_all_trials_are_equal():
    found = would_win_again(sweep([1.0, 2.0, 3.0]).assign(prediction=0.5), "auc")
    assert [one.probability for one in found.trials] == pytest.approx([1 / 3] * 3)
    assert len(found.together) == 3


def test_probabilities_repeat_with_the_seed_of_the_draws():
    own = read_sweep(sweep([1.0, 1.2, 1.1]), "auc")
    first, again, other = (judge(own, resampled_values(own, seed=s), seed=s) for s in (0, 0, 1))
    np.testing.assert_array_equal(first.draws, again.draws)
    assert not np.array_equal(first.draws, other.draws)


def test_the_page_says_it_in_words_rows_and_a_figure():
    own = sweep([1.0, 1.2, 1.1, 0.2])
    own.loc[own["trial"] == 3, "prediction"] = np.inf
    found = would_win_again(own, "auc")
    said = winner_sentence(found)
    assert said.startswith(f"Trial {found.winner.trial} (AUC {found.winner.value:.3f}) is the best with")
    assert "told apart" in said
    assert "against the best" in said
    assert "one seed" in said
    rows = winner_rows(found)
    assert rows["trial"].tolist()[-1] == 3
    assert "no finite prediction" in rows["reason"].iloc[-1]
    assert rows["probability"].iloc[:3].sum() == pytest.approx(1)
    assert winner_figure(found).startswith("data:image/svg+xml;base64,")
    assert winner_figure(Winner("auc", (), {}, reason="nothing")) is None
