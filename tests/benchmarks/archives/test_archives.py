import json

import numpy as np
import pytest
import torch

from benchmarks.archives import __main__ as archives
from benchmarks.archives.networks import TrunkClassifier, padded, train_and_read
from models.zoo.sequence.lstm import LSTMTrunk


def test_the_official_split_with_classes_from_zero():
    train, test = archives.load("JapaneseVowels")
    assert (len(train[0]), len(test[0])) == (270, 370)  # UEA archive
    assert train[0][0].shape == (12, 20)
    assert set(train[1]) == set(test[1]) == set(range(9))


def test_padding_is_masked_and_real_steps_have_unit_variance():
    rng = np.random.default_rng(0)
    cases = [3 + 2 * rng.standard_normal((2, steps)) for steps in (4, 7)]
    joined = np.concatenate(cases, axis=1)
    x, mask = padded(cases, joined.mean(1), joined.std(1))
    assert mask.sum(1).tolist() == [4, 7]
    assert not x[~mask].any()
    torch.testing.assert_close(x[mask].mean(0), torch.zeros(2), atol=1e-6, rtol=0)
    torch.testing.assert_close(x[mask].std(0, correction=0), torch.ones(2))


def test_padding_changes_no_logit():
    torch.manual_seed(0)
    network = TrunkClassifier(trunk=LSTMTrunk(channels=2, dim=8), dim=8, classes=3).eval()
    x, mask = torch.randn(1, 9, 2), torch.arange(9)[None] < 5
    torch.testing.assert_close(network(x, mask), network(x[:, :5], mask[:, :5]))


@pytest.mark.slow
def test_a_trunk_learns_to_tell_two_slopes_apart_and_a_seed_repeats_itself():
    rng = np.random.default_rng(0)
    labels = np.arange(24) % 2
    cases = [
        np.linspace(-1, 1, steps)[None] * (2 * label - 1) + 0.1 * rng.standard_normal((1, steps))
        for label, steps in zip(labels, rng.integers(8, 14, size=24), strict=True)
    ]
    once, again = (
        train_and_read(
            lambda: LSTMTrunk(channels=1, dim=8),
            cases[:16],
            labels[:16],
            cases[16:],
            epochs=8,
            rate=0.05,
            seed=0,
        )
        for _ in range(2)
    )
    np.testing.assert_array_equal(once, again)
    np.testing.assert_allclose(once.sum(1), 1, atol=1e-6)
    assert (once.argmax(1) == labels[16:]).all()


def test_the_table_shows_differences_in_points_and_what_was_not_found(tmp_path):
    row = {"set": "ArrowHead", "seeds": 5, "seconds": 3.2, "command": "python -m x", "machine": "a machine"}
    known = {"accuracy": 0.8, "published": 0.8143, "difference": 0.8 - 0.8143, "source": "a paper"}
    unknown = {"accuracy": 0.5, "published": None, "difference": None, "source": None}
    archives.add(row | {"system": "LSTM", "epochs": 9} | unknown, tmp_path)
    archives.add(row | {"system": "ROCKET", "epochs": None} | known | {"accuracy": 0.1}, tmp_path)
    archives.add(row | {"system": "ROCKET", "epochs": None} | known, tmp_path)
    text = (tmp_path / "archives.md").read_text()
    assert "| ArrowHead | ROCKET | 5 |  | 80.0 | 81.4 | -1.4 | 3 | a paper |" in text
    assert "| ArrowHead | LSTM | 5 | 9 | 50.0 | none found |  | 3 |  |" in text
    assert text.count("ROCKET |") == 1
    assert "Not run yet: ItalyPowerDemand, BasicMotions, JapaneseVowels." in text
    assert text.count("`python -m x` on a machine") == 1
    assert [one["accuracy"] for one in json.loads((tmp_path / "archives.json").read_text())] == [0.5, 0.8]


@pytest.mark.slow
def test_our_path_is_as_good_as_aeons_own_classifier():
    train, test = archives.load("ItalyPowerDemand")
    ours = archives.rocket_accuracy(train, test, "recording", 0)
    plain = archives.plain_accuracy(train, test, 0)
    assert ours == pytest.approx(plain, abs=0.01)
