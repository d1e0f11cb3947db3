"""Early, gated and late fusion: an absent set changes nothing, gradients are finite, the graph is one."""

import pytest
import torch
from torch import nn

from models.fusion.gated import GatedSets
from models.fusion.late import LateFusion, OneSet, SetHeads
from models.heads import BinaryHead, OrdinalHead, ScoreHead
from models.inputs import Delta, Levels
from models.mpdrm.branches import MDFN, MPFN
from models.mpdrm.context import CalibratedContext, EnrolmentContext
from models.mpdrm.mmp import MMPSeries
from models.mpdrm.network import MPDRM
from models.mpdrm.rarm import MeanPool, RelationBoth
from models.objective import Objective
from models.standardize import set_statistics
from models.trunks.series import SeriesTrunk
from models.zoo.sequence.inception_time import InceptionTimeTrunk
from models.zoo.sequence.lstm import LSTMTrunk
from models.zoo.sequence.state_space import StateSpaceTrunk
from models.zoo.sequence.tcn import TCNTrunk

WIDTHS, DIM = (2, 3, 4), 8
TRUNKS = {
    "series": lambda channels: SeriesTrunk(channels=channels, dim=DIM, pool=2, mmp=MMPSeries),
    "lstm": lambda channels: LSTMTrunk(channels=channels, dim=DIM),
    "inception_time": lambda channels: InceptionTimeTrunk(channels=channels, dim=DIM),
    "state_space": lambda channels: StateSpaceTrunk(channels=channels, dim=DIM, layers=1, state=4, expand=2),
    "tcn": lambda channels: TCNTrunk(channels=channels, dim=DIM, stem=(4, 8), widths=(8,)),
}
KINDS = ("early", "gated", "late")


def statistics(channels):
    stats = {"series_mean": torch.linspace(-2, 2, channels), "series_std": torch.linspace(0.5, 2, channels)}
    return stats | {"score_mean": 12.0, "score_std": 6.0, "prevalence": 0.3}


def network(kind, *, widths=WIDTHS, trunk="series", mpdrm=False, seed=0):
    torch.manual_seed(seed)
    channels = sum(widths)
    given = {"channels": channels, "widths": widths}
    source = {
        "early": lambda: Levels(**given),
        "gated": lambda: GatedSets(**given, dim=DIM),
        "late": lambda: OneSet(**given, dim=DIM),
    }[kind]()
    heads = {
        "score": ScoreHead(dim=DIM, low=0, high=63), "binary": BinaryHead(dim=DIM),
        "band": OrdinalHead(dim=DIM, bands=4),
    }  # fmt: skip
    own = TRUNKS[trunk](channels if kind == "early" else DIM)
    parts = {
        "depression": MDFN(trunk=own, input=source), "heads": heads,
        "personality": MPFN(trunk=None, input=None, dim=DIM) if mpdrm else None,
        "context": EnrolmentContext() if mpdrm else None,
        "rarm": RelationBoth(dim=DIM) if mpdrm else MeanPool(dim=DIM),
    }  # fmt: skip
    found = (LateFusion if kind == "late" else MPDRM)(**parts)
    set_statistics(found, statistics(channels))
    return found


def batch(rows=4, steps=12, widths=WIDTHS, seed=0):
    """All sets real in all steps but for the padding of the last row."""
    torch.manual_seed(seed)
    real = torch.ones(rows, steps, len(widths), dtype=torch.bool)
    real[-1, -3:] = False
    series = torch.randn(rows, steps, sum(widths)) * real.any(2, keepdim=True)
    labels = {
        "score": torch.arange(rows) * 9.0,
        "binary": torch.arange(rows) % 2.0,
        "band": torch.arange(rows) % 4,
    }
    return {
        "series": series, "mask": real.any(2), "set_mask": real, "row": torch.arange(rows),
        "subject": torch.arange(rows) // 2, "scored": torch.ones(rows, dtype=torch.bool),
        "targets": labels, "target_mask": dict.fromkeys(labels, torch.ones(rows, dtype=torch.bool)),
    }  # fmt: skip


def without(data, place, rows=slice(None)):
    """The batch with a set masked in some rows, its values as a data set leaves them."""
    real, series = data["set_mask"].clone(), data["series"].clone()
    real[rows, :, place] = False
    start = sum(WIDTHS[:place])
    series[rows, :, start : start + WIDTHS[place]] = 0
    return data | {"set_mask": real, "series": series, "mask": real.any(2)}


def predictions(found, data):
    found.eval()
    with torch.no_grad():
        output = found(data)
        return {name: found.heads[name].predict(raw) for name, raw in output.logits.items()}


