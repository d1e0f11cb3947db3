"""The graded response head beside scipy: its integrals, its identification, its posterior."""

import itertools

import numpy as np
import pandas as pd
import pytest
import torch
from scipy import integrate, stats
from scipy.special import expit

from datamodules.manifests.item_answers import item_answers, item_statistics
from models.items.graded import GradedResponseHead


def made(questionnaires, *, scale="short", seed=0, **given):
    torch.manual_seed(seed)
    head = GradedResponseHead(dim=4, questionnaires=questionnaires, scale=scale, **given)
    with torch.no_grad():
        for parameter in head.parameters():
            parameter.add_(torch.randn_like(parameter) * 0.4)
        head.level.fill_(0.6)
        head.center.fill_(0.3)
    return head


def likelihood(head, theta, dimension, answers, mask):
    """P(answers | theta) of the items of a dimension, in numpy and from the definition."""
    a, b = head.discriminations().detach().double().numpy(), head.difficulties().detach().double().numpy()
    out = 1.0
    for j, highest in enumerate(head.layout.highest):
        if head.layout.dimension[j] != dimension or not mask[j]:
            continue
        reach = [1.0, *(expit(a[j] * (theta - b[j, k])) for k in range(highest)), 0.0]
        out *= reach[answers[j]] - reach[answers[j] + 1]
    return out


def integral(head, row, dimension, answers, mask, of=lambda theta: 1.0):
    mean, sd = (float(part[row, dimension]) for part in head.severity(row_raw(head, row)))
    found, _ = integrate.quad(
        lambda z: (
            stats.norm.pdf(z) * of(mean + sd * z) * likelihood(head, mean + sd * z, dimension, answers, mask)
        ),
        -12, 12, limit=400, epsabs=0, epsrel=1e-9,
    )  # fmt: skip
    return found


def row_raw(head, _):
    generator = torch.Generator().manual_seed(3)
    return head(torch.randn(6, 4, generator=generator)).detach()


def answered(head, rows=6, seed=1):
    generator = torch.Generator().manual_seed(seed)
    target = torch.stack(
        [torch.randint(0, h + 1, (rows,), generator=generator) for h in head.layout.highest], 1
    )
    return target, torch.rand(rows, len(head.layout), generator=generator) < 0.8


def test_the_marginal_likelihood_is_that_of_adaptive_quadrature(questionnaires):
    head = made(questionnaires)
    raw, (target, mask) = row_raw(head, 0), answered(head)
    found = head.log_likelihood(raw, target, mask)
    for row in range(len(raw)):
        parts = [integral(head, row, d, target[row].tolist(), mask[row].tolist()) for d in (0, 1)]
        assert found[row].item() == pytest.approx(np.log(parts).sum(), abs=5e-4)
    assert head.loss(raw, target, mask).item() == pytest.approx(
        -found.sum().item() / mask.sum().item(), rel=1e-5
    )


def test_twenty_one_steep_items_and_a_wide_severity_are_integrated_as_exactly():
    torch.manual_seed(0)
    columns = [f"item_{n}" for n in range(21)]
    bdi = {"bdi": {"columns": columns, "highest": [3] * 21, "factor": 1, "threshold": 14}}
    head = GradedResponseHead(dim=4, questionnaires=bdi, scale="bdi")
    with torch.no_grad():
        head.level.fill_(np.log(2.5))  # the steepest items of the synthetic cohort
        head.steps.first.add_(torch.linspace(-0.3, 0.3, 21))
        head.spread.weight.mul_(2)
        head.spread.bias.fill_(0.6)
    raw = row_raw(head, 0)
    assert 1.2 < head.severity(raw).sd.max() < 3.0
    # answers as persons of such severities give them
    theta = head.severity(raw).mean[:, 0] + head.severity(raw).sd[:, 0] * torch.tensor(
        [-1.5, -0.5, 0, 0.5, 1, 2]
    )
    chance = torch.sigmoid(head.discriminations()[:, None] * (theta[:, None, None] - head.difficulties()))
    target = (torch.rand(6, 21, 1, generator=torch.Generator().manual_seed(0)) < chance).sum(-1)
    found = head.log_likelihood(raw, target, torch.ones_like(target, dtype=torch.bool))
    for row in range(6):
        exact = np.log(integral(head, row, 0, target[row].tolist(), [True] * 21))
        assert found[row].item() == pytest.approx(exact, abs=5e-4)


