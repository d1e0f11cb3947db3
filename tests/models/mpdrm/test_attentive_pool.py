"""The attentive pool against torch's own attention, and under masks."""

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from models.mpdrm.attentive_pool import AttentivePool


@pytest.fixture
def pool():
    torch.manual_seed(0)
    pool = AttentivePool(dim=12, heads=3)
    nn.init.normal_(pool.query)
    return pool


def run(pool, tokens, mask):
    nothing = torch.zeros(len(tokens), 12), torch.zeros(len(tokens), dtype=torch.bool)
    return pool(tokens, mask, *nothing)


def test_it_is_cross_attention_with_a_residual_and_a_perceptron(pool):
    tokens, mask = torch.randn(2, 7, 12), torch.ones(2, 7, dtype=torch.bool)
    mask[1, 4:] = False
    read, ask = pool.read, pool.ask
    weight = torch.cat((ask.weight, read.weight))
    bias = torch.cat((ask.bias, read.bias))
    query = pool.query.expand(2, 1, 12)
    h = pool.norm(tokens).transpose(0, 1)
    seen, attention = F.multi_head_attention_forward(
        query.transpose(0, 1), h, h, 12, 3, weight, bias, None, None, False, 0.0,
        torch.eye(12), torch.zeros(12), training=False, key_padding_mask=~mask, average_attn_weights=True,
    )  # fmt: skip
    y = query[:, 0] + seen[0]
    v, found = run(pool, tokens, mask)
    assert torch.allclose(v, y + pool.refine(y), atol=1e-5)
    assert torch.allclose(found, attention[:, 0], atol=1e-6)


def test_masked_tokens_change_nothing_and_an_empty_clip_is_finite(pool):
    tokens, mask = torch.randn(2, 6, 12), torch.ones(2, 6, dtype=torch.bool)
    mask[0, 3:] = False
    mask[1] = False
    v, attention = run(pool, tokens, mask)
    other = tokens.clone()
    other[0, 3:] = 100.0
    assert torch.equal(run(pool, other, mask)[0], v)
    assert torch.allclose(run(pool, tokens[:1, :3], mask[:1, :3])[0], v[:1], atol=1e-6)
    assert torch.allclose(attention.sum(1), torch.tensor([1.0, 0.0]))
    assert v.isfinite().all()


def test_every_parameter_learns_and_results_are_float32_under_autocast(pool):
    tokens, mask = torch.randn(2, 6, 12), torch.ones(2, 6, dtype=torch.bool)
    with torch.autocast("cpu", torch.bfloat16):
        v, attention = run(pool, tokens.bfloat16(), mask)
    assert v.dtype == attention.dtype == torch.float32
    run(pool, tokens, mask)[0].square().sum().backward()
    assert all(p.grad is not None and p.grad.abs().sum() > 0 for p in pool.parameters())


def test_a_width_that_heads_cannot_share_is_refused():
    with pytest.raises(ValueError, match="dim=12 cannot be divided among heads=5"):
        AttentivePool(dim=12, heads=5)
