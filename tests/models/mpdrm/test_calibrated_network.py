import pytest
import torch

from models.heads import BinaryHead, OrdinalHead, ScoreHead
from models.inputs import Levels
from models.losses.supcon import SupCon
from models.mpdrm.branches import MDFN
from models.mpdrm.context import CalibratedContext, EnrolmentContext
from models.objective import Objective
from models.standardize import set_statistics
from models.trunks.series import SeriesTrunk
from tests.models.mpdrm.test_network import DIM, _loss, _network, _shared


def _with_history(batch, score=None):
    """The first visit of every person is known with its score when the second is predicted."""
    place = batch["visit"] % 2
    earlier = (batch["subject"][:, None] == batch["subject"][None, :]) & (place[:, None] > place[None, :])
    score = batch["targets"]["score"] if score is None else score
    return batch | {"history": {"earlier": earlier, "score": torch.where(earlier, score[None, :], torch.nan)}}


def test_with_calibrated_earlier_scores_reach_later_visits_and_nothing_else(make_batch, statistics):
    network = _network(context=CalibratedContext(dim=DIM), start_at_difference=True).eval()
    set_statistics(network, statistics)
    batch = make_batch()
    plain, later = network(_with_history(batch)), batch["visit"] % 2 == 1
    assert plain.context_available.tolist() == later.tolist()
    raised = batch["targets"]["score"] + 9.0 * (batch["subject"] == 1)
    moved = (network(_with_history(batch, raised)).embedding - plain.embedding).abs().sum(1) > 1e-3
    assert moved.tolist() == (later & (batch["subject"] == 1)).tolist()
    assert torch.equal(network(batch).embedding[~later], plain.embedding[~later])


@pytest.mark.parametrize("visits", [1, 3])
def test_with_calibrated_every_head_starts_at_the_mean_known_score_drawn_to_that_of_all(visits):
    heads = {
        "score": ScoreHead(dim=DIM, low=-90, high=90),
        "binary": BinaryHead(dim=DIM),
        "band": OrdinalHead(dim=DIM, bands=4),
    }
    network = _network(context=CalibratedContext(dim=DIM), heads=heads).eval()
    network.context.set_statistics({"score_mean": 20.0, "score_std": 10.0})
    rows = visits + 1
    earlier = torch.zeros(rows, rows, dtype=torch.bool)
    earlier[-1, :-1] = True
    score = torch.where(earlier, torch.linspace(25.0, 45.0, rows)[None, :], torch.nan)
    known = ((score[-1, :-1] - 20.0) / 10.0).mean() * visits / (visits + 1)
    batch = {
        "subject": torch.zeros(rows, dtype=torch.int64),
        "visit": torch.arange(rows),
        "history": {"earlier": earlier, "score": score},
    }
    offset = network.context(torch.zeros(rows, DIM), batch).offset
    assert offset[:-1].abs().max() == 0
    for head in network.heads.values():
        moved = head(offset[-1:]) - head(torch.zeros(1, DIM))
        torch.testing.assert_close(moved, torch.full_like(moved, float(known)), rtol=1e-4, atol=1e-5)


def test_with_calibrated_every_parameter_takes_part_with_a_history_and_without(make_batch):
    network, batch = _network(context=CalibratedContext(dim=DIM)), make_batch()
    for given in (batch, _with_history(batch), make_batch(subjects=12, visits=1, clips=1)):
        network.zero_grad()
        _loss(network, given, Objective(contrast=SupCon()))["loss"].backward()
        assert all(p.grad is not None and p.grad.isfinite().all() for p in network.parameters())


@pytest.mark.slow
def test_calibrated_tells_habit_from_lasting_severity_where_the_difference_cannot():
    """A series of one level: habit and severity of equal weight, severity almost the same at every visit."""

    def read(context, steps=80):
        torch.manual_seed(0)
        branch = MDFN(trunk=SeriesTrunk(channels=4, dim=DIM, blocks=1), input=Levels(channels=4))
        heads = {"score": ScoreHead(dim=DIM, low=-60, high=60)}
        network = _network(
            depression=branch, personality=_shared(), context=context, heads=heads, start_at_difference=True
        )
        set_statistics(network, LASTING)
        optimizer = torch.optim.AdamW(network.parameters(), lr=3e-3)
        for _ in range(steps):
            optimizer.zero_grad()
            _loss(network, _lasting(32))["loss"].backward()
            optimizer.step()
        batch = _lasting(300)
        later = batch["visit"] % 2 == 1
        found = network.eval()(batch).logits["score"][later].detach()
        return float(torch.corrcoef(torch.stack((found, batch["targets"]["score"][later])))[0, 1])

    assert read(CalibratedContext(dim=DIM)) > read(EnrolmentContext()) + 0.2


LASTING = {
    "series_mean": torch.zeros(4),
    "series_std": torch.ones(4),
    "score_mean": 0.0,
    "score_std": 10.0,
}


def _lasting(persons):
    """Two visits a person; nine tenths of severity's variance are the person's, the habit weighs twice."""
    subject = torch.arange(persons).repeat_interleave(2)
    level, habit = torch.randn(persons)[subject], 2.0 * torch.randn(persons, 4)[subject]
    severity = 0.9**0.5 * level + 0.1**0.5 * torch.randn(2 * persons)
    series = (severity[:, None] + habit)[:, None] + 0.1 * torch.randn(2 * persons, 6, 4)
    labeled = torch.ones(2 * persons, dtype=torch.bool)
    batch = {
        "series": series,
        "mask": torch.ones(2 * persons, 6, dtype=torch.bool),
        "subject": subject,
        "visit": torch.arange(2 * persons),
        "row": torch.arange(2 * persons),
        "scored": labeled,
        "targets": {"score": 10.0 * severity},
        "target_mask": {"score": labeled},
    }
    return _with_history(batch)
