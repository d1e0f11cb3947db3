"""Networks compile to one graph, and new batch sizes stop making new ones."""

import pytest
import torch
from torch._dynamo.testing import CompileCounter
from torch.utils._pytree import tree_map_only

from benchmarks.speed.resident import drawn_batch, resident
from engine.config.build import build
from tests.test_conf import CONF, EXPERIMENTS

# A packed sequence takes the lengths of its rows as numbers of the host, between two graphs.
BREAKS = {"lstm": "pack_padded_sequence", "facial_pulse": "pack_padded_sequence"}
LIGHT = {"mpdrm_series", "lstm"}  # each takes seconds
GROUPS = (
    "rarm",
    "context",
    "personality",
    "contrast",
    "mmp",
    "orthogonality",
    "adversary",
    "traits",
    "heads",
)
# What only another kind of content, or another protocol, can have.
UNFIT = {"personality": {"appearance", "motion"}, "mmp": {"maps"}, "context": {"calibrated"}}
LEAVES = [
    f"model/{group}={leaf.stem}"
    for group in GROUPS
    for leaf in sorted((CONF / "model" / group).glob("*.yaml"))
    if leaf.stem not in UNFIT.get(group, ())
]


@pytest.fixture(autouse=True)
def fresh():
    torch._dynamo.reset()
    yield
    torch._dynamo.reset()


def prepared(config, *, persons=3, visits=2, training=True):
    """A batch of the size that the config trains with, on a device of which only shapes are known."""
    data = resident(config, [])
    data.trainer = type("Trainer", (), {"training": training})
    batch = drawn_batch(config, persons=persons, visits=visits, seed=0)
    return data.on_after_batch_transfer(tree_map_only(torch.Tensor, lambda one: one.to("meta"), batch), 0)


def task_of(config):
    with torch.device("meta"):
        return build(config["model"] | {"scheduler": None}, key="model")


def compiled(config):
    """Network and objective as one graph, in training."""
    task, batch = task_of(config).train(), prepared(config)

    def losses(batch):
        return task.objective(task.network.heads, task.network(batch), batch)["loss"]

    return torch.compile(losses, backend="eager", fullgraph=True)(batch)


@pytest.mark.parametrize(
    "experiment",
    [name if name in LIGHT else pytest.param(name, marks=pytest.mark.slow) for name in EXPERIMENTS],
)
def test_network_and_objective_are_one_graph(experiment, compose_run):
    config = compose_run(f"experiment={experiment}")
    if experiment in BREAKS:
        with pytest.raises(torch._dynamo.exc.Unsupported):
            compiled(config)
    else:
        compiled(config).backward()


@pytest.mark.slow
@pytest.mark.parametrize("leaf", LEAVES)
def test_every_part_is_in_the_one_graph(leaf, compose_run):
    compiled(compose_run("experiment=mpdrm_series", leaf)).backward()


@pytest.mark.slow  # compiles four times
@pytest.mark.parametrize("experiment", ["mpdrm", "mpdrm_series"])
def test_nothing_is_compiled_again_after_a_warm_up(experiment, compose_run):
    config = compose_run(f"experiment={experiment}")
    task, counter = task_of(config), CompileCounter()
    network = torch.compile(task.network, backend=counter)

    def run(persons, visits, *, training):
        task.train(training)
        batch = prepared(config, persons=persons, visits=visits, training=training)
        with torch.set_grad_enabled(training):
            network(batch)

    for persons in (4, 4, 3):  # a clip that is left out makes a batch smaller
        run(persons, 6, training=True)
    for persons in (8, 5):
        run(persons, 2, training=False)
    warm = counter.frame_count
    for persons in (4, 3, 2, 7):
        run(persons, 6, training=True)
        run(persons, 2, training=False)
    assert counter.frame_count == warm <= 4
