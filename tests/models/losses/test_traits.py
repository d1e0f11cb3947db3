import pytest
import torch

from models.losses.traits import TraitLoss
from models.types import Output

MEAN, STD = torch.tensor([0.5, 0.4, 0.5, 0.6, 0.5]), torch.tensor([0.1, 0.2, 0.1, 0.1, 0.3])


@pytest.fixture
def term():
    term = TraitLoss(dim=4)
    term.set_statistics({"traits_mean": MEAN, "traits_std": STD})
    return term


def output(feature):
    return Output(logits={}, embedding=feature, personality_feature=feature)


def test_the_training_mean_gets_one_and_the_truth_gets_zero(term):
    torch.nn.init.zeros_(term.linear.weight)
    torch.nn.init.zeros_(term.linear.bias)
    standardized = torch.randn(4000, 5)
    batch = {
        "traits": standardized * STD + MEAN,
        "traits_mask": torch.ones(4000, 5, dtype=torch.bool),
    }
    feature = torch.randn(4000, 4)
    assert term(output(feature), batch).item() == pytest.approx(float((standardized**2).mean()), abs=1e-5)
    exact = {"traits": term.linear(feature) * STD + MEAN, "traits_mask": batch["traits_mask"]}
    assert term(output(feature), exact).item() == pytest.approx(0, abs=1e-8)


def test_only_known_traits_count(term):
    feature = torch.randn(3, 4)
    mask = torch.tensor([[1, 1, 0, 0, 0], [0, 0, 0, 0, 0], [1, 0, 0, 0, 1]], dtype=torch.bool)
    traits = torch.randn(3, 5)
    found = term(output(feature), {"traits": traits, "traits_mask": mask})
    guess = term.linear(feature)
    by_hand = [((guess - (traits - MEAN) / STD) ** 2)[row, trait] for row, trait in mask.nonzero().tolist()]
    assert found.item() == pytest.approx(sum(by_hand).item() / 4, rel=1e-5)


def test_a_batch_without_any_trait_costs_nothing_and_keeps_a_gradient(term):
    feature = torch.randn(3, 4, requires_grad=True)
    none = {"traits": torch.zeros(3, 5), "traits_mask": torch.zeros(3, 5, dtype=torch.bool)}
    loss = term(output(feature), none)
    loss.backward()
    assert loss.item() == 0
    assert feature.grad is not None
    assert not feature.grad.any()


def test_what_is_missing_is_named_with_the_remedy(term):
    with pytest.raises(ValueError, match="model/traits=none"):
        term.set_statistics({})
    with pytest.raises(ValueError, match="model/personality=shared"):
        term(Output(logits={}, embedding=torch.zeros(1, 4)), {})
