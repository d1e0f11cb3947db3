import pytest
import torch

from models.heads import BinaryHead, OrdinalHead, ScoreHead
from models.inputs import Appearance, Levels
from models.losses.orthogonality import Orthogonality
from models.losses.supcon import SupCon
from models.mpdrm.branches import MDFN, MPFN
from models.mpdrm.context import ClipContext, EnrolmentContext
from models.mpdrm.mmp import MMPSeries
from models.mpdrm.network import MPDRM
from models.mpdrm.rarm import AttentionPool, MeanPool, RelationCross, RelationGate, RelationProjection
from models.objective import Objective
from models.standardize import set_statistics
from models.trunks.series import SeriesTrunk
from models.trunks.video import VideoTrunk

DIM = 16


def _branch(kind, blocks=1):
    trunk = SeriesTrunk(channels=5, dim=DIM, blocks=blocks, mmp=MMPSeries)
    return kind(trunk=trunk, input=Levels(channels=5))


def _network(**parts):
    built = {
        "depression": _branch(MDFN),
        "personality": _branch(MPFN),
        "context": EnrolmentContext(),
        "rarm": RelationCross(dim=DIM),
        "heads": {
            "score": ScoreHead(dim=DIM, low=0, high=63),
            "binary": BinaryHead(dim=DIM),
            "band": OrdinalHead(dim=DIM, bands=4),
        },
    }
    network = MPDRM(**built | parts)
    value = getattr(network.rarm, "value", None)
    if value is not None and not parts.get(
        "start_at_difference"
    ):  # starts at zero, where the context would not matter yet
        torch.nn.init.normal_(value.weight, std=0.3)
    return network


def _touched(module):
    return any(p.grad is not None and p.grad.any() for p in module.parameters())


def _loss(network, batch, objective=None):
    return (objective or Objective())(network.heads, network(batch), batch)


def test_shapes_and_one_entry_a_head(make_batch):
    batch = make_batch()
    output = _network()(batch)
    assert {name: tuple(raw.shape) for name, raw in output.logits.items()} == {
        "score": (12,),
        "binary": (12,),
        "band": (12, 3),
    }
    assert output.embedding.shape == output.personality_feature.shape == (12, DIM)
    assert torch.allclose(output.personality.norm(dim=1), torch.ones(12), atol=1e-5)
    assert output.attention.shape == (12, 12)
    assert not output.attention[~batch["mask"]].any()
    assert output.context_available.all()


def test_null_heads_are_dropped_and_none_left_is_refused():
    network = _network(heads={"score": None, "binary": BinaryHead(dim=DIM)})
    assert list(network.heads) == ["binary"]
    with pytest.raises(ValueError, match="at least one"):
        _network(heads={"score": None})


@pytest.mark.parametrize(
    ("part", "group"),
    [("depression", "trunk"), ("personality", "personality"), ("context", "context"), ("rarm", "rarm")],
)
def test_a_name_instead_of_a_module_is_refused(part, group):
    with pytest.raises(TypeError, match=rf"{part} must be a built module, got str 'cross'.*model/{group}="):
        _network(**{part: "cross"})


def test_a_name_instead_of_a_head_is_refused():
    with pytest.raises(TypeError, match=r"heads\.score must be a built module, got str"):
        _network(heads={"score": "huber"})


def test_widths_must_agree():
    with pytest.raises(ValueError, match="depression has dim=16"):
        _network(rarm=RelationCross(dim=8), heads={"binary": BinaryHead(dim=8)})
    with pytest.raises(ValueError, match=r"heads\.binary has dim=8"):
        _network(heads={"binary": BinaryHead(dim=8)})


def test_the_contrast_does_not_reach_the_depression_branch(make_batch):
    network, batch = _network(), make_batch()
    SupCon()(network(batch), batch).backward()
    assert _touched(network.personality.trunk)
    assert _touched(network.personality.projector)
    for part in (network.depression, network.rarm, network.heads):
        assert not _touched(part)


