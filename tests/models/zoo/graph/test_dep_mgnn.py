import pytest
import torch
from torch.nn import functional as F

from models.mpdrm.mmp import MMPMaps
from models.zoo.graph.dep_mgnn import DepMGNNTrunk, FrameGraph, ScaleGraph


@pytest.fixture(autouse=True)
def seed():
    torch.manual_seed(0)


def test_the_size_counted_by_hand():
    with torch.device("meta"):
        trunk = DepMGNNTrunk()
        tokens = trunk(torch.empty(1, 9, 3, 224, 224), torch.ones(1, 9, dtype=torch.bool))
    width = 256
    resnet = 25_557_032 - 2048 * 1000 - 1000  # torchvision's resnet50 without its classifier
    norm = 2 * width
    edges = 4 * width * width + 12 * 2 * width * width * 9 + 4 * norm  # to itself, to others
    spatial = (256 + 512 + 1024 + 2048) * width + 4 * norm + edges
    temporal = 4 * (width * width + norm + 4 * (width * width + width) + norm)
    joint = 4 * width * width + 4 * norm + edges
    read = width * 2 * width + 2 * norm + 4
    total = sum(p.numel() for p in trunk.parameters())
    assert total == resnet + spatial + temporal + joint + read == 55_048_260
    assert tokens.shape == (1, 1, 512)


def test_frames_gather_as_residual_gated_graph_convolutions_say():
    graph, x = FrameGraph(width=4, groups=2), torch.randn(1, 4, 4, 3, 3)
    mask = torch.tensor([[True, False, True, False]])
    nodes = [graph.enter(x[:, t]) for t in range(4)]
    gates = [torch.sigmoid(graph.key(nodes[2]) + graph.query(nodes[t])) for t in (0, 2)]
    sent = sum(gate * graph.value(nodes[t]) for gate, t in zip(gates, (0, 2), strict=True))
    expected = F.relu(graph.norm(graph.skip(nodes[2]) + sent))
    assert torch.allclose(graph(x, mask), expected, atol=1e-5)


def test_scales_exchange_as_the_equation_says():
    graph = ScaleGraph(channels=(3, 5), width=4, groups=2)
    fine, coarse = torch.randn(1, 3, 4, 4), torch.randn(1, 5, 2, 2)
    a, b = graph.enter[0](fine), graph.enter[1](coarse)
    up, down = b.repeat_interleave(2, 2).repeat_interleave(2, 3), a[..., ::2, ::2]  # the nearest pixel
    edges = dict(zip(graph.pairs, graph.edges, strict=True))
    to_fine = torch.sigmoid(edges[1, 0](torch.cat((up, a), 1))) * up
    to_coarse = torch.sigmoid(edges[0, 1](torch.cat((down, b), 1))) * down
    found = graph([fine, coarse])
    for node, stay, sent, norm, out in zip(
        (a, b), graph.stay, (to_fine, to_coarse), graph.norms, found, strict=True
    ):
        assert torch.allclose(out, F.relu(norm(torch.sigmoid(stay(node)) * node + sent)), atol=1e-6)


def test_four_scales_have_twelve_edges():
    assert len(set(ScaleGraph(channels=(1, 1, 1, 1), width=2, groups=1).pairs)) == 12


def test_the_last_real_frame_is_read_and_the_order_before_it_is_not():
    trunk = DepMGNNTrunk(backbone="resnet18", width=8, groups=2).eval()
    x, mask = torch.randn(1, 4, 3, 64, 64), torch.ones(1, 4, dtype=torch.bool)
    with torch.no_grad():
        token = trunk(x, mask)
        assert torch.allclose(token, trunk(x[:, [2, 0, 1, 3]], mask), atol=1e-4)
        assert not torch.allclose(token, trunk(x[:, [3, 0, 1, 2]], mask), atol=1e-2)


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"width": 100}, "width=100 cannot be shared by groups=32"),
        ({"backbone": "mc3_18"}, "'mc3_18'"),
        ({"mmp": MMPMaps}, "model/mmp=none"),
    ],
)
def test_what_cannot_be_built_is_refused(changed, said):
    with pytest.raises(ValueError, match=said):
        DepMGNNTrunk(**changed)
