import numpy as np
import pytest
import torch
from torch.nn import functional as F

from models.losses.severity_contrast import SeverityContrast
from models.losses.supcon import SupCon
from models.types import Output

SUBJECT = torch.tensor([0, 0, 0, 0, 1, 1, 2, 2, -1, -1])
VISIT = torch.tensor([0, 0, 1, 2, 3, 4, 5, 6, 7, 8])
SCORE = torch.tensor([8.0, 8.0, 8.0, 25.0, 10.0, 30.0, 26.0, 3.0, 9.0, 9.0])
BAND = torch.tensor([0, 0, 0, 2, 0, 3, 2, 0, 0, 0])
UNSCORED = torch.tensor([0, 0, 0, 0, 0, 0, 0, 1, 0, 0], dtype=torch.bool)
TEMPERATURE, STD = 0.2, 9.0


def _output(z):
    return Output(logits={}, embedding=z, personality=z)


def _batch(unscored=UNSCORED):
    return {
        "subject": SUBJECT,
        "visit": VISIT,
        "targets": {"band": BAND, "score": SCORE},
        "target_mask": {"band": ~unscored, "score": ~unscored},
    }


def _z():
    return F.normalize(torch.randn(10, 4, dtype=torch.float64), dim=-1).requires_grad_()


def _loss():
    loss = SeverityContrast(temperature=TEMPERATURE)
    loss.set_statistics({"score_std": STD})
    return loss


def _loop(z, unscored):
    """The loss pair by pair, from its definition."""
    subject, visit, score, band = (part.numpy() for part in (SUBJECT, VISIT, SCORE, BAND))
    unscored = unscored.numpy()
    gains, weights = [], []
    for i in range(len(z)):
        pull, total = {}, 0.0
        for j in range(len(z)):
            if min(subject[i], subject[j]) < 0:
                continue
            compared = not (unscored[i] or unscored[j])
            alike = np.exp(-(((score[i] - score[j]) / STD) ** 2) / 2)
            if subject[j] == subject[i] and visit[j] != visit[i]:
                weight = 1 - alike if compared else 1.0
                if weight > 0:
                    pull[j] = weight
            elif subject[j] != subject[i] and (not compared or band[i] == band[j]):
                weight = alike if compared else 1.0
            else:
                continue
            total += weight * np.exp(z[i] @ z[j] / TEMPERATURE)
        if pull:
            gains.append(
                sum(u * (z[i] @ z[j] / TEMPERATURE - np.log(total)) for j, u in pull.items()) / len(pull)
            )
            weights.append(sum(pull.values()) / len(pull))
    return -sum(gains) / sum(weights)


@pytest.mark.parametrize(
    "unscored", [UNSCORED, torch.zeros_like(UNSCORED)], ids=["one missing", "all scored"]
)
def test_equals_a_loop_over_pairs(unscored):
    z = _z()
    loss = _loss()(_output(z), _batch(unscored))
    np.testing.assert_allclose(loss.item(), _loop(z.detach().numpy(), unscored), rtol=1e-6)


def test_gradient_against_finite_differences():
    loss = _loss()
    assert torch.autograd.gradcheck(lambda z: loss(_output(F.normalize(z, dim=-1)), _batch()), (_z(),))


def test_without_scores_it_is_the_plain_contrast_across_visits():
    z, unscored = _z(), torch.ones_like(UNSCORED)
    plain = SupCon(temperature=TEMPERATURE)(_output(z), _batch(unscored))
    torch.testing.assert_close(_loss()(_output(z), _batch(unscored)), plain)
    unlabeled = _batch() | {"targets": {}, "target_mask": {}}
    torch.testing.assert_close(_loss()(_output(z), unlabeled), plain)


def test_a_visit_of_equal_severity_is_no_positive_and_unknown_persons_take_no_part():
    z = _z()
    _loss()(_output(z), _batch()).backward()
    assert not z.grad[SUBJECT < 0].any()
    alone = {"subject": SUBJECT[:3], "visit": VISIT[:3]}
    alone |= {"targets": {"band": BAND[:3], "score": SCORE[:3]}}
    alone |= {"target_mask": {name: torch.ones(3, dtype=torch.bool) for name in ("band", "score")}}
    same = F.normalize(torch.randn(3, 4), dim=-1).requires_grad_()
    loss = _loss()(_output(same), alone)
    loss.backward()
    assert loss == 0
    assert not same.grad.any()


def test_severity_alone_does_not_lower_it_and_a_lasting_trait_does():
    generator = torch.Generator().manual_seed(3)
    persons = torch.arange(12).repeat_interleave(4)
    score = torch.randint(0, 40, (48,), generator=generator).float()
    batch = {
        "subject": persons,
        "visit": torch.arange(48),
        "targets": {"band": torch.bucketize(score, torch.tensor([13.5, 19.5, 28.5])), "score": score},
        "target_mask": {name: torch.ones(48, dtype=torch.bool) for name in ("band", "score")},
    }
    noise = torch.randn(48, 8, generator=generator)
    habit = torch.randn(12, 8, generator=generator)[persons]
    severity = ((score - 20) / 9)[:, None] * torch.ones(8)
    read = {
        name: _loss()(_output(F.normalize(part + noise, dim=-1)), batch).item()
        for name, part in (("nothing", 0.0), ("severity", severity), ("habit", 2 * habit))
    }
    assert read["habit"] < 0.6 * read["nothing"]
    assert read["severity"] > read["nothing"]


def test_an_impossible_temperature_is_named():
    with pytest.raises(ValueError, match="temperature=0"):
        SeverityContrast(temperature=0.0)


def test_it_needs_a_personality():
    with pytest.raises(ValueError, match="personality branch"):
        _loss()(Output(logits={}, embedding=_z()), _batch())
