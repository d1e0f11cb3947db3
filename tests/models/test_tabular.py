import pytest
import torch
from torch import nn

from models.tabular import FeatureTokenizer, TabularTransformer

GROUPS = [0, 0, 1, 2, 1]


def test_tokens_by_hand():
    tokenizer, x = FeatureTokenizer(groups=GROUPS, dim=4), torch.randn(3, 5)
    w, b = tokenizer.weight, tokenizer.bias
    expected = [
        [b[0] + r[0] * w[0] + r[1] * w[1], b[1] + r[2] * w[2] + r[4] * w[4], b[2] + r[3] * w[3]] for r in x
    ]
    torch.testing.assert_close(tokenizer(x), torch.stack([torch.stack(row) for row in expected]))


def test_every_parameter_has_a_gradient_and_rows_do_not_meet():
    network = TabularTransformer(groups=GROUPS, dim=8, heads=2).eval()
    x = torch.randn(6, 5)
    logits = network(x)
    assert logits.shape == (6,)
    torch.testing.assert_close(network(x[2:4]), logits[2:4])
    nn.functional.binary_cross_entropy_with_logits(logits, torch.ones(6)).backward()
    assert all(p.grad is not None and p.grad.any() for p in network.parameters() if p.numel() > 1)


def test_the_order_of_the_features_of_a_token_is_only_a_name():
    network, x = TabularTransformer(groups=GROUPS, dim=8, heads=2).eval(), torch.randn(4, 5)
    expected = network(x)
    order = [1, 0, 4, 3, 2]
    with torch.no_grad():
        network.tokenizer.weight.copy_(network.tokenizer.weight[order].clone())
    torch.testing.assert_close(network(x[:, order]), expected)


@pytest.mark.parametrize("groups", [[], [0, 2], [1, 1]])
def test_gaps_in_the_numbering_are_refused(groups):
    with pytest.raises(ValueError, match="from 0 without a gap"):
        FeatureTokenizer(groups=groups, dim=4)
