"""Ordered logits of single items: the likelihood by its definition, starts, totals; beside statsmodels."""

import numpy as np
import pandas as pd
import pytest
import torch
from scipy.special import expit
from statsmodels.miscmodels.ordinal_model import OrderedModel

from datamodules.manifests.item_answers import item_answers, item_statistics
from models.items.ordinal import OrdinalItemsHead

PHQ = {"PHQ-2": {"columns": ["item_phq9_1", "item_phq9_2"], "highest": [3, 3], "factor": 1, "threshold": 3}}


def simulated(rows=1500, seed=0):
    rng = np.random.default_rng(seed)
    x = rng.standard_normal((rows, 3))
    place = x @ np.array([[0.9, -0.4, 0.2], [0.0, 1.1, 0.5]]).T
    steps = np.array([[-0.5, 0.8, 1.6], [0.0, 0.7, 2.0]])
    reach = expit(place[:, :, None] - steps)
    return x, (rng.random((rows, 2, 1)) < reach).sum(-1)


def fitted(head, x, answers, rounds=60):
    v, target = torch.tensor(x, dtype=torch.float32), torch.tensor(answers)
    mask = torch.ones_like(target, dtype=torch.bool)
    optimizer = torch.optim.LBFGS(head.parameters(), max_iter=rounds, line_search_fn="strong_wolfe")

    def closure():
        optimizer.zero_grad()
        loss = head.loss(head(v), target, mask)
        loss.backward()
        return loss

    optimizer.step(closure)
    return closure().item()


def test_a_fit_is_that_of_statsmodels():
    x, answers = simulated()
    torch.manual_seed(0)
    head = OrdinalItemsHead(dim=3, questionnaires=PHQ, scale="PHQ-2")
    loss = fitted(head, x, answers)
    total = 0.0
    for item in range(2):
        reference = OrderedModel(answers[:, item], x, distr="logit").fit(method="bfgs", disp=False)
        total += reference.llf
        weight = head.linear.weight[item].detach().numpy()
        np.testing.assert_allclose(weight, reference.params[:3], atol=0.01)
        steps = (head.difficulties()[item] - head.linear.bias[item]).detach().numpy()
        np.testing.assert_allclose(
            steps, reference.model.transform_threshold_params(reference.params)[1:-1], atol=0.01
        )
    assert loss == pytest.approx(-total / answers.size, abs=1e-4)


def test_it_starts_at_the_shares_of_the_training_answers():
    _, answers = simulated()
    table = pd.DataFrame(answers, columns=PHQ["PHQ-2"]["columns"])
    head = OrdinalItemsHead(dim=3, questionnaires=PHQ, scale="PHQ-2")
    head.set_statistics(item_statistics(item_answers(table, PHQ["PHQ-2"]["columns"])))
    with torch.no_grad():
        head.linear.weight.zero_()
        reached, weights = head.chances(head(torch.zeros(1, 3)))
    assert reached.shape == (1, 1, 2, 3)
    assert weights.tolist() == [1.0]
    shares = np.stack([(answers >= k).mean(0) for k in (1, 2, 3)], axis=1)
    np.testing.assert_allclose(reached[0, 0], shares, atol=0.03)  # 1.702 is not exactly a logit


def test_items_that_nobody_answered_are_named():
    head = OrdinalItemsHead(dim=3, questionnaires=PHQ, scale="PHQ-2")
    table = pd.DataFrame({"item_phq9_1": [0.0, 3.0], "item_phq9_2": [np.nan, np.nan]})
    with pytest.raises(ValueError, match="item_phq9_2: no training recording has an answer"):
        head.set_statistics(item_statistics(item_answers(table, PHQ["PHQ-2"]["columns"])))
    with pytest.raises(ValueError, match="item_shares"):
        head.set_statistics({})


def test_a_batch_without_answers_costs_nothing_and_still_has_a_gradient():
    head = OrdinalItemsHead(dim=3, questionnaires=PHQ, scale="PHQ-2")
    target = torch.zeros(4, 2, dtype=torch.int64)
    loss = head.loss(head(torch.randn(4, 3)), target, torch.zeros(4, 2, dtype=torch.bool))
    loss.backward()
    assert loss == 0
    assert all(parameter.grad is not None and not parameter.grad.any() for parameter in head.parameters())


def test_totals_are_sums_of_independent_answers():
    head = OrdinalItemsHead(dim=3, questionnaires=PHQ, scale="PHQ-2")
    raw = head(torch.randn(2, 3)).detach()
    reached = head.chances(raw)[0][:, 0].detach().numpy()
    own = -np.diff(reached, axis=-1, prepend=1.0, append=0.0)
    named = head.named(raw)
    for row in range(2):
        joint = np.convolve(own[row, 0], own[row, 1])
        np.testing.assert_allclose(head.total_distribution(raw, "PHQ-2")[row].detach(), joint, atol=1e-6)
        assert named["PHQ-2_probability"][row].item() == pytest.approx(joint[3:].sum(), abs=1e-6)
        assert named["PHQ-2_total"][row].item() == pytest.approx(joint @ np.arange(7), abs=1e-5)
