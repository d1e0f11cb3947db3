import math

import pytest
import torch
from torch.nn import functional as F

from models.heads import BinaryHead, OrdinalHead, ScoreHead

CASES = {
    "score": lambda: ScoreHead(dim=6, low=0, high=63),
    "binary": lambda: BinaryHead(dim=6),
    "band": lambda: OrdinalHead(dim=6, bands=4),
}
TARGETS = {
    "score": torch.tensor([3.0, 50.0, 20.0, 9.0]),
    "binary": torch.tensor([0.0, 1.0, 1.0, 0.0]),
    "band": torch.tensor([0, 3, 2, 1]),
}
STATISTICS = {"score_mean": 20.0, "score_std": 10.0, "prevalence": 0.4}
ALL = torch.ones(4, dtype=torch.bool)


def _head(name):
    head = CASES[name]()
    getattr(head, "set_statistics", lambda _: None)(STATISTICS)
    return head


@pytest.mark.parametrize("name", CASES)
def test_unlabeled_rows_change_nothing(name):
    head, target = _head(name), TARGETS[name]
    raw = head(torch.randn(4, 6))
    mask = torch.tensor([True, False, True, False])
    loss = head.loss(raw, target, mask)
    assert torch.allclose(loss, head.loss(raw[mask], target[mask], ALL[:2]))
    assert not torch.allclose(loss, head.loss(raw, target, ALL))
    hidden = torch.where(mask, target, torch.full_like(target, 1))
    assert torch.equal(head.loss(raw, hidden, mask), loss)


@pytest.mark.parametrize("name", CASES)
def test_a_batch_without_labels_costs_nothing_and_still_has_a_gradient(name):
    head = _head(name)
    loss = head.loss(head(torch.randn(4, 6)), TARGETS[name], ~ALL)
    loss.backward()
    assert loss == 0
    assert all(p.grad is not None and not p.grad.any() for p in head.parameters())


@pytest.mark.parametrize("name", CASES)
def test_gradient_against_finite_differences(name):
    head = _head(name)
    raw = head(torch.randn(4, 6)).detach().requires_grad_()
    (gradient,) = torch.autograd.grad(head.loss(raw, TARGETS[name], ALL), raw)
    step = 1e-2  # the loss is always in float32, where gradcheck's own steps would drown
    for index in range(raw.numel()):
        shift = torch.zeros_like(raw).flatten()
        shift[index] = step
        shift = shift.reshape(raw.shape)
        up, down = (head.loss((raw + sign * shift).detach(), TARGETS[name], ALL) for sign in (1, -1))
        assert ((up - down) / (2 * step)).item() == pytest.approx(gradient.flatten()[index].item(), abs=2e-3)


@pytest.mark.parametrize("name", CASES)
def test_autocast_leaves_losses_and_predictions_in_float32(name):
    head, v = _head(name), torch.randn(4, 6)
    with torch.autocast("cpu", torch.bfloat16):
        raw = head(v)
        loss, prediction = head.loss(raw, TARGETS[name], ALL), head.predict(raw)
    assert loss.dtype == prediction.dtype == torch.float32
    assert loss.item() == pytest.approx(head.loss(head(v), TARGETS[name], ALL).item(), rel=0.02)


def test_score_loss_is_huber_on_the_standardized_score():
    head, raw = _head("score"), torch.tensor([0.0, 0.5, -0.2, 3.0])
    expected = F.huber_loss(raw, (TARGETS["score"] - 20.0) / 10.0)
    assert torch.allclose(head.loss(raw, TARGETS["score"], ALL), expected)


def test_scores_come_back_in_points_and_stay_on_the_scale():
    raw = torch.tensor([-9.0, 0.0, 1.5, 9.0])
    assert _head("score").predict(raw).tolist() == [0.0, 20.0, 35.0, 63.0]


def test_a_training_set_with_one_score_keeps_the_loss_finite():
    head = CASES["score"]()
    head.set_statistics({"score_mean": 20.0, "score_std": 0.0})
    assert head.loss(torch.zeros(4), TARGETS["score"], ALL).isfinite()


def test_binary_loss_is_cross_entropy_and_predictions_are_probabilities():
    head, raw = _head("binary"), torch.tensor([-30.0, 0.0, 1.0, 30.0])
    expected = F.binary_cross_entropy_with_logits(raw, TARGETS["binary"])
    assert torch.allclose(head.loss(raw, TARGETS["binary"], ALL), expected)
    probability = head.predict(raw)
    assert probability.tolist() == pytest.approx([0.0, 0.5, 1 / (1 + math.exp(-1)), 1.0], abs=1e-6)


def test_the_binary_head_starts_at_the_prevalence():
    head = _head("binary")
    assert head.predict(head(torch.zeros(1, 6))).item() == pytest.approx(0.4, abs=1e-6)
    assert "prior" in head.state_dict()
    for prevalence, kept in ((0.0, 0.01), (1.0, 0.99)):
        head.set_statistics({"prevalence": prevalence})
        assert head.predict(head(torch.zeros(1, 6))).item() == pytest.approx(kept, abs=1e-6)


def test_ordinal_loss_against_corn_by_hand():
    raw = torch.randn(4, 3)
    terms = []
    for row, band in zip(raw.tolist(), TARGETS["band"].tolist(), strict=True):
        for question in range(3):
            if band >= question:  # asked only of those who got this far
                p = 1 / (1 + math.exp(-row[question]))
                terms.append(-math.log(p if band > question else 1 - p))
    assert len(terms) == 1 + 3 + 3 + 2
    assert _head("band").loss(raw, TARGETS["band"], ALL).item() == pytest.approx(
        sum(terms) / len(terms), abs=1e-6
    )


def test_expected_band_by_hand():
    head = _head("band")
    raw = torch.logit(torch.tensor([[0.9, 0.5, 0.2], [0.1, 0.9, 0.9]]))
    assert head.predict(raw).tolist() == pytest.approx([0.9 + 0.45 + 0.09, 0.1 + 0.09 + 0.081], abs=1e-6)
    assert head.predict(torch.tensor([[-40.0] * 3, [40.0] * 3])).tolist() == pytest.approx([0.0, 3.0])


@pytest.mark.parametrize("band", [-1, 4])
def test_a_band_beyond_the_head_is_named(band):
    target = torch.tensor([0, band, 1, 2])
    head = _head("band")
    with pytest.raises(ValueError, match=f"band {band} for a head with bands=4"):
        head.loss(torch.zeros(4, 3), target, ALL)
    assert head.loss(torch.zeros(4, 3), target, torch.tensor([True, False, True, True])).isfinite()


@pytest.mark.parametrize(("name", "other"), [("score", "binary"), ("binary", "score")])
def test_training_data_without_labels_is_refused(name, other):
    with pytest.raises(ValueError, match=f"no label for the '{name}' head.*model/heads={other}"):
        CASES[name]().set_statistics({"score_mean": math.nan})


def test_impossible_scales_are_refused():
    with pytest.raises(ValueError, match="low < high"):
        ScoreHead(dim=6, low=5, high=5)
    with pytest.raises(ValueError, match="at least 2"):
        OrdinalHead(dim=6, bands=1)
