import numpy as np
import pytest
import torch
from torch.nn import functional as F

from models.losses.supcon import SupCon
from models.types import Output

SUBJECT = torch.tensor([0, 0, 0, 0, 1, 1, 2, -1, -1])
VISIT = torch.tensor([0, 0, 1, 2, 3, 3, 4, 5, 6])
BAND = torch.tensor([0, 0, 1, 1, 1, 0, 0, 1, 1])
TEMPERATURE = 0.2


def _output(z):
    return Output(logits={}, embedding=z, personality=z)


def _batch(rows=slice(None), known=True):
    labeled = torch.full_like(BAND, known, dtype=torch.bool)[rows]
    return {
        "subject": SUBJECT[rows],
        "visit": VISIT[rows],
        "targets": {"band": BAND[rows]},
        "target_mask": {"band": labeled},
    }


def _z(rows=9):
    return F.normalize(torch.randn(rows, 4, dtype=torch.float64), dim=-1).requires_grad_()


def _loop(z, positives, hard_weight):
    subject, visit, band = SUBJECT.numpy(), VISIT.numpy(), BAND.numpy()
    anchors = []
    for i in range(len(z)):
        own = [j for j in range(len(z)) if subject[j] == subject[i] >= 0 and j != i]
        positive = [j for j in own if (visit[j] == visit[i]) == (positives == "same_visit")]
        negative = [j for j in range(len(z)) if min(subject[i], subject[j]) >= 0 and subject[j] != subject[i]]
        if not positive:
            continue
        weight = {j: hard_weight if band[j] == band[i] else 1.0 for j in negative}
        total = sum(weight.get(j, 1.0) * np.exp(z[i] @ z[j] / TEMPERATURE) for j in positive + negative)
        anchors.append(-np.mean([z[i] @ z[j] / TEMPERATURE - np.log(total) for j in positive]))
    return np.mean(anchors)


@pytest.mark.parametrize("hard_weight", [1.0, 3.0])
@pytest.mark.parametrize("positives", ["cross_visit", "same_visit"])
def test_equals_a_loop_over_pairs(positives, hard_weight):
    z = _z()
    loss = SupCon(positives=positives, temperature=TEMPERATURE, hard_weight=hard_weight)(_output(z), _batch())
    expected = _loop(z.detach().numpy(), positives, hard_weight)
    np.testing.assert_allclose(loss.item(), expected, rtol=1e-9)


@pytest.mark.parametrize("positives", ["cross_visit", "same_visit"])
def test_gradient_against_finite_differences(positives):
    loss = SupCon(positives=positives, temperature=TEMPERATURE, hard_weight=3.0)
    assert torch.autograd.gradcheck(lambda z: loss(_output(F.normalize(z, dim=-1)), _batch()), (_z(),))


def test_autocast_does_not_round_the_similarities():
    z = _z().detach().float()
    exact = SupCon()(_output(z), _batch())
    with torch.autocast("cpu", torch.bfloat16):
        assert torch.equal(SupCon()(_output(z), _batch()), exact)


def test_unknown_bands_are_not_hard():
    z = _z()
    weighted = SupCon(temperature=TEMPERATURE, hard_weight=3.0)(_output(z), _batch(known=False))
    np.testing.assert_allclose(weighted.item(), _loop(z.detach().numpy(), "cross_visit", 1.0), rtol=1e-9)


def test_rows_of_unknown_persons_take_no_part():
    z = _z()
    SupCon()(_output(z), _batch()).backward()
    assert not z.grad[SUBJECT < 0].any()
    assert z.grad[SUBJECT >= 0].any(1).all()


@pytest.mark.parametrize("rows", [slice(3, 7), slice(7, 9), slice(0, 1)])
def test_without_positives_it_is_zero_and_has_a_gradient(rows):
    z = _z(len(SUBJECT[rows]))
    loss = SupCon()(_output(z), _batch(rows))
    loss.backward()
    assert loss == 0
    assert not z.grad.any()


def test_it_pulls_the_visits_of_a_person_together():
    z = torch.randn(7, 4).requires_grad_()
    optimizer = torch.optim.SGD([z], lr=0.5)
    losses = []
    for _ in range(50):
        optimizer.zero_grad()
        loss = SupCon()(_output(F.normalize(z, dim=-1)), _batch(slice(0, 7)))
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert losses[-1] < 0.5 * losses[0]
    unit = F.normalize(z.detach(), dim=-1)
    assert float(unit[0] @ unit[3]) > float((unit[:4] @ unit[4:].T).max())


@pytest.mark.parametrize("setting", [{"positives": "any"}, {"temperature": 0.0}, {"hard_weight": 0.5}])
def test_impossible_settings_are_named(setting):
    with pytest.raises(ValueError, match=f"{next(iter(setting))}="):
        SupCon(**setting)


def test_it_needs_a_personality():
    with pytest.raises(ValueError, match="personality branch"):
        SupCon()(Output(logits={}, embedding=_z()), _batch())