def test_the_posterior_is_that_of_adaptive_quadrature(questionnaires):
    head = made(questionnaires)
    raw, (target, mask) = row_raw(head, 0), answered(head)
    found = head.posterior(raw, target, mask)
    for row, d in itertools.product(range(3), (0, 1)):
        given = (head, row, d, target[row].tolist(), mask[row].tolist())
        whole = integral(*given)
        mean = integral(*given, of=lambda theta: theta) / whole
        spread = integral(*given, of=lambda theta, mean=mean: (theta - mean) ** 2) / whole
        assert found.mean[row, d].item() == pytest.approx(mean, abs=1e-3)
        assert found.sd[row, d].item() == pytest.approx(np.sqrt(spread), abs=1e-3)
    unknown = head.posterior(raw, target, torch.zeros_like(mask))
    assert torch.allclose(unknown.mean, head.severity(raw).mean, atol=1e-4)
    assert torch.allclose(unknown.sd, head.severity(raw).sd, atol=1e-3)


def test_expected_answers_totals_and_thresholds_are_those_of_simulated_persons(questionnaires):
    head = made(questionnaires)
    raw, rng = row_raw(head, 0), np.random.default_rng(0)
    known, named = head.severity(raw), head.named(raw)
    a, b = head.discriminations().detach().numpy(), head.difficulties().detach().numpy()
    for row in range(2):
        z = rng.standard_normal((200_000, 2))
        theta = known.mean[row].numpy() + known.sd[row].numpy() * z
        chance = expit(a[:, None] * (theta[:, head.layout.dimension][..., None] - b)) * head.possible.numpy()
        answers = (rng.random((*chance.shape[:2], 1)) < chance).sum(-1)
        assert np.allclose(head.predict(raw)[row].detach(), answers.mean(0), atol=0.01)
        for name, items, factor, threshold in (("short", slice(0, 3), 1, 4), ("long", slice(3, 8), 2, 10)):
            total = answers[:, items].sum(1) * factor
            assert named[f"{name}_total"][row].item() == pytest.approx(total.mean(), abs=0.03)
            share = (total >= threshold).mean()
            assert named[f"{name}_probability"][row].item() == pytest.approx(share, abs=0.005)
            spread = head.total_distribution(raw, name)[row].detach().numpy()
            assert spread.sum() == pytest.approx(1, abs=1e-5)
            assert np.allclose(spread[:5], [(total == factor * s).mean() for s in range(5)], atol=0.005)


def test_severity_has_one_place_and_one_unit(questionnaires):
    """Whatever the free parameters are, mean log a and mean b are constants: nothing can be moved."""
    for seed in range(3):
        head = made(questionnaires, seed=seed)
        a, b = head.discriminations().log(), head.difficulties()
        for d, items in enumerate((slice(0, 3), slice(3, 8))):
            assert a[items].mean().item() == pytest.approx(float(head.level[d]), abs=1e-5)
            assert b[items][head.possible[items]].mean().item() == pytest.approx(
                float(head.center[d]), abs=1e-5
            )
        assert (head.difficulties()[:, 1:] > head.difficulties()[:, :-1]).all()
    before = head.log_likelihood(row_raw(head, 0), *answered(head))
    with torch.no_grad():  # the directions along which an unconstrained model is flat: here they do nothing
        head.log_slope.add_(0.7)
        head.steps.first.add_(1.3)
    assert torch.allclose(head.log_likelihood(row_raw(head, 0), *answered(head)), before, atol=1e-4)


def test_extreme_input_stays_finite(questionnaires):
    head = made(questionnaires)
    raw = torch.tensor([[60.0, -60.0, 80.0, -80.0], [-60.0, 60.0, -80.0, 80.0]], requires_grad=True)
    target, mask = answered(head, rows=2)
    loss = head.loss(raw, target, mask)
    (gradient,) = torch.autograd.grad(loss, raw)
    assert loss.isfinite()
    assert gradient.isfinite().all()
    assert all(value.isfinite().all() for value in head.named(raw).values())