def test_the_task_reaches_the_personality_branch_through_the_context(make_batch):
    network = _network()
    _loss(network, make_batch())["loss"].backward()
    for part in (network.depression, network.personality.trunk, network.rarm, network.heads):
        assert _touched(part)
    assert not _touched(network.personality.projector)  # only the contrast reads it


@pytest.mark.parametrize("context", [ClipContext, EnrolmentContext])
def test_a_detached_context_leaves_the_personality_to_the_contrast(context, make_batch):
    network, batch = _network(context=context(detach=True)), make_batch()
    _loss(network, batch)["loss"].backward()
    assert _touched(network.depression)
    assert not _touched(network.personality)
    _loss(network, batch, Objective(contrast=SupCon()))["loss"].backward()
    assert _touched(network.personality)


def test_with_the_contrast_every_parameter_takes_part(make_batch):
    network = _network()
    _loss(network, make_batch(), Objective(contrast=SupCon()))["loss"].backward()
    assert all(p.grad is not None and p.grad.isfinite().all() for p in network.parameters())


@pytest.mark.parametrize("rarm", [AttentionPool, RelationCross, RelationGate, RelationProjection])
def test_every_parameter_takes_part_where_nobody_has_a_context(rarm, make_batch):
    network, batch = _network(rarm=rarm(dim=DIM)), make_batch(subjects=12, visits=1, clips=1)
    assert not network(batch).context_available.any()
    _loss(network, batch, Objective(contrast=SupCon()))["loss"].backward()
    assert all(p.grad is not None and p.grad.isfinite().all() for p in network.parameters())


@pytest.mark.parametrize("rarm", [AttentionPool, RelationCross, RelationGate, RelationProjection])
def test_a_step_under_bfloat16_autocast_is_close_to_the_exact_one(rarm, make_batch, statistics):
    network, batch = _network(rarm=rarm(dim=DIM)), make_batch()
    set_statistics(network, statistics)
    objective = Objective(contrast=SupCon(), orthogonality=Orthogonality())
    exact = _loss(network, batch, objective)["loss"]
    with torch.autocast("cpu", torch.bfloat16):
        output = network(batch)
        rounded = objective(network.heads, output, batch)["loss"]
    rounded.backward()
    assert output.embedding.dtype == output.personality.dtype == rounded.dtype == torch.float32
    assert rounded.item() == pytest.approx(exact.item(), rel=0.03)
    assert all(p.grad.isfinite().all() for p in network.parameters())


@pytest.mark.parametrize("pool", [AttentionPool, MeanPool])
def test_without_a_personality_there_is_nothing_of_a_person(pool, make_batch):
    network, batch = _network(personality=None, context=None, rarm=pool(dim=DIM)), make_batch()
    output = network(batch)
    assert output.personality is output.personality_feature is output.context_available is None
    _loss(network, batch)["loss"].backward()
    assert all(p.grad is not None for p in network.parameters())


def test_the_embedding_of_a_baseline_is_the_mean_of_the_real_tokens(make_batch):
    network, batch = _network(personality=None, context=None, rarm=MeanPool(dim=DIM)).eval(), make_batch()
    output, (tokens, _) = network(batch), network.depression(batch)
    assert torch.allclose(output.embedding[-1], tokens[-1, :-2].mean(0), atol=1e-6)
    assert torch.allclose(output.embedding[0], tokens[0].mean(0), atol=1e-6)
    assert torch.equal(output.plain, output.embedding)  # what a depression probe reads
    assert output.relieved is None


def test_a_baseline_at_full_size_without_memory():
    with torch.device("meta"):
        branch = MDFN(trunk=VideoTrunk(backbone="r2plus1d_18", dim=DIM), input=Appearance())
        network = _network(depression=branch, personality=None, context=None, rarm=MeanPool(dim=DIM))
        batch = {"frames": torch.empty(4, 16, 3, 112, 112), "mask": torch.ones(4, 16, dtype=torch.bool)}
        output = network(batch)
    assert output.logits["band"].shape == (4, 3)
    assert output.attention.shape == (4, 2)  # of the tokens, an eighth of the frames


