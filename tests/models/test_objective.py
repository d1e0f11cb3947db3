import pytest
import torch
from torch import nn

from models.heads import BinaryHead, ScoreHead
from models.objective import Objective
from models.types import Output


class Constant(nn.Module):
    """A term with a known value and slope."""

    def __init__(self, value):
        super().__init__()
        self.value = nn.Parameter(torch.tensor(value))

    def forward(self, output, batch):
        return self.value * 1.0


@pytest.fixture
def case(make_batch):
    batch = make_batch()
    heads = nn.ModuleDict({"score": ScoreHead(dim=4, low=0, high=63), "binary": BinaryHead(dim=4)})
    v = torch.randn(len(batch["row"]), 4, requires_grad=True)
    projection = torch.randn(len(v), 3, requires_grad=True)
    logits = {name: head(v) for name, head in heads.items()}
    return heads, Output(logits=logits, embedding=v, personality=projection), batch


def test_terms_that_are_off_do_not_exist(case):
    objective = Objective(contrast_weight=7.0, orthogonality=Constant(1.0))
    assert set(objective.terms) == {"orthogonality"}
    assert set(objective(*case)) == {"loss", "score", "binary", "orthogonality"}
    assert set(Objective()(*case)) == {"loss", "score", "binary"}


def test_the_loss_is_the_weighted_sum_of_unweighted_terms(case):
    heads, output, batch = case
    objective = Objective(
        contrast=Constant(1.0),
        contrast_weight=0.5,
        orthogonality=Constant(10.0),
        orthogonality_weight=0.2,
        adversary=Constant(100.0),
        adversary_weight=0.3,
        head_weights={"binary": 4.0},
    )
    losses = objective(heads, output, batch)
    everyone = torch.ones(len(batch["row"]), dtype=torch.bool)
    score = heads["score"].loss(output.logits["score"], batch["targets"]["score"], everyone)
    binary = heads["binary"].loss(output.logits["binary"], batch["targets"]["binary"], everyone)
    assert torch.allclose(losses["score"], score)
    assert torch.allclose(losses["binary"], binary)
    assert [float(losses[name]) for name in ("contrast", "orthogonality", "adversary")] == [1, 10, 100]
    assert torch.allclose(losses["loss"], score + 4 * binary + 0.5 + 2.0 + 30.0)
    losses["loss"].backward()
    slopes = [float(term.value.grad) for term in objective.terms.values()]
    assert slopes == pytest.approx([0.5, 0.2, 0.3])


def test_context_only_and_unlabeled_rows_train_no_head(case):
    heads, output, batch = case
    batch["scored"][::2] = False
    batch["target_mask"]["score"][1] = False
    Objective()(heads, output, batch)["loss"].backward()
    touched = output.embedding.grad.any(1)
    assert not touched[::2].any()
    assert touched[1::2].all()  # row 1 still has its binary label
    alone = [
        head.loss(output.logits[name][3:4].detach(), batch["targets"][name][3:4], torch.tensor([True]))
        for name, head in heads.items()
    ]
    batch["scored"][:] = False
    batch["scored"][3] = True
    assert torch.allclose(Objective()(heads, output, batch)["loss"], sum(alone))


def test_without_a_contrast_the_projector_still_takes_part(case):
    _, output, _ = case
    Objective()(*case)["loss"].backward()
    assert output.personality.grad is not None
    assert not output.personality.grad.any()


def test_a_weight_for_no_head_is_named(case):
    with pytest.raises(ValueError, match="band"):
        Objective(head_weights={"band": 1.0})(*case)