def test_questionnaires_of_one_dimension_share_a_severity(questionnaires):
    joint = {name: own | {"dimension": "depression"} for name, own in questionnaires.items()}
    head = made(joint)
    assert head.layout.dimensions == ("depression",)
    named = head.named(row_raw(head, 0))
    assert {name for name in named if "severity" in name} == {"depression_severity", "depression_severity_sd"}
    # answers of one questionnaire move what is known of a person who was asked the other one
    raw, (target, mask) = row_raw(head, 0), answered(head)
    mask[:, 3:] = False
    posterior = head.posterior(raw, target, mask)
    assert (posterior.sd < head.severity(raw).sd).all()


def test_linked_items_share_their_discrimination(questionnaires):
    joint = {name: own | {"dimension": "depression"} for name, own in questionnaires.items()}
    head = made(joint, linked=[["item_a", "item_2", "item_of_another_form"], ["item_b", "item_4"]])
    a = head.discriminations()
    assert a[0] == a[5]
    assert a[1] == a[7]
    assert len(set(a.tolist())) == 6
    with pytest.raises(ValueError, match="no two of the items"):
        made(joint, linked=[["item_a", "item_of_another_form"]])
    with pytest.raises(ValueError, match="two groups"):
        made(joint, linked=[["item_a", "item_2"], ["item_2", "item_b"]])


def test_an_answer_that_no_item_has_is_refused(questionnaires):
    head = made(questionnaires)
    target, mask = answered(head)
    target[2, 2], mask[2, 2] = 3, True
    with pytest.raises(ValueError, match="item_c: an answer of 3, the highest is 2"):
        head.loss(row_raw(head, 0), target, mask)
    mask[2, 2] = False
    assert head.loss(row_raw(head, 0), target, mask).isfinite()


def test_it_starts_near_what_made_the_answers():
    """Shares and correlations alone tell the items, and put severity at mean 0 and deviation 1."""
    rng = np.random.default_rng(0)
    a, theta = rng.uniform(0.8, 2.5, 9), rng.standard_normal(4000)
    b = np.sort(rng.normal(0.5, 0.4, (9, 1)) + np.array([-0.7, 0.2, 0.9]))
    answers = (rng.random((4000, 9, 1)) < expit(a[:, None] * (theta[:, None, None] - b))).sum(-1)
    columns = [f"item_phq9_{n}" for n in range(1, 10)]
    phq = {"PHQ-9": {"columns": columns, "highest": [3] * 9, "factor": 1, "threshold": 10}}
    head = GradedResponseHead(dim=4, questionnaires=phq, scale="PHQ-9")
    head.set_statistics(item_statistics(item_answers(pd.DataFrame(answers, columns=columns), columns)))
    np.testing.assert_allclose(head.discriminations().detach(), a, rtol=0.2)
    np.testing.assert_allclose(head.difficulties().detach(), b, atol=0.2)
    assert head.level.item() == pytest.approx(np.log(a).mean(), abs=0.1)
    assert head.center.item() == pytest.approx(b.mean(), abs=0.1)
    with torch.no_grad():
        for part in (head.linear, head.spread):
            part.weight.zero_()
    nobody = head(torch.zeros(1, 4))
    np.testing.assert_allclose(head.predict(nobody)[0].detach(), answers.mean(0), atol=0.06)


def test_it_compiles_whole_and_a_short_precision_changes_little(questionnaires):
    head = made(questionnaires)
    target, mask = answered(head)
    raw = row_raw(head, 0)
    compiled = torch.compile(head.loss, backend="aot_eager", fullgraph=True)
    assert compiled(raw, target, mask).item() == pytest.approx(head.loss(raw, target, mask).item(), rel=1e-6)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        short = head.loss(raw.bfloat16(), target, mask)
    assert short.dtype == torch.float32
    assert short.item() == pytest.approx(head.loss(raw.bfloat16(), target, mask).item(), rel=1e-6)


def test_a_batch_without_answers_costs_nothing_and_still_has_a_gradient(questionnaires):
    head = made(questionnaires)
    target, mask = answered(head)
    head.loss(head(torch.randn(6, 4)), target, torch.zeros_like(mask)).backward()
    assert all(p.grad is not None and p.grad.abs().max() < 1e-6 for p in head.parameters())