@pytest.mark.parametrize("part", ["trunk", "input"])
def test_a_name_instead_of_what_a_branch_is_made_of_is_refused(part):
    parts = {"trunk": SeriesTrunk(channels=5, dim=DIM), "input": Levels(channels=5)}
    with pytest.raises(TypeError, match=rf"depression\.{part} must be a built module, got str.*model/trunk="):
        MDFN(**parts | {part: "r3d_18"})


def _rows(batch, keep):
    def cut(value):
        if isinstance(value, dict):
            return {name: cut(inner) for name, inner in value.items()}
        return value[keep] if isinstance(value, torch.Tensor) else [value[i] for i in keep]

    return {name: cut(value) for name, value in batch.items()}


def test_with_clip_context_a_row_does_not_depend_on_the_others(make_batch):
    network, batch = _network(context=ClipContext()).eval(), make_batch()
    together = network(batch)
    alone = network(_rows(batch, [11, 2]))
    for name, raw in together.logits.items():
        assert torch.allclose(alone.logits[name], raw[[11, 2]], atol=1e-5)
    assert torch.allclose(alone.attention, together.attention[[11, 2]], atol=1e-5)


def test_with_enrolment_a_row_depends_on_its_person_only(make_batch):
    network, batch = _network().eval(), make_batch()
    embedding = network(batch).embedding
    assert torch.allclose(network(_rows(batch, [0, 1, 2, 3])).embedding, embedding[:4], atol=1e-5)
    alone = network(_rows(batch, [0, 1]))  # the other visit is gone
    assert not alone.context_available.any()
    assert not torch.allclose(alone.embedding, embedding[:2], atol=1e-3)


def test_statistics_reach_every_part_and_the_checkpoint(make_batch, statistics):
    network, batch = _network(), make_batch()
    before = network(batch).logits
    set_statistics(network, {**statistics, "series_mean": torch.full((5,), 2.0)})
    after = network(batch).logits
    assert all(not torch.allclose(before[name], after[name]) for name in before)
    assert network.heads["score"].mean == 20.0
    copy = _network()
    copy.load_state_dict(network.state_dict())
    assert all(torch.equal(raw, after[name]) for name, raw in copy(batch).logits.items())


def test_padding_a_clip_changes_nothing(make_batch):
    network, batch = _network().eval(), make_batch()
    output = network(batch)
    padded = {
        **batch,
        "series": torch.nn.functional.pad(batch["series"], (0, 0, 0, 4), value=9.0),
        "mask": torch.nn.functional.pad(batch["mask"], (0, 4)),
    }
    longer = network(padded)
    assert torch.allclose(longer.embedding, output.embedding, atol=1e-5)
    assert torch.allclose(longer.personality_feature, output.personality_feature, atol=1e-5)
    assert torch.allclose(longer.attention[:, :-4], output.attention, atol=1e-6)


def _same_start(network):
    pairs = zip(network.depression.trunk.parameters(), network.personality.trunk.parameters(), strict=True)
    return all(torch.equal(ours, theirs) and ours is not theirs for ours, theirs in pairs)


def test_twins_start_at_the_difference_to_the_person_and_are_free_afterwards(make_batch):
    network, batch = _network(start_at_difference=True), make_batch()
    batch["series"] = batch["series"][:1].expand(12, -1, -1)  # every visit is alike ...
    batch["mask"] = torch.ones_like(batch["mask"])
    assert _same_start(network)
    tokens, mask = network.depression(batch)
    context = network.context(network.personality(batch, tokens, mask)[0], batch)
    relieved = network.rarm.relieve(tokens, context.feature, context.available)
    assert torch.allclose(relieved.mean(1), torch.zeros(12, DIM), atol=1e-5)  # ... so nothing is left
    assert tokens.mean(1).abs().max() > 0.1
    optimizer = torch.optim.SGD(network.parameters(), lr=0.1)
    _loss(network, make_batch(), Objective(contrast=SupCon()))["loss"].backward()
    optimizer.step()
    assert not _same_start(network)