def losses(found, data):
    return Objective()(dict(found.heads.items()), found(data), data)


@pytest.mark.parametrize("trunk", TRUNKS)
@pytest.mark.parametrize("kind", KINDS)
def test_every_trunk_learns_from_sets_with_finite_gradients(kind, trunk):
    found, data = network(kind, trunk=trunk), without(batch(), 1, rows=slice(0, 2))
    data = without(data, 2)  # in no row of the batch
    found.train()
    losses(found, data)["loss"].backward()
    wrong = [n for n, p in found.named_parameters() if p.grad is None or not p.grad.isfinite().all()]
    assert wrong == []
    assert sum(p.grad.abs().sum() for p in found.parameters()) > 0


@pytest.mark.parametrize("mpdrm", [False, True])
@pytest.mark.parametrize("kind", ["gated", "late"])
def test_an_absent_set_is_the_same_as_not_having_it(kind, mpdrm):
    whole, fewer = network(kind, mpdrm=mpdrm), network(kind, widths=WIDTHS[:2], mpdrm=mpdrm, seed=1)
    for own in (whole, fewer):
        set_statistics(own, statistics(sum(WIDTHS)) if own is whole else cut(statistics(sum(WIDTHS))))
    weights = whole.state_dict()
    mine = {
        name: shorter(weights[name], value) for name, value in fewer.state_dict().items() if name in weights
    }
    fewer.load_state_dict(mine, strict=True)
    data = without(batch(), 2)
    alone = data | {"series": data["series"][..., : sum(WIDTHS[:2])], "set_mask": data["set_mask"][..., :2]}
    for name, found in predictions(whole, data).items():
        torch.testing.assert_close(found, predictions(fewer, alone)[name])


def cut(stats):
    return {
        name: value[: sum(WIDTHS[:2])] if torch.is_tensor(value) else value for name, value in stats.items()
    }


def shorter(value, like):
    """A weight of all sets as one of the first two."""
    return value if value.shape == like.shape else value[: len(like)]


@pytest.mark.parametrize("kind", KINDS)
def test_what_a_masked_set_holds_changes_nothing(kind):
    found, data = network(kind), without(batch(), 1, rows=slice(0, 3))
    noisy = data | {
        "series": torch.where(data["set_mask"][..., [0, 0, 1, 1, 1, 2, 2, 2, 2]], data["series"], torch.nan)
    }
    first, second = predictions(found, data), predictions(found, noisy)
    assert all(torch.equal(first[name], second[name]) for name in first)
    assert all(value.isfinite().all() for value in second.values())


@pytest.mark.parametrize("kind", KINDS)
def test_rows_do_not_see_each_other(kind):
    found, data = network(kind), without(batch(), 0, rows=slice(1, 2))
    alone = {name: value[1:2] for name, value in data.items() if torch.is_tensor(value)}
    for name, value in predictions(found, data).items():
        torch.testing.assert_close(value[1:2], predictions(found, alone)[name])


def test_early_fusion_is_the_standardized_channels_with_zeros_where_a_set_is_not_real():
    source, data, stats = (
        Levels(channels=9, widths=WIDTHS),
        without(batch(), 1, rows=slice(0, 2)),
        statistics(9),
    )
    set_statistics(nn.ModuleList([source]), stats)
    x, mask = source(data)
    wanted = (data["series"] - stats["series_mean"]) / stats["series_std"]
    real = data["set_mask"].repeat_interleave(torch.tensor(WIDTHS), dim=2)
    torch.testing.assert_close(x, wanted * real)
    assert torch.equal(mask, data["mask"])
    steps, _ = Delta(channels=9, widths=WIDTHS)(late_start(batch()))
    assert (steps[:, 5, 2:5] == 0).all()  # the set begins at this step, which is no motion
    assert (steps[:, 6, 2:5] != 0).all()


def late_start(data):
    """The second set begins at step 5."""
    real, series = data["set_mask"].clone(), data["series"].clone()
    real[:, :5, 1], series[:, :5, 2:5] = False, 0
    return data | {"set_mask": real, "series": series}


def test_gates_are_a_softmax_over_the_real_sets_and_start_at_their_mean():
    sets = GatedSets(channels=9, widths=WIDTHS, dim=DIM)
    data = without(batch(), 1, rows=slice(0, 1))
    mapped = torch.randn(4, 12, 3, DIM)
    gates = sets.gates(mapped, data["set_mask"])
    torch.testing.assert_close(gates[0, 0], torch.tensor([0.5, 0.0, 0.5]))
    assert (gates[-1, -1] == 0).all()
    nn.init.normal_(sets.score)
    scores = torch.einsum("btsd,sd->bts", mapped, sets.score) + sets.bias
    wanted = scores[1, 0].exp() / scores[1, 0].exp().sum()
    torch.testing.assert_close(sets.gates(mapped, data["set_mask"])[1, 0], wanted)


