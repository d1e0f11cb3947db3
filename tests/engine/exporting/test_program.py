"""A network as a function of tensors: which inputs it has, and that it answers as the network does."""

import pytest
import torch
from torch import nn

from engine.exporting.bundle import ExportError
from engine.exporting.certificate import parity_made_up
from engine.exporting.program import EARLIER, SCORE, Program, made_up, named_outputs, program_of
from engine.inference.trained_network import TrainedNetwork
from models.heads import BinaryHead, ScoreHead
from models.inputs import Appearance, Levels
from models.mpdrm.branches import MDFN, MPFN
from models.mpdrm.context import CalibratedContext, ClipContext, EnrolmentContext
from models.mpdrm.network import MPDRM
from models.mpdrm.rarm import RelationBoth

SERIES = {
    "source": {"_target_": "datamodules.clips.dataset.SeriesClips", "channels": ["a", "b", "c"]},
    "eval_clips": {"length": 6},
}
FRAMES = {
    "source": {"_target_": "datamodules.clips.dataset.PixelClips", "video": {"height": 4, "width": 4}},
    "eval_clips": {"length": 6},
    "normalize": {"_target_": "datamodules.clips.transforms.Normalize"},
}


class _Linear(nn.Module):
    """Steps to tokens, each by itself."""

    dim = 8

    def __init__(self, width):
        super().__init__()
        self.layer = nn.Linear(width, self.dim)

    def forward(self, x, mask):
        return self.layer(x.flatten(2)) * mask[..., None]


@pytest.fixture
def trained():
    """A small network behind what its run did to a clip: `trained(context, frames=False)`."""

    def build(context, *, frames=False):
        torch.manual_seed(0)
        network = MPDRM(
            depression=MDFN(
                trunk=_Linear(48 if frames else 3), input=Appearance() if frames else Levels(channels=3)
            ),
            personality=MPFN(trunk=None, input=None, dim=8),
            context=context,
            rarm=RelationBoth(dim=8),
            heads={"score": ScoreHead(dim=8, low=0, high=63), "binary": BinaryHead(dim=8)},
        )
        for weight in network.parameters():
            nn.init.normal_(weight, std=0.1)  # some begin at zero, behind which nothing would be seen
        return TrainedNetwork(network, FRAMES if frames else SERIES).eval()

    return build


@pytest.mark.parametrize(
    ("context", "known", "inputs"),
    [
        (None, False, ["series", "mask"]),
        (None, True, ["series", "mask"]),
        (ClipContext(), False, ["series", "mask"]),
        (EnrolmentContext(), False, ["series", "mask", "subject", "row"]),
        (EnrolmentContext(), True, ["series", "mask", "subject", "row", EARLIER]),
        (CalibratedContext(dim=8), True, ["series", "mask", "subject", "visit", EARLIER, SCORE]),
    ],
)
def test_a_program_takes_what_its_network_reads_and_nothing_else(trained, context, known, inputs):
    assert list(program_of(trained(context), known=known).inputs) == inputs


@pytest.mark.parametrize("frames", [False, True])
def test_a_program_answers_as_the_network_does_in_python(trained, frames):
    network = trained(EnrolmentContext(), frames=frames)
    program = program_of(network, known=False)
    batch = made_up(network, clips=9, seed=1)
    with torch.inference_mode():
        found = named_outputs(program, {name: batch[name] for name in program.inputs})
        wanted = network(batch)
    assert set(found) == set(wanted) == {"score", "binary", "context_available", "embedding", "attention"}
    for name, value in wanted.items():
        assert torch.equal(found[name], value), name
    assert found["score"].unique().numel() == 9


def test_known_visits_change_what_a_program_answers_for_those_who_have_some(trained):
    network = trained(CalibratedContext(dim=8))
    program = program_of(network, known=True)
    batch = made_up(network, clips=12, seed=1, known=True)
    given = {name: batch[name] for name in program.inputs}
    with torch.inference_mode():
        before = named_outputs(program, given)
        after = named_outputs(program, {**given, SCORE: given[SCORE] + 5})
    moved = (before["embedding"] != after["embedding"]).any(1)
    assert moved.tolist() == batch[EARLIER].any(1).tolist()
    assert moved.any()
    assert not moved.all()


def test_a_made_up_batch_has_padded_clips_and_an_unknown_person(trained):
    batch = made_up(trained(None), clips=9, seed=0)
    assert not batch["mask"].all()
    assert batch["mask"].any(1).all()
    assert batch["series"][~batch["mask"]].abs().max() == 0
    assert batch["subject"].tolist() == [0, 0, 0, 0, -1, -1, -1, -1, 2]


def test_the_order_of_the_inputs_is_theirs_by_name(trained):
    network = trained(EnrolmentContext())
    batch = made_up(network, clips=4, seed=1)
    names = ["row", "mask", "series", "subject"]
    with torch.inference_mode():
        straight = program_of(network, known=False)(*(batch[n] for n in ("series", "mask", "subject", "row")))
        mixed = Program(network, inputs=names)(*(batch[name] for name in names))
    assert all(torch.equal(one, other) for one, other in zip(straight, mixed, strict=True))


def test_a_network_of_stored_tokens_is_refused_with_a_way_out(trained):
    network = trained(None)
    network.reads = "tokens"
    with pytest.raises(ExportError, match=r"reads tokens of encode\.py.*ckpt_path="):
        program_of(network, known=False)


def test_parity_is_measured_on_every_output_truth_values_among_them(trained):
    network = trained(EnrolmentContext())
    program = program_of(network, known=False)

    def off(given):
        found = named_outputs(program, given)
        known = found["context_available"]
        return {**found, "score": found["score"] + 0.5, "context_available": ~known}

    found = parity_made_up(program, off, network, known=False)
    assert found["largest_difference"]["score"] == pytest.approx(0.5)
    assert found["largest_difference"]["binary"] == 0
    assert found["largest_difference"]["context_available"] == 1
    assert found["largest_value"]["context_available"] == 1
    assert 0 < found["largest_value"]["score"] <= 63