def _shared():
    return MPFN(trunk=None, input=None, dim=DIM)


def test_a_shared_trunk_is_read_by_both_branches_and_trained_by_the_contrast(make_batch):
    network, batch = _network(start_at_difference=True, personality=_shared()), make_batch()
    tokens, mask = network.depression(batch)
    real = mask.unsqueeze(-1)
    assert torch.allclose(network(batch).personality_feature, (tokens * real).sum(1) / real.sum(1), atol=1e-6)
    SupCon()(network(batch), batch).backward()
    assert _touched(network.depression.trunk)
    assert not _touched(network.rarm)
    assert len(list(network.personality.parameters())) == 4  # the projector, and no second trunk


def test_with_a_shared_trunk_nothing_is_left_of_a_person_who_does_not_change(make_batch):
    network, batch = _network(start_at_difference=True, personality=_shared()), make_batch()
    batch["series"] = batch["series"][:1].expand(12, -1, -1)
    batch["mask"] = torch.ones_like(batch["mask"])
    tokens, mask = network.depression(batch)
    context = network.context(network.personality(batch, tokens, mask)[0], batch)
    assert context.available.all()
    relieved = network.rarm.relieve(tokens, context.feature, context.available)
    assert torch.allclose(relieved.mean(1), torch.zeros(DIM), atol=1e-5)


@pytest.mark.parametrize(
    "parts",
    [
        {"trunk": None, "input": None},
        {"trunk": None, "input": Levels(channels=5), "dim": DIM},
        {"trunk": SeriesTrunk(channels=5, dim=DIM), "input": None},
    ],
)
def test_a_personality_branch_is_its_own_or_shared_and_nothing_between(parts):
    with pytest.raises(ValueError, match=r"model/personality=shared"):
        MPFN(**parts)


def test_twins_must_have_one_form():
    with pytest.raises(ValueError, match="start_at_difference=true needs two trunks of one form"):
        _network(start_at_difference=True, personality=_branch(MPFN, blocks=2))


def test_twins_mean_nothing_without_a_context_or_a_personality():
    assert not _same_start(_network(start_at_difference=True, context=None))
    assert not _same_start(_network())
    _network(start_at_difference=True, personality=None, context=None)


@pytest.mark.parametrize("context", [ClipContext, EnrolmentContext])
def test_a_forward_without_memory(context, make_batch):
    with torch.device("meta"):
        network = _network(context=context())
    batch = make_batch()
    on_meta = {k: v.to("meta") if isinstance(v, torch.Tensor) else v for k, v in batch.items()}
    output = network(on_meta)
    assert output.embedding.shape == (12, DIM)
    assert output.embedding.is_meta


def test_features_before_and_after_the_relief_are_there_for_probes_and_not_while_training(make_batch):
    network, batch = _network(), make_batch()
    trained = network(batch)
    assert trained.plain is None
    assert trained.relieved is None
    network.eval()
    output = network(batch)
    tokens, mask = network.depression(batch)
    assert torch.allclose(output.plain[:-1], tokens[:-1].mean(1), atol=1e-6)
    assert torch.allclose(
        output.plain[-1], tokens[-1, :-2].mean(0), atol=1e-6
    )  # its last two steps are padding
    context = network.context(network.personality(batch, tokens, mask)[0], batch)
    relieved = network.rarm.relieve(tokens, context.feature, context.available)
    assert torch.allclose(output.relieved[:-1], relieved[:-1].mean(1), atol=1e-6)
    assert (output.plain - output.relieved).abs().max() > 0.01


def test_without_a_context_nothing_is_relieved(make_batch):
    output = _network(context=None).eval()(make_batch())
    assert output.plain is not None
    assert output.relieved is None