def test_late_fusion_averages_predictions_of_heads_that_learn_by_themselves():
    found, data = network("late"), without(batch(), 1, rows=slice(0, 2))
    found.eval()
    output = found(data)
    for name, heads in found.heads.items():
        each = []
        for place, head in enumerate(heads.heads):
            own = data | {"mask": data["set_mask"][..., place] & data["mask"]}
            raw = head(found.members[place](own).embedding)
            each.append(head.predict(raw))
        rows = torch.stack(each, 1)
        wanted = torch.cat((rows[:2, [0, 2]].mean(1), rows[2:].mean(1)))
        torch.testing.assert_close(heads.predict(output.logits[name]), wanted)
    raw = output.logits["binary"]
    mask = torch.ones(4, dtype=torch.bool)
    single = [
        nn.functional.binary_cross_entropy_with_logits(raw[rows, place, 0], data["targets"]["binary"][rows])
        for place, rows in ((0, slice(None)), (1, slice(2, None)), (2, slice(None)))
    ]
    torch.testing.assert_close(
        found.heads["binary"].loss(raw, data["targets"]["binary"], mask), torch.stack(single).mean()
    )
    found.heads["binary"].loss(raw, data["targets"]["binary"], mask).backward()
    assert all(p.grad is not None for p in found.members[1].depression.trunk.parameters())


def test_a_set_that_a_visit_lacks_is_no_context_of_another_visit():
    found = network("late", mpdrm=True)
    data = batch()
    lacking = without(data, 0, rows=slice(1, 2))  # of the second visit of the first person
    context = {}
    hook = found.members[0].context.register_forward_hook(
        lambda _m, _i, out: context.update(known=out.available)
    )
    predictions(found, lacking)
    hook.remove()
    assert context["known"].tolist() == [False, False, True, True]


@pytest.mark.parametrize(
    "kind", ["early", *(pytest.param(kind, marks=pytest.mark.slow) for kind in ("gated", "late"))]
)
def test_networks_compile_to_one_graph(kind):
    torch._dynamo.reset()
    found, data = network(kind, mpdrm=True).train(), without(batch(), 1, rows=slice(0, 2))
    torch.compile(lambda own: losses(found, own)["loss"], backend="eager", fullgraph=True)(data).backward()
    assert all(p.grad.isfinite().all() for p in found.parameters() if p.grad is not None)
    torch._dynamo.reset()


def test_what_does_not_belong_together_is_refused():
    data = batch()
    with pytest.raises(ValueError, match=r"choose model/fusion=early, gated or late"):
        Levels(channels=9)(data)
    with pytest.raises(ValueError, match="reads 'set_mask'"):
        Levels(channels=9, widths=WIDTHS)({name: data[name] for name in ("series", "mask")})
    for build in (
        lambda: Levels(channels=8, widths=WIDTHS),
        lambda: GatedSets(channels=8, widths=WIDTHS, dim=DIM),
        lambda: OneSet(channels=8, widths=WIDTHS, dim=DIM),
    ):
        with pytest.raises(ValueError, match="do not add up to channels=8"):
            build()
    trunk, given = (
        TRUNKS["series"](DIM),
        {"heads": {"binary": BinaryHead(dim=DIM)}, "rarm": MeanPool(dim=DIM)},
    )
    with pytest.raises(ValueError, match="reads one set a network, not Levels"):
        LateFusion(depression=MDFN(trunk=trunk, input=Levels(channels=DIM)), **given)
    one = MDFN(trunk=trunk, input=OneSet(channels=9, widths=WIDTHS, dim=DIM))
    own = MPFN(trunk=TRUNKS["series"](DIM), input=Levels(channels=DIM))
    with pytest.raises(ValueError, match="model/personality=shared or none"):
        LateFusion(depression=one, personality=own, **given)
    with pytest.raises(ValueError, match="scores know no sets"):
        LateFusion(depression=one, context=CalibratedContext(dim=DIM), **given)


def test_heads_of_sets_keep_raw_outputs_of_several_numbers():
    heads = SetHeads([OrdinalHead(dim=DIM, bands=2), OrdinalHead(dim=DIM, bands=2)])
    raw = heads(torch.randn(3, 2, DIM), torch.tensor([[True, True], [True, False], [False, True]]))
    assert raw.shape == (3, 2, 2)
    first = torch.sigmoid(raw[1, 0, 0])
    torch.testing.assert_close(heads.predict(raw)[1], first)
