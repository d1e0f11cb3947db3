import pytest
import torch
from torch import nn

from models.baseline import VideoNetwork
from models.heads import BinaryHead, OrdinalHead, ScoreHead
from models.inputs import Appearance, Levels
from models.objective import Objective
from models.trunks.pixels import PixelTrunk
from models.trunks.series import SeriesTrunk
from models.trunks.video import VideoTrunk

DIM = 16


def _network(trunk=None, heads=None, see=None):
    return VideoNetwork(
        input=see or Appearance(),
        trunk=trunk or VideoTrunk(backbone="mc3_18", dim=DIM),
        heads=heads
        or {"score": ScoreHead(dim=DIM, low=0, high=63), "binary": BinaryHead(dim=DIM), "band": None},
    )


def test_the_same_output_as_any_network_with_nothing_of_a_person(make_batch):
    network, batch = _network(PixelTrunk(dim=DIM)), make_batch(channels=None, size=16, steps=4)
    output = network(batch)
    assert {name: raw.shape for name, raw in output.logits.items()} == {"score": (12,), "binary": (12,)}
    assert output.embedding.shape == (12, DIM)
    assert output.personality is output.personality_feature is output.context_available is None
    assert torch.allclose(output.attention[0], torch.full((4,), 0.25))
    assert output.attention[-1].tolist() == [0.5, 0.5, 0.0, 0.0]  # two frames of the last row are padding


def test_every_parameter_takes_part(make_batch):
    network, batch = _network(), make_batch(subjects=1, channels=None, size=16, steps=4)
    Objective()(network.heads, network(batch), batch)["loss"].backward()
    assert all(p.grad is not None and p.grad.isfinite().all() for p in network.parameters())


def test_content_of_padded_frames_changes_nothing(make_batch):
    network, batch = _network().eval(), make_batch(subjects=1, channels=None, size=16, steps=4)
    other = {**batch, "frames": batch["frames"].clone()}
    other["frames"][~batch["mask"]] = torch.nan
    with torch.no_grad():
        assert torch.equal(network(batch).embedding, network(other).embedding)


def test_the_embedding_is_the_mean_of_the_real_tokens(make_batch):
    network = _network(SeriesTrunk(channels=5, dim=DIM), see=Levels(channels=5)).eval()
    batch = make_batch()
    tokens = network.trunk(*network.input(batch))
    assert torch.allclose(network(batch).embedding[-1], tokens[-1, :-2].mean(0), atol=1e-6)
    assert torch.allclose(network(batch).embedding[0], tokens[0].mean(0), atol=1e-6)


def test_statistics_reach_the_heads(statistics):
    network = _network()
    network.set_statistics(statistics)
    assert network.heads["score"].mean == 20.0
    assert network.heads["binary"].prior.sigmoid().item() == pytest.approx(0.4)


def test_full_size_without_memory():
    with torch.device("meta"):
        network = _network(
            VideoTrunk(backbone="r2plus1d_18", dim=DIM), {"band": OrdinalHead(dim=DIM, bands=4)}
        )
        batch = {"frames": torch.empty(4, 16, 3, 112, 112), "mask": torch.ones(4, 16, dtype=torch.bool)}
        output = network(batch)
    assert output.logits["band"].shape == (4, 3)
    assert output.attention.shape == (4, 2)


@pytest.mark.parametrize("part", ["trunk", "input"])
def test_a_name_instead_of_a_part_is_refused(part):
    parts: dict[str, object] = {"input": Appearance(), "trunk": nn.Identity(), "heads": {}}
    with pytest.raises(TypeError, match=f"{part} must be a built module, got str 'r3d_18'"):
        VideoNetwork(**parts | {part: "r3d_18"})
